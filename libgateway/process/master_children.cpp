#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <utility>

#include "libgateway/base/log.hpp"
#include "libgateway/process/master.hpp"
#include "libgateway/process/privileges.hpp"

namespace gateway::process {

namespace {

constexpr std::int64_t retry_ns = 1'000 * ns_per_ms;
// What a worker may need beyond its drain limit to write its logs and go.
constexpr std::int64_t drain_grace_ns = 2'000 * ns_per_ms;

std::string how_it_ended(int status) {
    if (WIFSIGNALED(status)) return fmt::format("ended by signal {}", WTERMSIG(status));
    return fmt::format("ended with status {}", WEXITSTATUS(status));
}

std::string when_again(std::int64_t wait_ns, std::uint32_t deaths) {
    return fmt::format("started again {} ({} in the last minute)",
                       wait_ns == 0 ? std::string("at once") : fmt::format("in {} ms", wait_ns / ns_per_ms), deaths);
}

// Keeps the master's copy of a socket apart from the one that a child takes as its own.
UniqueFd taken(int fd, std::vector<int>& keep) {
    if (fd < 0) return {};
    keep.push_back(fd);
    return UniqueFd(fd);
}

// What a child may not do is told on standard error: its own log does not exist yet.
template <class Run>
[[noreturn]] void run_child(Run run) {
    int status = 1;
    try {
        log::set_sink(nullptr);
        status = run();
    } catch (const std::exception& error) {
        log::alert("process cannot start: {}", error.what());
    }
    std::fflush(nullptr);
    ::_exit(status);  // nothing of the master's may be taken down by the child
}

}  // namespace

void Master::start_control() {
    UniqueFd far = control_.channel.open();
    const int parent = ::getpid();
    const bool drop = must_drop(plan_);
    control_.has_resources = false;
    control_.kill_at_ns = 0;
    control_.started_ns = now_ns_;
    control_.pid = ::fork();
    if (control_.pid == 0) become_control(std::move(far), parent, drop);
    if (control_.pid > 0) return;
    log::alert("control cannot be started: {}", std::strerror(errno));
    control_.pid = 0;
    control_.channel.close();
    control_.start_at_ns = now_ns_ + retry_ns;
    if (phase_ == Phase::booting) fail_boot("cannot start a process");
}

void Master::become_control(UniqueFd channel, int parent, bool drop) {
    run_child([&] {
        std::vector<int> keep{channel.get()};
        ControlStart start;
        start.journal = taken(journal_.get(), keep);
        close_all_but(keep);
        if (phase_ != Phase::booting) raise_open_files(plan_.open_files);
        enter_child(plan_, drop, parent);
        start.options = options_;
        start.master = std::move(channel);
        start.takes_over = taking_over_ && old_control_.pid > 0;
        start.has_plan = phase_ != Phase::booting;
        start.plan = plan_;
        for (std::size_t slot = 0; slot < max_workers; ++slot) {
            start.respawned = start.respawned || (workers_[slot].pid > 0 && !workers_[slot].previous);
        }
        return run_control(std::move(start));
    });
}

void Master::start_worker(std::uint32_t slot) {
    WorkerRecord& record = workers_[slot];
    WorkerPage& page = *page_of(slot);
    record.state = WorkerState::starting;
    record.started_ns = now_ns_;
    record.kill_at_ns = 0;
    reset_page(page, WorkerState::starting, ++record.incarnation);
    UniqueFd far = record.channel.open();
    const int parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) become_worker(slot, std::move(far), parent);
    if (pid < 0) {
        log::alert("worker {} cannot be started: {}", slot, std::strerror(errno));
        record.state = WorkerState::crashed;
        record.channel.close();
        record.start_at_ns = now_ns_ + retry_ns;
        return;
    }
    record.pid = pid;
    page.pid = pid;
    report(slot);
}

void Master::become_worker(std::uint32_t slot, UniqueFd channel, int parent) {
    run_child([&] {
        std::vector<int> keep{channel.get(), segment_->fd()};
        WorkerStart start;
        start.index = slot;
        start.incarnation = workers_[slot].incarnation;
        start.plan = plan_;
        start.listeners.resize(max_listeners);
        for (const std::unique_ptr<ListeningGroup>& group : groups_) {
            if (group->closing_at_ns != 0) continue;
            WorkerListener& listener = start.listeners[group->slot()];
            listener.socket = taken(group->fd(slot), keep);
            listener.plan = group->bound();
        }
        start.channel_address = channel_address_;
        start.journal = taken(journal_.get(), keep);
        start.access_log = taken(logs_.access(), keep);
        start.error_log = taken(logs_.error(), keep);
        start.segment = &*segment_;
        start.master = std::move(channel);
        close_all_but(keep);
        if (plan_.cpu_affinity) pin_to_cpu(slot);
        raise_open_files(plan_.open_files);
        enter_child(plan_, must_drop(plan_), parent);
        return run_worker(std::move(start));
    });
}

void Master::reap() {
    for (;;) {
        int status = 0;
        const pid_t pid = ::waitpid(-1, &status, WNOHANG);
        if (pid <= 0) return;
        if (pid == control_.pid) {
            on_control_end(status);
        } else if (pid == old_control_.pid) {
            on_old_control_end();
        } else if (upgrade_ && pid == upgrade_->pid()) {
            on_upgrade_check(status);
        } else if (const std::optional<std::uint32_t> slot = workers_.find(pid)) {
            on_worker_end(*slot, status);
        }
        // Any other was an orphan that came to us as process 1.
    }
}

void Master::on_control_end(int status) {
    read_control(control_);  // what it said last: a reason
    control_.pid = 0;
    control_.channel.close();
    control_.has_resources = false;
    pending_reload_ = pending_reload_ || std::exchange(reload_asked_, false);
    if (phase_ == Phase::ended || phase_ == Phase::stopping_control || phase_ == Phase::stopping_workers) return;
    if (phase_ == Phase::booting) {
        // It was ended by us, to begin again without rights.
        if (std::exchange(boot_again_, false)) return start_control();
        return fail_boot("control " + how_it_ended(status) + " before it had read the configuration");
    }
    const std::int64_t wait = control_.brake.died(now_ns_, now_ns_ - control_.started_ns);
    control_.start_at_ns = now_ns_ + wait;
    log::alert("control {}; {}", how_it_ended(status), when_again(wait, control_.brake.in_last_minute(now_ns_)));
    if (taking_over_) note("control of the new binary " + how_it_ended(status) + "; the old processes serve on");
    if (reloading_) notify_.ready(status_text());
    reloading_ = false;
}

// Whoever takes its place need not wait for it any longer.
void Master::on_old_control_end() {
    old_control_ = {};
    if (!taking_over_) return;
    control_.start_at_ns = std::min(control_.start_at_ns, now_ns_);
    if (control_.has_resources) control_.channel.send(ToControl::changes, 1);
}

void Master::on_worker_end(std::uint32_t slot, int status) {
    WorkerRecord& record = workers_[slot];
    const bool expected = record.duty == Duty::retiring || phase_ != Phase::serving;
    const bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    const pid_t pid = record.pid;
    record.state = expected && clean ? WorkerState::stopped : WorkerState::crashed;
    record.channel.close();
    if (WorkerPage* page = page_of(slot)) {
        reset_page(*page, record.state, record.incarnation);
        if (tables_) tables_->bury(slot);
    }
    const std::int64_t wait = expected ? 0 : record.brake.died(now_ns_, now_ns_ - record.started_ns);
    report(slot, status);
    record.pid = 0;
    record.kill_at_ns = 0;
    if (expected || record.previous) {
        if (!clean) log::alert("worker {} (pid {}) {} while it was to end", slot, pid, how_it_ended(status));
        return release_slot(slot);
    }
    record.start_at_ns = now_ns_ + wait;
    log::alert("worker {} (pid {}) {}; {}", slot, pid, how_it_ended(status),
               when_again(wait, record.brake.in_last_minute(now_ns_)));
}

// Steers new connections away, then lets it finish. The slot becomes free when it ends.
void Master::retire(std::uint32_t slot) {
    WorkerRecord& record = workers_[slot];
    record.duty = Duty::retiring;
    steer_again_ = true;
    steer();  // before the worker begins to empty its queue
    if (record.pid == 0) return release_slot(slot);
    record.channel.send(ToWorker::drain, plan_.shutdown_timeout_ms);
    record.kill_at_ns = now_ns_ + plan_.shutdown_timeout_ms * ns_per_ms + drain_grace_ns;
}

void Master::release_slot(std::uint32_t slot) {
    workers_[slot].duty = Duty::none;
    workers_[slot].previous = false;
    workers_[slot].brake = {};
    for (const std::unique_ptr<ListeningGroup>& group : groups_) group->release(slot);
    queues_looked_ns_ = 0;
    steer_again_ = true;
}

WorkerPage* Master::page_of(std::uint32_t slot) noexcept {
    if (!segment_ || (segment_is_new_ && workers_[slot].previous)) return nullptr;
    WorkerPages* pages = segment_->zone_as<WorkerPages>(workers_zone);
    return pages ? &(*pages)[slot] : nullptr;
}

}  // namespace gateway::process
