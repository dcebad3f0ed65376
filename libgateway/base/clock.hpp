// Time as the data plane sees it: one coarse monotonic reading per loop turn, exact readings only where a duration is
// reported.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>

namespace gateway {

using Milliseconds = std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// Nanoseconds of CLOCK_MONOTONIC; about 25 to 45 ns a call, so a few per request at most.
inline std::int64_t monotonic_ns() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}
// Milliseconds since the epoch of the wall clock, coarse (the kernel's tick), cheap.
inline std::int64_t wall_ms() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1'000'000;
}

}  // namespace gateway
