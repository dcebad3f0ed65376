// What all workers have counted of each route, read from their pages in shared memory.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "libgateway/json/value.hpp"
#include "libgateway/shm/segment.hpp"
#include "libgateway/telemetry/route_traffic.hpp"

namespace gateway::process {

struct RouteCount {
    std::array<std::uint64_t, telemetry::RouteTraffic::cells> cells{};

    std::uint64_t answers() const noexcept;
    // {"classes": [6 counts], "times": [[bucket, count], …]}: buckets without any are left out.
    json::Value to_json() const;
};

// Since the start of the gateway, by the id of the route; under the empty id those of routes that found no room. Any
// thread: it only reads the pages.
using RouteCounts = std::unordered_map<std::string, RouteCount>;
RouteCounts count_routes(const shm::Segment& segment);

// For each bucket the time in milliseconds that it ends before.
json::Value time_bounds();

}  // namespace gateway::process
