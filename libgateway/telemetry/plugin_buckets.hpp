// Bounds of the histograms of time per plugin.
#pragma once

#include <array>
#include <cstdint>

namespace gateway::telemetry {

// Nanoseconds: 1 us to 10 s, three a decade.
inline constexpr std::array<std::uint64_t, 22> plugin_time_bounds{
    1'000,       2'000,       5'000,         10'000,        20'000,        50'000,        100'000,    200'000,
    500'000,     1'000'000,   2'000'000,     5'000'000,     10'000'000,    20'000'000,    50'000'000, 100'000'000,
    200'000'000, 500'000'000, 1'000'000'000, 2'000'000'000, 5'000'000'000, 10'000'000'000};

}  // namespace gateway::telemetry
