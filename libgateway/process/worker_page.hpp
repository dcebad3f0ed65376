// What a worker tells about itself in shared memory: one page each, single writer, read by master, control and
// exporters.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "libgateway/process/debug_page.hpp"
#include "libgateway/process/plan.hpp"

namespace gateway::process {

// Zone "workers" of the segment. The master writes pid, incarnation and state `starting`/`crashed`/`stopped`;
// everything else is the worker's. Zeroed (but for pid history) by the master at a death, before the slot is used
// again.
struct alignas(4096) WorkerPage {
    std::atomic<std::int32_t> pid;
    std::atomic<std::uint32_t> state;  // WorkerState
    std::atomic<std::uint64_t> incarnation;
    std::atomic<std::int64_t> heartbeat_ns;  // CLOCK_MONOTONIC, written each loop turn and at least every 500 ms
    std::atomic<std::uint64_t> revision;     // serving
    std::atomic<std::uint64_t> digest_low, digest_high;  // of that revision; written before `revision`
    std::atomic<std::uint64_t> prepared;                 // newest revision prepared
    std::atomic<std::uint32_t> connections;              // open client connections now
    std::atomic<std::uint32_t> upstream_connections;
    std::atomic<std::uint64_t> requests;  // ended
    std::atomic<std::uint64_t> accepted;
    std::atomic<std::uint64_t> longest_turn_ns;        // of its loop, since start
    std::atomic<std::uint64_t> longest_apply_turn_ns;  // while a delta was prepared or adopted
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

// Zone "control" of the segment.
struct ControlPage {
    std::atomic<std::uint64_t> epoch;  // revision that every prepared worker adopts before its next match
    std::atomic<std::uint64_t> accept_paused;
    DebugPage debug;
    DebugPage ticket_keys;  // of TLS sessions, as tls::TicketKeys::set takes them
};

using WorkerPages = std::array<WorkerPage, max_workers>;
inline constexpr std::string_view workers_zone = "workers", control_zone = "control", metrics_zone = "metrics",
                                  series_zone = "series", routes_zone = "routes";
// Of metrics with labels, per worker slot, unless the plan says otherwise; pages that nobody wrote cost nothing.
inline constexpr std::size_t default_series_size = 15u << 20;
// The part of such a zone that is `index`'s; empty if there is none.
template <class Byte>
std::span<Byte> slot_of(std::span<Byte> zone, std::size_t index) noexcept {
    const std::size_t size = zone.size() / max_workers / 8 * 8;
    return index < max_workers ? zone.subspan(index * size, size) : std::span<Byte>();
}
// Of what is counted by route, per worker slot: room for more than 5,000 routes.
inline constexpr std::size_t routes_page_size = 4u << 20;

}  // namespace gateway::process
