#include "libgateway/process/master.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <exception>

#include "libgateway/base/clock.hpp"
#include "libgateway/base/log.hpp"
#include "libgateway/process/privileges.hpp"

namespace gateway::process {

namespace {

constexpr int busy_turn_ms = 25, quiet_turn_ms = 200;
// How often queues that nobody serves are looked at; longer than a worker takes to empty one and let go of it.
constexpr std::int64_t queue_look_ns = 1'500 * ns_per_ms;

}  // namespace

Master::Master(const Options& options)
    : options_(options),
      program_(program_path(options.arguments.empty() ? "gatewayd" : options.arguments.front())),
      now_ns_(monotonic_ns()),
      started_ms_(static_cast<std::uint64_t>(wall_ms())) {}

int Master::run() {
    raise_open_files(max_workers * max_listeners + 1024);
    if (const std::optional<UpgradeState> handed_over = take_handed_over()) {
        take_over(*handed_over);
    } else {
        start_control();
    }
    reap();  // children that ended while no image of ours was listening
    while (phase_ != Phase::ended) turn();
    return exit_status_;
}

void Master::turn() {
    wait_for_something();
    now_ns_ = monotonic_ns();
    on_signals(signals_.take());
    read_control(control_);
    if (old_control_.channel) read_control(old_control_);
    if (phase_ != Phase::ended) tick();
}

void Master::wait_for_something() {
    std::array<pollfd, 3> events{pollfd{signals_.fd(), POLLIN, 0}, pollfd{control_.channel.fd(), POLLIN, 0},
                                 pollfd{old_control_.channel.fd(), POLLIN, 0}};
    const bool quiet = phase_ == Phase::serving && !taking_over_ && !upgrade_ && workers_.ready() == plan_.worker_count;
    ::poll(events.data(), events.size(), quiet ? quiet_turn_ms : busy_turn_ms);
}

void Master::tick() {
    if (segment_) observe_workers();
    start_what_is_due();
    kill_what_is_late();
    close_withdrawn();
    finish_take_over();
    steer();
    hand_over_queues();
    control_.channel.flush();
    old_control_.channel.flush();
    for (std::size_t slot = 0; slot < max_workers; ++slot) workers_[slot].channel.flush();
    if (phase_ == Phase::stopping_workers && workers_.running() == 0) stop_control();
    if (phase_ == Phase::stopping_control && control_.pid == 0 && old_control_.pid == 0) end();
    tell_systemd();
}

void Master::observe_workers() {
    for (std::uint32_t slot = 0; slot < max_workers; ++slot) {
        const WorkerPage* page = page_of(slot);
        if (!page || workers_[slot].pid == 0) continue;
        const std::optional<WorkerState> changed = workers_.observe(slot, *page, now_ns_);
        if (!changed) continue;
        if (*changed == WorkerState::lagging) log::alert("worker {} (pid {}) lags", slot, workers_[slot].pid);
        report(slot);
    }
}

void Master::start_what_is_due() {
    if (phase_ != Phase::serving) return;
    if (control_.pid == 0 && now_ns_ >= control_.start_at_ns) start_control();
    for (std::uint32_t slot = 0; slot < max_workers; ++slot) {
        const WorkerRecord& record = workers_[slot];
        if (record.duty == Duty::serving && record.pid == 0 && now_ns_ >= record.start_at_ns) start_worker(slot);
    }
}

void Master::kill_what_is_late() {
    for (Control* control : {&control_, &old_control_}) {
        if (control->pid == 0 || control->kill_at_ns == 0 || now_ns_ < control->kill_at_ns) continue;
        ::kill(control->pid, SIGKILL);
        control->kill_at_ns = 0;
    }
    for (std::uint32_t slot = 0; slot < max_workers; ++slot) {
        WorkerRecord& record = workers_[slot];
        if (record.pid == 0 || record.kill_at_ns == 0 || now_ns_ < record.kill_at_ns) continue;
        log::warn("worker {} (pid {}) did not end in time and is killed", slot, record.pid);
        ::kill(record.pid, SIGKILL);
        record.kill_at_ns = 0;
    }
    if (upgrade_) upgrade_->collect();
    if (upgrade_ && now_ns_ >= upgrade_->deadline_ns()) upgrade_->give_up();
}

void Master::steer() {
    SlotSet live = workers_.live();
    if (std::count(live.begin(), live.end(), true) == 0) {
        // Nobody is fit: those who will be are better than those who leave.
        for (std::size_t i = 0; i < max_workers; ++i) live[i] = workers_[i].duty == Duty::serving;
    }
    if (!steer_again_ && live == steered_) return;
    for (const std::unique_ptr<ListeningGroup>& group : groups_) {
        if (!group->steer(live))
            log::warn("new connections of {} cannot be steered", address_text(group->bound().address));
    }
    steered_ = live;
    steer_again_ = false;
}

// Connections in the queue of a free slot go to a worker that is ready: each is accepted once, by whoever comes first.
void Master::hand_over_queues() {
    if (phase_ != Phase::serving || now_ns_ - queues_looked_ns_ < queue_look_ns) return;
    const SlotSet live = workers_.live();
    const auto taker = std::find(live.begin(), live.end(), true);
    if (taker == live.end()) return;
    queues_looked_ns_ = now_ns_;
    MasterChannel& channel = workers_[static_cast<std::size_t>(taker - live.begin())].channel;
    for (const std::unique_ptr<ListeningGroup>& group : groups_) {
        const ListenerPlan bound = group->bound();
        for (std::uint32_t slot = 0; slot < max_workers; ++slot) {
            if (workers_[slot].duty != Duty::none || !group->has_waiting(slot)) continue;
            const int fd = group->fd(slot);
            channel.send(ToWorker::take_queue, group->slot(), {}, bytes_of(bound), {&fd, 1});
        }
    }
}

std::string Master::status_text() const {
    return fmt::format("{} of {} workers ready, revision {}", workers_.ready(), plan_.worker_count, revision_);
}

void Master::tell_systemd() {
    if (phase_ != Phase::serving) return;
    if (!ready_told_ && !taking_over_ && plan_.worker_count > 0 && workers_.ready() == plan_.worker_count) {
        ready_told_ = true;
        notify_.ready(status_text());
    } else if (ready_told_) {
        notify_.status(status_text());
    }
    const SlotSet live = workers_.live();
    const bool any_live = std::count(live.begin(), live.end(), true) > 0;
    if (any_live && (control_.pid > 0 || old_control_.pid > 0)) notify_.watchdog(now_ns_);
}

void Master::on_signals(const SignalsSeen& seen) {
    if (seen.child) reap();
    if (phase_ == Phase::ended) return;
    if (seen.stop) return stop();
    if (seen.quit) return quit();
    if (phase_ != Phase::booting && phase_ != Phase::serving) return;
    pending_reload_ = pending_reload_ || seen.reload;
    ask_for_reload();
    if (phase_ != Phase::serving) return;
    if (seen.reopen) reopen_logs();
    if (seen.upgrade) begin_upgrade();
}

void Master::ask_for_reload() {
    if (!pending_reload_ || !control_.has_resources) return;
    if (!reload_asked_ && !control_.channel.send(ToControl::reload)) return;
    reload_asked_ = true;
    pending_reload_ = false;
}

void Master::reopen_logs() try {
    LogFiles fresh = LogFiles::open(plan_);
    fresh.use_for_master(plan_);
    logs_ = std::move(fresh);
    hand_out_logs(false);
} catch (const std::exception& error) {
    log::error("logs are not reopened, the old ones stay in use: {}", error.what());
}

// After a reopening only files are new; after a change of plan everything may be. Workers are told in any case: plugins
// of theirs keep files too.
void Master::hand_out_logs(bool everything) {
    const UniqueFd nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    const int access = logs_.access() >= 0 ? logs_.access() : nowhere.get();
    const int error = logs_.error() >= 0 ? logs_.error() : 2;
    std::vector<int> fds;
    if (everything || logs_.access_is_file()) fds.push_back(access);
    if (everything || logs_.error_is_file()) fds.push_back(error);
    const bool has_error = everything || logs_.error_is_file();
    const std::uint64_t flags = (fds.size() > (has_error ? 1 : 0) ? 1u : 0u) | (has_error ? 2u : 0u);
    for (std::size_t slot = 0; slot < max_workers; ++slot) {
        if (workers_[slot].pid > 0) workers_[slot].channel.send(ToWorker::reopen_logs, flags, {}, {}, fds);
    }
    for (Control* control : {&control_, &old_control_}) {
        if (has_error && control->has_resources) control->channel.send(ToControl::reopen_logs, 0, {}, {}, {&error, 1});
    }
}

int run_master(const Options& options) try {
    Master master(options);
    return master.run();
} catch (const std::exception& error) {
    std::fprintf(stderr, "gatewayd: %s\n", error.what());
    return 1;
}

}  // namespace gateway::process
