// The master's process table: what runs in each worker slot, how it is, and when it is started again.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <deque>
#include <optional>

#include "libgateway/base/clock.hpp"
#include "libgateway/process/listening.hpp"
#include "libgateway/process/master_channel.hpp"
#include "libgateway/process/messages.hpp"
#include "libgateway/process/worker_page.hpp"

namespace gateway::process {

inline constexpr std::int64_t ns_per_ms = 1'000'000;
// A heartbeat is written at least every 500 ms; with one turn of the master's loop this steers away in less than 2 s.
inline constexpr std::int64_t lag_after_ns = 1'500 * ns_per_ms;

// Decides how long to wait before a process that died is started again. The first death, and any after five seconds of
// life, costs no wait; each further early death doubles it, from 100 ms up to 30 s.
class CrashBrake {
public:
    // How long to wait now; `lived_ns` of the process that died.
    std::int64_t died(std::int64_t now_ns, std::int64_t lived_ns);
    std::uint32_t in_last_minute(std::int64_t now_ns);

private:
    std::deque<std::int64_t> deaths_;
    std::uint32_t early_ = 0;
};

// What a worker may become; anything else is refused, whatever its page says.
bool may_become(WorkerState from, WorkerState to) noexcept;

enum class Duty : std::uint8_t {
    none,      // the slot is free
    serving,   // started again when it dies
    retiring,  // drains; the slot becomes free when it ends
};

struct WorkerRecord {
    Duty duty = Duty::none;
    bool previous = false;  // runs the binary from before SIGUSR2
    pid_t pid = 0;          // 0: not running
    std::uint64_t incarnation = 0;
    WorkerState state = WorkerState::stopped;
    std::int64_t started_ns = 0;
    std::int64_t start_at_ns = 0;  // with duty serving and pid 0
    std::int64_t kill_at_ns = 0;   // 0: never
    MasterChannel channel;
    CrashBrake brake;
};

// Never resized: records and their slots stay where they are.
class WorkerTable {
public:
    WorkerRecord& operator[](std::size_t slot) noexcept { return records_[slot]; }
    const WorkerRecord& operator[](std::size_t slot) const noexcept { return records_[slot]; }
    std::optional<std::uint32_t> find(pid_t pid) const noexcept;
    std::optional<std::uint32_t> free_slot() const noexcept;
    // Those of this binary with duty serving.
    std::uint32_t serving() const noexcept;
    std::uint32_t ready() const noexcept;
    std::uint32_t running() const noexcept;
    bool any_previous() const noexcept;
    SlotSet live() const noexcept;  // serving and ready: may be given new connections

    // Reads the page of a running worker; the new state, if it changed. Trusts no value: an illegal change is ignored.
    std::optional<WorkerState> observe(std::uint32_t slot, const WorkerPage& page, std::int64_t now_ns) noexcept;

private:
    std::array<WorkerRecord, max_workers> records_;
};

// Zeroes a page but for `incarnation`, and leaves `state` in it. The worker of that page must not run.
void reset_page(WorkerPage& page, WorkerState state, std::uint64_t incarnation) noexcept;

}  // namespace gateway::process
