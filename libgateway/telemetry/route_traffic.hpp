// What is counted of each route that answers: statuses by class, and how long exchanges took.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "libgateway/telemetry/series.hpp"

namespace gateway::telemetry {

// The cells of one series of kind `route_traffic`, whose one label is the route's id: six classes (status / 100, [0]:
// no status was sent), then the distribution of times. Its buckets are four to each power of two, from 16 us to 68 s;
// longer ones count as that.
struct RouteTraffic {
    static constexpr unsigned unit_bits = 14, sub_bits = 2, highest_bit = 21;
    static constexpr std::size_t classes = 6;
    static constexpr std::size_t buckets = ((highest_bit - sub_bits) << sub_bits) + (2u << sub_bits);
    static constexpr std::size_t cells = classes + buckets;

    static constexpr std::size_t bucket_of(std::int64_t nanoseconds) noexcept {
        constexpr std::uint64_t largest = (std::uint64_t{2} << highest_bit) - 1;
        const std::uint64_t time = static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 0)) >> unit_bits;
        const std::uint64_t value = std::min(time, largest);
        const unsigned shift = static_cast<unsigned>(std::bit_width(value | ((2u << sub_bits) - 1))) - 1 - sub_bits;
        return (static_cast<std::size_t>(shift) << sub_bits) + static_cast<std::size_t>(value >> shift);
    }
    // The least time in nanoseconds that is too long for the bucket.
    static constexpr std::uint64_t end_of(std::size_t bucket) noexcept {
        const std::size_t shift = bucket < (2u << sub_bits) ? 0 : (bucket >> sub_bits) - 1;
        const std::uint64_t top = bucket - (shift << sub_bits);
        return ((top + 1) << shift) << unit_bits;
    }
};

// A tunnel lasts as long as its user likes: exchanges that end with a 1xx have no time.
inline void count_route(Series& series, unsigned status, std::int64_t nanoseconds) noexcept {
    add(series.cell(status < 600 ? status / 100 : 0));
    if (status / 100 != 1) add(series.cell(RouteTraffic::classes + RouteTraffic::bucket_of(nanoseconds)));
}

}  // namespace gateway::telemetry
