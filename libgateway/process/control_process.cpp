#include "libgateway/process/control_process.hpp"

#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "libgateway/base/clock.hpp"
#include "libgateway/base/log_line.hpp"
#include "libgateway/process/scheduling.hpp"

namespace gateway::process {

namespace {

constexpr auto view_life = std::chrono::seconds(60);
constexpr auto poll_interval = std::chrono::seconds(1);
constexpr auto last_answers = std::chrono::milliseconds(300);
// What control has to do never makes a request wait where CPUs are short; it still gets its quarter of a machine that
// is all busy.
constexpr int control_niceness = 5;
constexpr auto control_slice = std::chrono::milliseconds(20);

// The error log once the master has handed it over: one write a line, as every process of the gateway appends to it.
int error_log = -1;

void to_error_log(LogLevel level, std::string_view line) {
    const std::string text = log::line_of(level, line);
    if (::write(error_log, text.data(), text.size()) < 0) return;  // a full disk: there is nowhere to say so
}

// The listeners are numbered by what there is.
Received received_from(PacketReader<MasterHead>& packet) {
    Received received{packet.take_fd(0), packet.take_fd(1), packet.take_fd(2), {}, {}, {}, {}};
    std::size_t at = 3;
    if (packet.head().number & 1) received.status = packet.take_fd(at++);
    if (packet.head().number & 2) received.metrics = packet.take_fd(at++);
    if (packet.head().number & 4) received.admin = packet.take_fd(at++);
    if (packet.head().number & 8) received.inner = packet.take_fd(at);
    return received;
}

}  // namespace

Control::Control(ControlStart start)
    : start_(std::move(start)),
      master_(loop_, std::move(start_.master)),
      catalogue_(start_.options.config_path),
      writes_(loop_),
      master_said_(loop_),
      view_turn_(loop_),
      in_charge_(!start_.takes_over) {
    situation_.started_ms = wall_ms();
}

int Control::run() {
    master_.run([this](PacketReader<MasterHead>& packet) { on_master(packet); }, [this] { loop_.stop(); });
    asio::co_spawn(loop_, boot(), [this](std::exception_ptr error) {
        if (!error) return;
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& why) {
            log::alert("control cannot start: {}", why.what());
        }
        exit_status_ = 1;
        loop_.stop();
    });
    loop_.run();
    builder_.stop();
    store_.finish();
    if (disk_) disk_->flush();
    return exit_status_;
}

void Control::on_master(PacketReader<MasterHead>& packet) {
    switch (static_cast<ToControl>(packet.head().type)) {
        case ToControl::resources:
            if (segment_ || !packet.body_as(situation_.resources)) return;
            attach(received_from(packet));
            break;
        case ToControl::plan_result:
            packet.body_as(situation_.resources);
            plan_answer_ = std::string(packet.head().text.view());
            break;
        case ToControl::reload:
            asio::co_spawn(loop_, on_signal(), asio::detached);
            return;
        case ToControl::worker_event: {
            WorkerEvent event;
            if (packet.body_as(event)) on_worker_event(event);
            return;
        }
        case ToControl::reopen_logs:
            take_error_log(packet.take_fd(0));
            return;
        case ToControl::stop:
            asio::co_spawn(loop_, leave(), asio::detached);
            return;
        case ToControl::changes:
            if (packet.head().number != 0) return take_charge();
            asio::co_spawn(loop_, end_changes(), asio::detached);
            return;
        case ToControl::upgrade_note: {
            situation_.upgrade_note = packet.head().text.view();
            log::warn("upgrade: {}", situation_.upgrade_note);
            return;
        }
    }
    master_said_.cancel();
}

void Control::on_worker_event(const WorkerEvent& event) {
    if (event.index >= max_workers) return;
    situation_.crashes[event.index] = event.crashes;
}

void Control::take_error_log(UniqueFd file) {
    if (!file) return;
    const int before = error_log;
    error_log = file.release();
    log::set_sink(to_error_log);
    if (before >= 0) ::close(before);
}

// Several signals while one reload runs are one more reload.
asio::awaitable<void> Control::on_signal() {
    if (reload_asked_) co_return;
    reload_asked_ = true;
    while (!situation_.synchronised || !in_charge_) {
        asio::steady_timer tick(loop_, std::chrono::milliseconds(20));
        co_await tick.async_wait(quietly);
    }
    while (writes_.taken()) {
        asio::steady_timer tick(loop_, std::chrono::milliseconds(5));
        co_await tick.async_wait(quietly);
    }
    reload_asked_ = false;
    co_await reload("SIGHUP", Catalogue::Files::both);
}

// What has been accepted so far is carried out and brought to disk, where the control of the new binary finds it.
asio::awaitable<void> Control::end_changes() {
    in_charge_ = false;
    {
        const Turnstile::Pass pass = co_await writes_.enter();
        auto flush = [this] {
            if (disk_) disk_->flush();
            return true;
        };
        co_await on_thread(builder_, flush);
    }
    master_.send(ToMaster::changes_ended);
}

void Control::take_charge() {
    in_charge_ = true;
    listen_to_users();
    if (etcd_) asio::co_spawn(loop_, catch_up_later(), asio::detached);
    if (unkept_ && !etcd_) asio::co_spawn(loop_, commit(*std::exchange(unkept_, std::nullopt)), asio::detached);
}

// Questions that were asked are answered; whoever asks from now on waits for the next control.
asio::awaitable<void> Control::leave() {
    if (server_) server_->stop();
    if (status_api_) status_api_->stop();
    if (admin_) admin_->stop();
    if (inner_) inner_->stop();
    asio::steady_timer tick(loop_);
    const auto deadline = std::chrono::steady_clock::now() + last_answers;
    const auto open = [this] { return (server_ ? server_->open() : 0) + (admin_ ? admin_->busy() : 0); };
    while (open() != 0 && std::chrono::steady_clock::now() < deadline) {
        tick.expires_after(std::chrono::milliseconds(2));
        co_await tick.async_wait(quietly);
    }
    loop_.stop();
}

asio::awaitable<void> Control::poll() {
    asio::steady_timer tick(loop_);
    for (;;) {
        tick.expires_after(poll_interval);
        co_await tick.async_wait(quietly);
        tell_master();
        drop_idle_view();
        if (in_charge_) debug_file_->poll();
        if (in_charge_) tickets_->poll();
        if (in_charge_) co_await expire();
        if (in_charge_) co_await watch_trial();
        if (in_charge_ && behind_) co_await catch_up_later();
        if (!in_charge_ || writes_.taken() || !catalogue_.route_file_changed()) continue;
        co_await reload("poll", Catalogue::Files::routes_only);
    }
}

// The revision for systemd's status line; a put a hundred times a second is not worth a message each.
void Control::tell_master() {
    if (told_revision_ == revisions_->revision() || writes_.taken()) return;
    told_revision_ = revisions_->revision();
    master_.send(ToMaster::reload_finished, told_revision_);
}

asio::awaitable<std::shared_ptr<const DocumentView>> Control::view() {
    const Turnstile::Pass pass = co_await view_turn_.enter();
    view_used_ = std::chrono::steady_clock::now();
    if (view_ && view_->revision() == revisions_->revision()) co_return view_;
    forget_view();
    FullDelta document = co_await revisions_->document();
    const ExplainSettings settings = explain_settings(catalogue_.settings());
    auto work = [document = std::move(document), settings]() mutable {
        return std::make_shared<const DocumentView>(std::move(document), settings);
    };
    view_ = co_await on_thread(builder_, std::move(work));
    co_return view_;
}

// It may be large; who asks one question rarely asks another one a minute later.
void Control::drop_idle_view() {
    if (view_ && std::chrono::steady_clock::now() - view_used_ > view_life) forget_view();
}

// Taking down what is large is work, too.
void Control::forget_view() {
    if (view_) asio::post(builder_, [view = std::exchange(view_, nullptr)] {});
}

asio::awaitable<control::Answer> Control::handle(control::Request request) {
    for (const ControlCommand& command : control_commands()) {
        if (command.name != request.command) continue;
        if (!situation_.synchronised && !command.while_loading)
            co_return control::refuse(control::Status::not_ready, "loading");
        if (!in_charge_ && command.changes)
            co_return control::refuse(control::Status::not_ready, "a new binary is starting: try again when it serves");
        control::Answer answer = co_await command.run(*this, request);
        co_return answer;
    }
    co_return control::refuse(control::Status::usage, "unknown command \"" + request.command.substr(0, 64) + "\"");
}

int run_control(ControlStart start) {
    ::signal(SIGPIPE, SIG_IGN);
    step_back(control_niceness, control_slice);
    // Whole documents and journals are read now and then; left to itself, malloc keeps such room once it was given
    // back.
    ::mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    // Never destroyed: coroutines that wait would outlive what they refer to, and the process ends here anyway.
    auto* control = new Control(std::move(start));
    return control->run();
}

}  // namespace gateway::process
