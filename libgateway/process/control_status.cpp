#include "libgateway/process/control_status.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <ctime>

#include "libgateway/base/clock.hpp"

namespace gateway::process {

namespace {

json::Value texts(const std::vector<std::string>& list) {
    json::Value array = json::Value::array();
    for (const std::string& text : list) array.push(json::Value(text));
    return array;
}

json::Value record(const ReloadRecord& last) {
    return json::Value::object({{"time", time_text(last.at_ms)},
                                {"by", json::Value(last.by)},
                                {"result", json::Value(last.result)},
                                {"errors", texts(last.errors)},
                                {"warnings", texts(last.warnings)}});
}

WorkerState page_state(const WorkerPage& page) noexcept {
    const std::uint32_t state = page.state.load(std::memory_order_relaxed);
    return state <= static_cast<std::uint32_t>(WorkerState::crashed) ? static_cast<WorkerState>(state)
                                                                     : WorkerState::crashed;
}

config::Digest digest_of(const WorkerPage& page) noexcept {
    return {page.digest_low.load(std::memory_order_relaxed), page.digest_high.load(std::memory_order_relaxed)};
}

std::string address_with(sockaddr_storage address, std::uint16_t port) {
    // The port lies at the same place in both families.
    if (address.ss_family == AF_INET || address.ss_family == AF_INET6)
        reinterpret_cast<sockaddr_in&>(address).sin_port = htons(port);
    return address_text(address);
}

}  // namespace

json::Value time_text(std::int64_t wall_ms) {
    if (wall_ms == 0) return {};
    const std::time_t seconds = wall_ms / 1000;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    return json::Value(std::string(text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)));
}

bool StatusPage::present(std::uint32_t index) const noexcept {
    const WorkerPage& page = pages_[index];
    const WorkerState state = page_state(page);
    return page.pid.load(std::memory_order_relaxed) != 0 && state != WorkerState::stopped &&
           state != WorkerState::crashed;
}

std::string_view StatusPage::state_of(std::uint32_t index) const noexcept {
    const WorkerState state = page_state(pages_[index]);
    if (state == WorkerState::ready && revisions_.lagging_since(index) != 0) return name_of(WorkerState::lagging);
    return name_of(state);
}

std::string StatusPage::not_ready() const {
    if (!situation_.missing.empty()) return situation_.missing;
    if (!situation_.synchronised) return "loading";
    std::uint32_t there = 0, reported = 0;
    std::string first;
    for (std::uint32_t i = 0; i < max_workers; ++i) {
        if (!present(i) || page_state(pages_[i]) == WorkerState::draining) continue;
        ++there;
        const bool has = pages_[i].revision.load(std::memory_order_acquire) != 0;
        reported += has ? 1 : 0;
        if (!first.empty()) continue;
        if (!has) {
            first = fmt::format("worker id: {} has not received configuration", i);
        } else if (revisions_.lagging_since(i) != 0) {
            first = fmt::format("worker id: {} is lagging", i);
        } else if (revisions_.strays(i)) {
            first = fmt::format("worker id: {} does not hold the document of its revision", i);
        }
    }
    if (there < situation_.plan.worker_count)
        return fmt::format("worker count: {} but status report count: {}", situation_.plan.worker_count, reported);
    return first;
}

json::Value StatusPage::workers() const {
    json::Value list = json::Value::array();
    for (std::uint32_t i = 0; i < max_workers; ++i) {
        const WorkerPage& page = pages_[i];
        const std::uint64_t incarnation = page.incarnation.load(std::memory_order_relaxed);
        if (!present(i) && (i >= situation_.plan.worker_count || incarnation == 0)) continue;
        const std::int64_t behind = present(i) ? revisions_.lagging_since(i) : 0;
        const std::int64_t since_ms = behind == 0 ? 0 : wall_ms() - (monotonic_ns() - behind) / 1'000'000;
        list.push(json::Value::object(
            {{"index", i},
             {"pid", page.pid.load(std::memory_order_relaxed)},
             {"state", json::Value(state_of(i))},
             {"incarnation", incarnation},
             {"revision", page.revision.load(std::memory_order_acquire)},
             {"prepared", page.prepared.load(std::memory_order_relaxed)},
             {"digest", json::Value(digest_of(page).text())},
             {"strays", present(i) && revisions_.strays(i)},
             {"connections", page.connections.load(std::memory_order_relaxed)},
             {"upstream_connections", page.upstream_connections.load(std::memory_order_relaxed)},
             {"accepted", page.accepted.load(std::memory_order_relaxed)},
             {"requests", page.requests.load(std::memory_order_relaxed)},
             {"longest_turn_us", page.longest_turn_ns.load(std::memory_order_relaxed) / 1000},
             {"longest_apply_us", page.longest_apply_turn_ns.load(std::memory_order_relaxed) / 1000},
             {"crashes", situation_.crashes[i]},
             {"lagging_since", time_text(since_ms)}}));
    }
    return list;
}

json::Value StatusPage::listeners() const {
    json::Value list = json::Value::array();
    for (std::uint32_t i = 0; i < situation_.plan.listener_count; ++i) {
        const ListenerPlan& listener = situation_.plan.listeners[i];
        const std::uint16_t chosen = situation_.resources.ports[i];
        const std::uint16_t port = chosen != 0 ? chosen : port_of(listener.address);
        list.push(json::Value::object({{"listener", json::Value(std::string(listener.name.view()))},
                                       {"address", json::Value(address_with(listener.address, port))},
                                       {"port", port},
                                       {"proxy_protocol", listener.proxy_protocol != 0},
                                       {"tls", listener.tls != 0}}));
    }
    return list;
}

// Tables of plugins in shared memory, all workers together.
json::Value StatusPage::tables() const {
    json::Value list = json::Value::array();
    for (std::size_t id = 0; id < shm::table_zones.size(); ++id) {
        const shm::Table& table = tables_.table(static_cast<shm::TableId>(id));
        list.push(json::Value::object({{"table", shm::table_zones[id].name},
                                       {"entries", table.entries()},
                                       {"capacity", table.capacity()},
                                       {"evictions", table.evictions()}}));
    }
    return list;
}

json::Value StatusPage::to_json() const {
    const std::string reason = not_ready();
    const bool loading = !situation_.synchronised || !situation_.missing.empty();
    const auto process = [](std::int64_t pid, std::int64_t started) {
        return json::Value::object({{"pid", pid}, {"started", time_text(started)}});
    };
    return json::Value::object(
        {{"version", GATEWAY_VERSION},
         {"state", loading          ? "loading"
                   : reason.empty() ? "ready"
                                    : "degraded"},
         {"not_ready", json::Value(reason)},
         {"revision", revisions_.revision()},
         {"digest", json::Value(revisions_.digest().text())},
         {"source", json::Value(situation_.source)},
         {"store", json::Value(situation_.store)},
         {"store_problem", json::Value(situation_.store_problem)},
         {"trial", json::Value(situation_.trial)},
         {"changed_at", time_text(situation_.changed_ms)},
         {"last_reload", record(situation_.last)},
         {"master", process(::getppid(), static_cast<std::int64_t>(situation_.resources.master_started_ms))},
         {"control", process(::getpid(), situation_.started_ms)},
         {"workers", workers()},
         {"listeners", listeners()},
         {"tables", tables()},
         {"upgrade_note", json::Value(situation_.upgrade_note)},
         {"status_port", situation_.resources.status_port},
         {"metrics_port", situation_.resources.metrics_port},
         {"admin_port", situation_.resources.admin_port},
         {"control_port", situation_.resources.inner_port}});
}

}  // namespace gateway::process
