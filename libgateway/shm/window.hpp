// Counting in windows of time on one cell of a table: every decision is one compare-and-swap, without a lock.
#pragma once

#include <cstdint>

#include "libgateway/shm/table.hpp"

namespace gateway::shm {

struct WindowCount {
    bool admitted = false;
    std::uint64_t remaining = 0;  // 0 when not admitted
    std::int64_t reset_ms = 0;    // fixed: until the window ends; sliding: see take_sliding
};

// A window begins with the first request and lasts `window_ms`; requests beyond `limit` count too. Words used: the
// window's end, and one word that holds the count and part of the end, so that a count never lands in another window.
WindowCount take_fixed(Cell& cell, std::uint64_t limit, std::int64_t window_ms, std::uint64_t cost,
                       std::int64_t now_ms) noexcept;

// Windows are aligned to the clock. The previous one weighs as much as the part of it that still lies within one window
// back from now. A request is admitted while that estimate and the current count are below `limit`; others do not
// count. reset_ms: until the window ends, rounded up to 10 ms; when the previous window is what fills the limit, until
// enough of it has gone by. The key should tell windows of different lengths apart.
WindowCount take_sliding(Cell& cell, std::uint64_t limit, std::int64_t window_ms, std::uint64_t cost,
                         std::int64_t now_ms) noexcept;

// The rules of a sliding window, for counters that are kept elsewhere.
struct SlidingView {
    std::uint64_t limit, previous, current;  // previous: not more than the limit counts
    std::int64_t window_ms, left_ms;         // of the current window
    // What the previous window still weighs.
    double part() const noexcept;
    WindowCount refused() const noexcept;
    WindowCount admitted() const noexcept;  // `current` includes the request
};

struct Drip {
    bool admitted = false;
    double excess = 0;  // requests ahead of the rate, this one included
};
// Leaky bucket: `rate` requests a second leave it, `burst` may wait in it. The state is one word: when it will be
// empty.
Drip take_leaky(Cell& cell, double rate, double burst, std::int64_t now_ms) noexcept;

}  // namespace gateway::shm
