#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <exception>

#include "libgateway/base/log.hpp"
#include "libgateway/process/master.hpp"

namespace gateway::process {

namespace {

constexpr std::int64_t drain_grace_ns = 2'000 * ns_per_ms;
constexpr std::int64_t stop_limit_ns = 2'000 * ns_per_ms;

}  // namespace

// Every worker finishes what it has; nobody takes new connections. Control goes last: it answers `status` meanwhile.
void Master::quit() {
    if (phase_ == Phase::booting) return stop();
    if (phase_ != Phase::serving) return;
    log::notice("graceful stop: workers drain for at most {} ms", plan_.shutdown_timeout_ms);
    notify_.stopping();
    phase_ = Phase::stopping_workers;
    for (std::uint32_t slot = 0; slot < max_workers; ++slot) {
        WorkerRecord& record = workers_[slot];
        if (record.pid == 0) continue;
        // One that drains already is told as well: from now on its idle connections are worth no waiting.
        const std::int64_t kill_at_ns = now_ns_ + plan_.shutdown_timeout_ms * ns_per_ms + drain_grace_ns;
        const bool sooner = record.duty != Duty::retiring || record.kill_at_ns == 0 || kill_at_ns < record.kill_at_ns;
        record.duty = Duty::retiring;
        record.channel.send(ToWorker::drain, plan_.shutdown_timeout_ms, "quit");
        if (sooner) record.kill_at_ns = kill_at_ns;
    }
    // Our copies go now: a worker's close is to end its queue, so that clients are refused and not kept waiting for
    // nobody.
    for (const std::unique_ptr<ListeningGroup>& group : groups_) group->let_go();
}

void Master::stop() {
    if (phase_ == Phase::booting) {
        if (control_.pid > 0) ::kill(control_.pid, SIGKILL);
        return end();
    }
    if (phase_ == Phase::stopping_control || phase_ == Phase::ended) return;
    log::notice("stop");
    if (phase_ == Phase::serving) notify_.stopping();
    phase_ = Phase::stopping_workers;
    for (std::uint32_t slot = 0; slot < max_workers; ++slot) {
        WorkerRecord& record = workers_[slot];
        if (record.pid == 0) continue;
        record.duty = Duty::retiring;
        record.channel.send(ToWorker::stop);
        record.kill_at_ns = now_ns_ + stop_limit_ns;
    }
    for (const std::unique_ptr<ListeningGroup>& group : groups_) group->let_go();
}

void Master::stop_control() {
    phase_ = Phase::stopping_control;
    for (Control* control : {&control_, &old_control_}) {
        if (control->pid == 0) continue;
        control->kill_at_ns = now_ns_ + stop_limit_ns;
        if (!control->channel.send(ToControl::stop)) ::kill(control->pid, SIGKILL);
    }
}

void Master::end() {
    if (upgrade_) upgrade_->give_up();
    if (control_socket_) ::unlink(std::string(plan_.socket_path.view()).c_str());
    if (has_pid_file_ && !plan_.pid_file.view().empty()) ::unlink(std::string(plan_.pid_file.view()).c_str());
    phase_ = Phase::ended;
}

void Master::begin_upgrade() try {
    if (upgrade_ || taking_over_) return note("a new binary is being tried already");
    std::uint32_t free = 0;
    for (std::size_t slot = 0; slot < max_workers; ++slot) free += workers_[slot].duty == Duty::none;
    if (free < plan_.worker_count) {
        const std::string text =
            fmt::format("new binary: {} free places for {} new workers; wait until old ones have drained", free,
                        plan_.worker_count);
        log::error("{}", text);
        return note(text);
    }
    log::notice("new binary {} is tried", program_);
    upgrade_.emplace(program_, options_.arguments, now_ns_);
} catch (const std::exception& error) {
    log::error("new binary cannot be tried: {}", error.what());
    note(error.what());
}

void Master::on_upgrade_check(int status) {
    const std::string wrong = upgrade_->ended(status);
    upgrade_.reset();
    if (phase_ != Phase::serving) return;
    if (wrong.empty()) return reexecute();
    log::error("{}; nothing changes", wrong);
    note(wrong);
}

UpgradeState Master::state() {
    UpgradeState state;
    state.master = ::getpid();
    state.master_started_ms = started_ms_;
    state.plan = plan_;
    state.lock = lock_.get();
    state.segment = segment_->fd();
    state.journal = journal_.get();
    state.control_socket = control_socket_.get();
    state.status_listener = status_listener_.get();
    state.metrics_listener = metrics_listener_.get();
    state.admin_listener = admin_listener_.get();
    state.inner_listener = inner_listener_.get();
    state.control_pid = control_.pid;
    state.control_channel = control_.channel.fd();
    state.next_listener_slot = last_listener_slot_;
    for (std::uint32_t slot = 0; slot < max_workers; ++slot) {
        const WorkerRecord& record = workers_[slot];
        UpgradeState::Worker& saved = state.workers[slot];
        saved.pid = record.pid;
        saved.channel = record.channel.fd();
        saved.incarnation = record.incarnation;
        saved.kill_at_ns = record.kill_at_ns;
        saved.duty = static_cast<std::uint8_t>(record.duty);
        saved.state = static_cast<std::uint8_t>(record.state);
    }
    for (std::size_t i = 0; i < groups_.size() && i < max_listeners; ++i) state.groups[i] = groups_[i]->save();
    return state;
}

// Returns only if it failed; then nothing has changed.
void Master::reexecute() {
    std::string reason;
    try {
        const UpgradeState handed_over = state();
        const UniqueFd fd = save(handed_over);
        keep_over_exec(handed_over, true);
        log::notice("new binary {} takes over", program_);
        reason = execute(program_, options_.arguments, fd.get());
        keep_over_exec(handed_over, false);
    } catch (const std::exception& error) {
        reason = error.what();
    }
    log::error("{}; nothing changes", reason);
    note(reason);
}

// When every new worker is ready, the old ones drain and the old control goes.
void Master::finish_take_over() {
    if (!taking_over_ || phase_ != Phase::serving || !control_.has_resources) return;
    if (plan_.worker_count == 0 || workers_.ready() < plan_.worker_count) return;
    taking_over_ = false;
    for (std::uint32_t slot = 0; slot < max_workers; ++slot) {
        if (workers_[slot].previous && workers_[slot].duty == Duty::serving) retire(slot);
        // The place of a worker that was dead at the time: its sockets came along, nobody serves them.
        if (workers_[slot].duty == Duty::none) release_slot(slot);
    }
    control_.channel.send(ToControl::changes, 1);
    if (old_control_.pid > 0) {
        old_control_.channel.send(ToControl::stop);
        old_control_.kill_at_ns = now_ns_ + stop_limit_ns;
    }
    log::notice("new binary {} serves", GATEWAY_VERSION);
    note("new binary serves: version " GATEWAY_VERSION);
}

}  // namespace gateway::process
