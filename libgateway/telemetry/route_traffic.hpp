// What is counted of each route that answers: statuses by class, and how long exchanges took.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "libgateway/telemetry/log_linear.hpp"
#include "libgateway/telemetry/series.hpp"

namespace gateway::telemetry {

// The cells of one series of kind `route_traffic`, whose one label is the route's id: six classes (status / 100, [0]:
// no status was sent), then the distribution of times. Its buckets are four to each power of two, from 16 us to 68 s;
// longer ones count as that.
struct RouteTraffic {
    using Times = LogLinear<2, 21>;
    static constexpr unsigned unit_bits = 14;  // a time's unit is 2^14 ns
    static constexpr std::size_t classes = 6, buckets = Times::size, cells = classes + buckets;

    static constexpr std::size_t bucket_of(std::int64_t nanoseconds) noexcept {
        return Times::bucket_of(static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 0)) >> unit_bits);
    }
    // The least time in nanoseconds that is too long for the bucket.
    static constexpr std::uint64_t end_of(std::size_t bucket) noexcept { return Times::end_of(bucket) << unit_bits; }
};

// A tunnel lasts as long as its user likes: exchanges that end with a 1xx have no time.
inline void count_route(Series& series, unsigned status, std::int64_t nanoseconds) noexcept {
    add(series.cell(status < 600 ? status / 100 : 0));
    if (status / 100 != 1) add(series.cell(RouteTraffic::classes + RouteTraffic::bucket_of(nanoseconds)));
}

}  // namespace gateway::telemetry
