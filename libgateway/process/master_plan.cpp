#include <algorithm>
#include <exception>
#include <utility>

#include "libgateway/base/log.hpp"
#include "libgateway/process/master.hpp"
#include "libgateway/process/privileges.hpp"

namespace gateway::process {

namespace {

// Longer than a worker takes to empty its queue (1 s of silence), with room for a busy one.
constexpr std::int64_t withdrawn_life_ns = 5'000 * ns_per_ms;

bool same_settings(const ListenerPlan& a, const ListenerPlan& b) noexcept {
    return a.proxy_protocol == b.proxy_protocol && a.tls == b.tls && a.name == b.name;
}

}  // namespace

struct Master::Change {
    struct Kept {
        ListeningGroup* group;
        ListenerPlan plan;
        std::optional<std::uint32_t> new_slot;  // settings changed, or it had been withdrawn: workers get it anew
    };
    std::vector<Kept> kept;
    std::vector<std::unique_ptr<ListeningGroup>> added;
    std::vector<std::uint32_t> new_workers;
    std::vector<std::uint32_t> taken;                               // listener slots given to `kept` and `added`
    std::vector<std::pair<ListeningGroup*, std::uint32_t>> opened;  // sockets in `kept` for new workers
    std::optional<LogFiles> logs;
    bool committed = false;

    ~Change() {
        if (committed) return;
        // The last first: no other socket of the group changes its place.
        for (auto socket = opened.rbegin(); socket != opened.rend(); ++socket) socket->first->close(socket->second);
    }
};

// Empty: carried out, plan_ is the new one but for what needs a restart. Else why not, and nothing has changed.
std::string Master::adopt_plan(Plan next) try {
    const std::string kept = phase_ == Phase::serving ? needs_restart(plan_, next) : std::string();
    if (!kept.empty()) log::notice("changed settings that take effect after a restart: {}", kept);
    keep_until_restart(plan_, next);
    if (std::string refusal = load_plugins(std::string(next.plugins_dir.view())); !refusal.empty()) return refusal;
    Change change;
    if (std::string refusal = prepare(next, change); !refusal.empty()) {
        steer_again_ = true;  // sockets that were opened and closed again may have changed the order of a group
        return refusal;
    }
    commit(next, change);
    return {};
} catch (const std::exception& error) {
    steer_again_ = true;
    return error.what();
}

std::string Master::prepare(const Plan& next, Change& change) {
    if (std::string refusal = prepare_workers(next, change); !refusal.empty()) return refusal;
    if (std::string refusal = prepare_listeners(next, change); !refusal.empty()) return refusal;
    for (const Change::Kept& kept : change.kept) {
        for (const std::uint32_t worker : change.new_workers) {
            if (kept.group->open(worker)) change.opened.emplace_back(kept.group, worker);
        }
    }
    const bool same_logs = next.access_log == plan_.access_log && next.error_log == plan_.error_log &&
                           next.access_log_enabled == plan_.access_log_enabled;
    if (!same_logs) change.logs = LogFiles::open(next);
    return {};
}

std::string Master::prepare_workers(const Plan& next, Change& change) {
    std::uint32_t count = workers_.serving();
    for (std::uint32_t slot = 0; slot < max_workers && count < next.worker_count; ++slot) {
        if (workers_[slot].duty != Duty::none) continue;
        change.new_workers.push_back(slot);
        ++count;
    }
    if (count >= next.worker_count) return {};
    return fmt::format("worker_processes {}: only {} places are free until retired workers have ended",
                       next.worker_count, count);
}

std::string Master::prepare_listeners(const Plan& next, Change& change) {
    for (std::uint32_t i = 0; i < next.listener_count; ++i) {
        const ListenerPlan& plan = next.listeners[i];
        ListeningGroup* group = find_group(plan);
        if (group && group->closing_at_ns == 0 && same_settings(group->asked(), plan)) {
            change.kept.push_back({group, plan, std::nullopt});
            continue;
        }
        const std::optional<std::uint32_t> slot = next_listener_slot(change);
        if (!slot) return "listeners: no place is free until withdrawn ones have closed";
        change.taken.push_back(*slot);
        if (group) {
            change.kept.push_back({group, plan, slot});
            continue;
        }
        if (std::string refusal = probe(plan); !refusal.empty()) return refusal;
        auto fresh = std::make_unique<ListeningGroup>(plan, *slot, next.reuse_port != 0);
        for (std::uint32_t worker = 0; worker < max_workers; ++worker) {
            if (workers_[worker].duty == Duty::serving) fresh->open(worker);
        }
        for (const std::uint32_t worker : change.new_workers) fresh->open(worker);
        change.added.push_back(std::move(fresh));
    }
    return {};
}

void Master::commit(const Plan& next, Change& change) {
    change.committed = true;
    if (change.logs) {
        change.logs->use_for_master(next);
        logs_ = std::move(*change.logs);
        hand_out_logs(true);
    }
    change_limits(std::exchange(plan_, next));
    for (const std::unique_ptr<ListeningGroup>& group : groups_) {
        const bool stays = std::any_of(change.kept.begin(), change.kept.end(),
                                       [&](const Change::Kept& kept) { return kept.group == group.get(); });
        if (stays || group->closing_at_ns != 0) continue;
        withdraw(group->slot());
        group->closing_at_ns = now_ns_ + withdrawn_life_ns;
    }
    for (const Change::Kept& kept : change.kept) {
        const std::uint32_t before = kept.group->slot();
        const bool was_open = kept.group->closing_at_ns == 0;
        kept.group->closing_at_ns = 0;
        kept.group->rename(kept.plan, kept.new_slot.value_or(before));
        if (!kept.new_slot) continue;
        announce(*kept.group);
        if (was_open) withdraw(before);
    }
    for (std::unique_ptr<ListeningGroup>& group : change.added) {
        announce(*group);
        groups_.push_back(std::move(group));
    }
    for (const std::uint32_t slot : change.new_workers) {
        workers_[slot].duty = Duty::serving;
        workers_[slot].previous = false;
        workers_[slot].start_at_ns = now_ns_;
    }
    for (std::uint32_t slot = max_workers; slot-- > 0 && workers_.serving() > plan_.worker_count;) {
        if (workers_[slot].duty == Duty::serving && !workers_[slot].previous) retire(slot);
    }
    log::set_level(static_cast<LogLevel>(plan_.error_log_level));
    steer_again_ = true;
}

// What the kernel keeps of each worker; those that start later take it from the plan.
void Master::change_limits(const Plan& before) {
    if (std::exchange(told_open_files_, plan_.open_files) != plan_.open_files && !may_open_files(plan_.open_files))
        log::warn("worker_rlimit_nofile {} is above the hard limit, which is taken instead", plan_.open_files);
    for (std::uint32_t slot = 0; slot < max_workers; ++slot) {
        const WorkerRecord& record = workers_[slot];
        if (record.pid == 0 || record.previous) continue;
        raise_open_files(plan_.open_files, record.pid);
        if (plan_.cpu_affinity == before.cpu_affinity) continue;
        plan_.cpu_affinity ? pin_to_cpu(slot, record.pid) : unpin(record.pid);
    }
}

void Master::announce(ListeningGroup& group) {
    const ListenerPlan bound = group.bound();
    for (std::uint32_t worker = 0; worker < max_workers; ++worker) {
        WorkerRecord& record = workers_[worker];
        const int fd = group.fd(worker);
        if (record.duty != Duty::serving || record.pid == 0 || fd < 0) continue;
        record.channel.send(ToWorker::add_listener, group.slot(), {}, bytes_of(bound), {&fd, 1});
    }
}

void Master::withdraw(std::uint32_t listener_slot) {
    for (std::uint32_t worker = 0; worker < max_workers; ++worker) {
        WorkerRecord& record = workers_[worker];
        if (record.pid > 0) record.channel.send(ToWorker::remove_listener, listener_slot);
    }
}

ListeningGroup* Master::find_group(const ListenerPlan& plan) noexcept {
    for (const std::unique_ptr<ListeningGroup>& group : groups_) {
        if (same_place(group->asked(), plan)) return group.get();
    }
    return nullptr;
}

// Goes round, so that a number is not given again while a worker may still be closing the listener it named.
std::optional<std::uint32_t> Master::next_listener_slot(const Change& change) noexcept {
    for (std::size_t tries = 0; tries < max_listeners; ++tries) {
        last_listener_slot_ = (last_listener_slot_ + 1) % max_listeners;
        const bool used = std::any_of(
            groups_.begin(), groups_.end(),
            [&](const std::unique_ptr<ListeningGroup>& group) { return group->slot() == last_listener_slot_; });
        const bool taken = std::count(change.taken.begin(), change.taken.end(), last_listener_slot_) != 0;
        if (!used && !taken) return last_listener_slot_;
    }
    return std::nullopt;
}

void Master::close_withdrawn() {
    for (auto group = groups_.begin(); group != groups_.end();) {
        if ((*group)->closing_at_ns == 0 || now_ns_ < (*group)->closing_at_ns) {
            ++group;
            continue;
        }
        (*group)->close_all();
        group = groups_.erase(group);
    }
}

}  // namespace gateway::process
