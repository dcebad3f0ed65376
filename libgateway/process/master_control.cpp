#include <signal.h>

#include <algorithm>
#include <cstdio>

#include "libgateway/base/log.hpp"
#include "libgateway/process/master.hpp"
#include "libgateway/process/privileges.hpp"

namespace gateway::process {

namespace {

// A control that closed its end, or sent what is no message, is given this long to end by itself.
constexpr std::int64_t end_grace_ns = 500 * ns_per_ms;
constexpr int most_messages_a_turn = 64;

}  // namespace

void Master::read_control(Control& control) {
    for (int i = 0; i < most_messages_a_turn && control.channel && phase_ != Phase::ended; ++i) {
        const PacketStatus status = reader_.receive(control.channel.fd());
        if (status == PacketStatus::again) return;
        if (status == PacketStatus::done) {
            on_message(control);
            continue;
        }
        if (status == PacketStatus::broken) log::alert("control (pid {}) sent what is no message", control.pid);
        control.channel.close();
        control.has_resources = false;
        control.kill_at_ns = now_ns_ + end_grace_ns;
    }
}

void Master::on_message(Control& control) {
    const MasterHead& head = reader_.head();
    const bool current = &control == &control_;
    switch (static_cast<ToMaster>(head.type)) {
        case ToMaster::plan:
            return on_plan(control);
        case ToMaster::journal:
            if (current && reader_.fd_count() == 1) journal_ = reader_.take_fd(0);
            return;
        case ToMaster::reload_started:
            reloading_ = true;
            if (current) reload_asked_ = false;
            return notify_.reloading();
        case ToMaster::reload_finished:
            if (current) revision_ = head.number;
            if (reloading_ && ready_told_) notify_.ready(status_text());
            reloading_ = false;
            return;
        case ToMaster::boot_failed: {
            std::string text(head.text.view());
            if (phase_ == Phase::booting) return fail_boot(text);
            log::alert("control cannot start: {}", text);
            if (taking_over_) note("new binary: " + text + "; the old processes serve on");
            return;
        }
        case ToMaster::reopen_logs:
            if (phase_ == Phase::serving) reopen_logs();
            return;
        case ToMaster::stop:
            return stop();
        case ToMaster::quit:
            return quit();
        case ToMaster::changes_ended:
            if (!current && control_.pid == 0) control_.start_at_ns = std::min(control_.start_at_ns, now_ns_);
            return;
    }
    log::alert("control (pid {}) sent a message of unknown type {}", control.pid, head.type);
}

void Master::on_plan(Control& control) {
    Plan next;
    if (!reader_.body_as(next)) return answer_plan(control, "plan: of another size");
    if (&control != &control_) return answer_plan(control, "a new binary is starting: try again when it serves");
    if (phase_ != Phase::booting && phase_ != Phase::serving) return answer_plan(control, "the gateway is stopping");
    std::string refusal = check(next);
    if (phase_ == Phase::booting) return refusal.empty() ? on_first_plan(next) : fail_boot(refusal);
    if (refusal.empty()) refusal = adopt_plan(next);
    if (control.has_resources) return answer_plan(control, refusal);
    if (!refusal.empty() && taking_over_) {
        note("new binary: " + refusal + "; the old processes serve on");
        log::alert("new binary: {}; the old processes serve on", refusal);
        ::kill(control.pid, SIGKILL);
        return;
    }
    // A control that was started again goes on with the plan in force, and tells its user why a new one was refused.
    if (!refusal.empty()) answer_plan(control, refusal);
    send_resources(control);
}

void Master::on_first_plan(const Plan& plan) {
    if (must_drop(plan) && !must_drop(plan_)) {
        // Control read the file as root only to learn the user. As that user it reads it again: a file that the user
        // cannot read is an error now, not at the first reload.
        plan_.uid = plan.uid;
        plan_.gid = plan.gid;
        boot_again_ = true;
        ::kill(control_.pid, SIGKILL);
        return;
    }
    if (plan.uid > 0 && ::geteuid() != 0 && plan.uid != ::geteuid())
        log::warn("user: has no effect, since this is not root");
    Plan wanted = plan;
    if (must_drop(plan_)) {
        wanted.uid = plan_.uid;
        wanted.gid = plan_.gid;
    }
    try {
        open_machine(wanted);
        if (const std::string refusal = adopt_plan(wanted); !refusal.empty()) return fail_boot(refusal);
        write_pid_file();
        has_pid_file_ = true;
    } catch (const std::exception& error) {
        return fail_boot(error.what());
    }
    phase_ = Phase::serving;
    send_resources(control_);
}

void Master::answer_plan(Control& control, const std::string& refusal) {
    if (!refusal.empty()) log::error("plan refused, nothing changes: {}", refusal);
    const Resources body = resources();
    control.channel.send(ToControl::plan_result, refusal.empty() ? 0 : 1, refusal, bytes_of(body));
}

void Master::send_resources(Control& control) {
    std::vector<int> fds{segment_->fd(), channel_listener_.get(), control_socket_.get()};
    if (status_listener_) fds.push_back(status_listener_.get());
    if (metrics_listener_) fds.push_back(metrics_listener_.get());
    if (admin_listener_) fds.push_back(admin_listener_.get());
    if (inner_listener_) fds.push_back(inner_listener_.get());
    const Resources body = resources();
    const std::uint64_t which = (status_listener_ ? 1 : 0) | (metrics_listener_ ? 2 : 0) | (admin_listener_ ? 4 : 0) |
                                (inner_listener_ ? 8 : 0);
    control.channel.send(ToControl::resources, which, {}, bytes_of(body), fds);
    control.has_resources = true;
    const int error = logs_.error();
    if (logs_.error_is_file()) control.channel.send(ToControl::reopen_logs, 0, {}, {}, {&error, 1});
    for (std::uint32_t slot = 0; slot < max_workers; ++slot) {
        if (workers_[slot].pid > 0) report(slot);
    }
    ask_for_reload();
}

Resources Master::resources() const {
    Resources body;
    for (std::uint32_t i = 0; i < plan_.listener_count; ++i) {
        for (const std::unique_ptr<ListeningGroup>& group : groups_) {
            if (group->closing_at_ns != 0 || !same_place(group->asked(), plan_.listeners[i])) continue;
            body.ports[i] = port_of(group->bound().address);
        }
    }
    if (status_listener_) body.status_port = bound_port(status_listener_.get());
    if (metrics_listener_) body.metrics_port = bound_port(metrics_listener_.get());
    if (admin_listener_) body.admin_port = bound_port(admin_listener_.get());
    if (inner_listener_) body.inner_port = bound_port(inner_listener_.get());
    body.channel_address = channel_address_;
    body.master_started_ms = started_ms_;
    return body;
}

void Master::report(std::uint32_t slot, int status) {
    WorkerRecord& record = workers_[slot];
    WorkerEvent event;
    event.pid = record.pid;
    event.index = slot;
    event.incarnation = record.incarnation;
    event.state = record.state;
    event.exit_status = status;
    event.crashes = record.brake.in_last_minute(now_ns_);
    if (control_.has_resources) control_.channel.send(ToControl::worker_event, 0, {}, bytes_of(event));
}

// What became of SIGUSR2, to whoever answers gatewayctl now.
void Master::note(const std::string& text) {
    for (Control* control : {&control_, &old_control_}) {
        if (control->has_resources) control->channel.send(ToControl::upgrade_note, 0, text);
    }
}

void Master::fail_boot(const std::string& text) {
    std::fprintf(stderr, "gatewayd: %s\n", text.c_str());
    exit_status_ = 1;
    if (control_.pid > 0) ::kill(control_.pid, SIGKILL);
    end();
}

}  // namespace gateway::process
