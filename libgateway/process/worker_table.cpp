#include "libgateway/process/worker_table.hpp"

#include <algorithm>

namespace gateway::process {

namespace {

constexpr std::int64_t early_life_ns = 5'000 * ns_per_ms;
constexpr std::int64_t first_wait_ns = 100 * ns_per_ms, longest_wait_ns = 30'000 * ns_per_ms;
constexpr std::int64_t minute_ns = 60'000 * ns_per_ms;
constexpr std::size_t states = 6;

// Row: from, column: to, in the order of WorkerState: starting, ready, lagging, draining, stopped, crashed.
constexpr bool transitions[states][states] = {
    {false, true, true, true, true, true},      // starting
    {false, false, true, true, true, true},     // ready
    {false, true, false, true, true, true},     // lagging
    {false, false, false, false, true, true},   // draining
    {true, false, false, false, false, false},  // stopped
    {true, false, false, false, false, false},  // crashed
};

template <class Condition>
std::uint32_t count(const std::array<WorkerRecord, max_workers>& records, Condition condition) noexcept {
    return static_cast<std::uint32_t>(std::count_if(records.begin(), records.end(), condition));
}

}  // namespace

std::int64_t CrashBrake::died(std::int64_t now_ns, std::int64_t lived_ns) {
    deaths_.push_back(now_ns);
    early_ = lived_ns >= early_life_ns ? 0 : early_ + 1;
    if (early_ <= 1) return 0;
    const std::uint32_t doublings = std::min(early_ - 2, 20u);
    return std::min(first_wait_ns << doublings, longest_wait_ns);
}

std::uint32_t CrashBrake::in_last_minute(std::int64_t now_ns) {
    while (!deaths_.empty() && now_ns - deaths_.front() > minute_ns) deaths_.pop_front();
    return static_cast<std::uint32_t>(deaths_.size());
}

bool may_become(WorkerState from, WorkerState to) noexcept {
    const auto row = static_cast<std::size_t>(from), column = static_cast<std::size_t>(to);
    return row < states && column < states && transitions[row][column];
}

std::optional<std::uint32_t> WorkerTable::find(pid_t pid) const noexcept {
    for (std::uint32_t i = 0; i < max_workers; ++i) {
        if (pid > 0 && records_[i].pid == pid) return i;
    }
    return std::nullopt;
}

std::optional<std::uint32_t> WorkerTable::free_slot() const noexcept {
    for (std::uint32_t i = 0; i < max_workers; ++i) {
        if (records_[i].duty == Duty::none) return i;
    }
    return std::nullopt;
}

std::uint32_t WorkerTable::serving() const noexcept {
    return count(records_, [](const WorkerRecord& record) { return record.duty == Duty::serving && !record.previous; });
}

std::uint32_t WorkerTable::ready() const noexcept {
    return count(records_, [](const WorkerRecord& record) {
        return record.duty == Duty::serving && !record.previous && record.state == WorkerState::ready;
    });
}

std::uint32_t WorkerTable::running() const noexcept {
    return count(records_, [](const WorkerRecord& record) { return record.pid > 0; });
}

bool WorkerTable::any_previous() const noexcept {
    return count(records_, [](const WorkerRecord& r) { return r.duty == Duty::serving && r.previous; }) > 0;
}

SlotSet WorkerTable::live() const noexcept {
    SlotSet live{};
    for (std::size_t i = 0; i < max_workers; ++i) {
        live[i] = records_[i].duty == Duty::serving && records_[i].state == WorkerState::ready;
    }
    return live;
}

std::optional<WorkerState> WorkerTable::observe(std::uint32_t slot, const WorkerPage& page,
                                                std::int64_t now_ns) noexcept {
    WorkerRecord& record = records_[slot];
    if (record.pid == 0) return std::nullopt;
    const std::uint32_t raw = page.state.load(std::memory_order_acquire);
    auto next = raw < states ? static_cast<WorkerState>(raw) : record.state;
    const std::int64_t heartbeat = page.heartbeat_ns.load(std::memory_order_relaxed);
    const bool stale = heartbeat != 0 && now_ns - heartbeat > lag_after_ns;
    const bool ready_or_lagging = next == WorkerState::ready || next == WorkerState::lagging;
    if (ready_or_lagging) next = stale ? WorkerState::lagging : WorkerState::ready;
    if (record.duty == Duty::retiring && ready_or_lagging) next = WorkerState::draining;
    if (next == record.state || next == WorkerState::stopped || next == WorkerState::crashed) return std::nullopt;
    if (!may_become(record.state, next)) return std::nullopt;
    record.state = next;
    return next;
}

void reset_page(WorkerPage& page, WorkerState state, std::uint64_t incarnation) noexcept {
    page.pid = 0;
    page.state = static_cast<std::uint32_t>(state);
    page.incarnation = incarnation;
    page.heartbeat_ns = 0;
    page.revision = 0;
    page.digest_low = 0;
    page.digest_high = 0;
    page.prepared = 0;
    page.connections = 0;
    page.upstream_connections = 0;
    page.requests = 0;
    page.accepted = 0;
    page.longest_turn_ns = 0;
    page.longest_apply_turn_ns = 0;
}

}  // namespace gateway::process
