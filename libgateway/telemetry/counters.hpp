// The metric page of one worker: plain counters in shared memory, written by that worker only, read by control at any
// time.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "libgateway/telemetry/reason.hpp"

namespace gateway::telemetry {

using Counter = std::atomic<std::uint64_t>;

// Plain load and store: there is one writer, so no locked instruction is needed.
inline void add(Counter& counter, std::uint64_t by = 1) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}
inline void subtract(Counter& gauge, std::uint64_t by = 1) noexcept {
    gauge.store(gauge.load(std::memory_order_relaxed) - by, std::memory_order_relaxed);
}
inline void set(Counter& counter, std::uint64_t value) noexcept {
    counter.store(value, std::memory_order_relaxed);
}
inline void raise(Counter& counter, std::uint64_t value) noexcept {
    if (value > counter.load(std::memory_order_relaxed)) set(counter, value);
}
inline std::uint64_t get(const Counter& counter) noexcept {
    return counter.load(std::memory_order_relaxed);
}

enum class AttemptFailure : std::uint8_t { connect, timeout, reset, invalid, count };

// Made of zeroes in shared memory by the master. Survives its worker: a restarted one finds it and goes on counting,
// only gauges are reset (reset_gauges). `version` is stored last, with release, when the page is ready to be read.
struct CounterPage {
    static constexpr std::uint32_t current_version = 3;

    std::atomic<std::uint32_t> version{};
    std::atomic<std::uint32_t> pid{};

    Counter connections_accepted, connections_active, connections_refused, connections_idle;
    Counter requests_started, requests_active;
    std::array<Counter, 6> responses_by_class;  // by status / 100; [0]: no status was sent
    std::array<Counter, reason_count> ended;    // by EndReason
    Counter client_bytes_in, client_bytes_out, upstream_bytes_in, upstream_bytes_out;
    Counter tunnels_active;

    Counter upstream_attempts, upstream_retries, upstream_reused, upstream_connections;
    std::array<Counter, static_cast<std::size_t>(AttemptFailure::count)> attempt_failures;

    Counter config_revision, config_adopted_ms, config_adoptions, config_failures;
    Counter loop_turns, longest_turn_ns;
    Counter turn_peak_ns;     // longest turn since the reader last raised `turn_peak_asked`
    Counter turn_peak_asked;  // written by the reader: a new value asks for a fresh peak
    Counter turn_peak_given;  // the last request that the worker has followed
    Counter accept_stalls, read_stalls, write_stalls;
    Counter buffers_made, log_lines_dropped;
    Counter plugin_throws;  // exceptions out of hooks
};

static_assert(std::is_standard_layout_v<CounterPage> && Counter::is_always_lock_free);

inline void count_response(CounterPage& page, unsigned status, EndReason reason) noexcept {
    add(page.responses_by_class[status < 600 ? status / 100 : 0]);
    add(page.ended[static_cast<std::size_t>(reason)]);
}

inline void count_turn(CounterPage& page, std::uint64_t nanoseconds) noexcept {
    add(page.loop_turns);
    raise(page.longest_turn_ns, nanoseconds);
    const std::uint64_t asked = get(page.turn_peak_asked);
    if (asked != get(page.turn_peak_given)) {
        set(page.turn_peak_ns, 0);
        set(page.turn_peak_given, asked);
    }
    raise(page.turn_peak_ns, nanoseconds);
}

// What a dead worker left behind that counted things alive.
inline void reset_gauges(CounterPage& page) noexcept {
    for (Counter* gauge :
         {&page.connections_active, &page.connections_idle, &page.requests_active, &page.tunnels_active}) {
        set(*gauge, 0);
    }
}

}  // namespace gateway::telemetry
