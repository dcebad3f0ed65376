// What the metrics tell of control itself: which revision is in force, and how etcd stands.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/admin/metrics_text.hpp"
#include "libgateway/config/delta.hpp"
#include "libgateway/config/metrics_attr.hpp"

namespace gateway::process {

// Revisions of etcd, 0 where nothing is known.
struct EtcdGauges {
    static constexpr std::array<std::string_view, 8> lists{"routes",       "services",  "ssls",          "consumers",
                                                           "global_rules", "upstreams", "stream_routes", "protos"};
    bool reachable = false;
    std::uint64_t store = 0;                           // the newest that etcd told us of
    std::uint64_t followed = 0;                        // everything up to this one was taken in
    std::array<std::uint64_t, lists.size()> newest{};  // change of an object, by list

    void note(std::string_view list, std::uint64_t modified) noexcept;
};

struct ControlGauges {
    std::uint64_t revision = 0;   // in force; 0: none yet
    std::int64_t changed_ms = 0;  // wall clock
    bool last_refused = false;    // the last attempt to change something
    std::uint64_t workers_behind = 0;
    std::array<std::uint64_t, config::kind_count> objects{};  // of that revision, by kind
    std::optional<EtcdGauges> etcd;                           // nothing: not the provider
};

// All that the exporter asks control for.
struct MetricsFacts {
    config::MetricsAttr attr;
    bool loaded = true;  // the plugin
    ControlGauges gauges;
};

void tell_control(std::vector<admin::MetricFamily>& all, const MetricsFacts& facts);

}  // namespace gateway::process
