#include "libgateway/process/worker.hpp"

#include <signal.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "libgateway/base/log.hpp"
#include "libgateway/process/worker_settings.hpp"
#include "libgateway/proxy/session.hpp"
#include "libgateway/snapshot/graveyard.hpp"

namespace gateway::process {

namespace {

constexpr std::int64_t publish_every_ns = 100'000'000;
constexpr Milliseconds quit_idle{1000};  // how long an idle connection is left alone when the whole gateway ends

WorkerPage& page_of(const WorkerStart& start) {
    return (*start.segment->zone_as<WorkerPages>(workers_zone))[start.index];
}

telemetry::CounterPage& counters_of(const WorkerStart& start) {
    static telemetry::CounterPage none;
    const auto zone = start.segment->zone(metrics_zone);
    const std::size_t stride = zone.size() / max_workers;
    if (stride < sizeof(telemetry::CounterPage)) return none;
    return *reinterpret_cast<telemetry::CounterPage*>(zone.data() + stride * start.index);
}

std::int64_t thread_cpu_ns() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

}  // namespace

Worker::Worker(WorkerStart start)
    : start_(std::move(start)),
      page_(page_of(start_)),
      control_(*start_.segment->zone_as<ControlPage>(control_zone)),
      log_(std::move(start_.access_log), std::move(start_.error_log), counters_of(start_),
           slot_of(start_.segment->zone(routes_zone), start_.index)),
      series_(slot_of(start_.segment->zone(series_zone), start_.index)),
      tables_(*start_.segment, {start_.index, start_.incarnation}) {
    site_ = std::make_unique<proxy::Site>(reactor_, net::ResolverSettings{}, counters_of(start_));
    site_->settings = make_ref<const proxy::Settings>();
    site_->log = &log_;
    site_->shared = &tables_;
    site_->series_page = site_->deliveries.series = &series_;
    config_ = std::make_unique<WorkerConfig>(*site_, start_, page_, control_,
                                             [this](const WorkerSettings& settings) { log_.configure(settings); });
}

// Buried objects still name endpoints of the site.
Worker::~Worker() {
    Graveyard::close();
}

int Worker::run() {
    master_.open(reactor_, std::move(start_.master), net::readable | net::writable);
    page_.heartbeat_ns.store(monotonic_ns(), std::memory_order_relaxed);
    Graveyard::open();
    config_->look_at_debug();
    config_->load_journal();
    config_->begin();
    spawn(obey_master());
    cpu_seen_ns_ = thread_cpu_ns();
    reactor_.run([this](std::int64_t length) { turn(length); });
    page_.state.store(static_cast<std::uint32_t>(WorkerState::stopped), std::memory_order_release);
    return 0;
}

// Traffic is accepted only once there is a configuration: until then connections wait in the queue.
void Worker::turn(std::int64_t length_ns) {
    count_turn(length_ns);
    if (config_->has_configuration() && acceptors_.empty() && !draining_) {
        acceptors_.resize(max_listeners);
        for (std::size_t i = 0; i < start_.listeners.size() && i < acceptors_.size(); ++i) {
            auto& listener = start_.listeners[i];
            if (listener.socket)
                acceptors_[i] = std::make_unique<Acceptor>(*site_, std::move(listener.socket), listener.plan);
        }
        page_.state.store(static_cast<std::uint32_t>(WorkerState::ready), std::memory_order_release);
    }
    site_->adopt_if_new();
    // What can wait does not make a long turn longer.
    const bool was_long = length_ns > 500'000;
    if (!was_long) heap_pages_.tidy();
    const bool clear = Graveyard::dig(std::chrono::microseconds(was_long ? 100 : 500));
    reactor_.set_longest_sleep(!clear ? 1 : draining_ ? 50 : 500);
    const std::int64_t now = reactor_.turn_started_ns() + length_ns;
    if (now - published_ns_ >= publish_every_ns) publish(now);
    if (draining_) finish_if_empty();
}

void Worker::count_turn(std::int64_t length_ns) noexcept {
    if (turns_by_cpu_) {
        const std::int64_t cpu = thread_cpu_ns();
        length_ns = cpu - std::exchange(cpu_seen_ns_, cpu);
    }
    if (length_ns > longest_turn_ns_) {
        longest_turn_ns_ = length_ns;
        page_.longest_turn_ns.store(static_cast<std::uint64_t>(length_ns), std::memory_order_relaxed);
    }
    const auto length = static_cast<std::uint64_t>(length_ns);
    if (config_->worked() && length > page_.longest_apply_turn_ns.load(std::memory_order_relaxed)) {
        page_.longest_apply_turn_ns.store(length, std::memory_order_relaxed);
    }
}

void Worker::publish(std::int64_t now_ns) noexcept {
    published_ns_ = now_ns;
    config_->look_at_debug();
    std::erase_if(queues_, [](const std::unique_ptr<Acceptor>& queue) { return queue->closed(); });
    page_.heartbeat_ns.store(now_ns, std::memory_order_relaxed);
    page_.connections.store(static_cast<std::uint32_t>(site_->session_count()), std::memory_order_relaxed);
    page_.upstream_connections.store(site_->pool.open_connections(), std::memory_order_relaxed);
    page_.requests.store(site_->requests, std::memory_order_relaxed);
    page_.accepted.store(site_->accepted, std::memory_order_relaxed);
    telemetry::CounterPage& counters = site_->counters;
    telemetry::set(counters.log_lines_dropped, log_.dropped());
    telemetry::add(counters.connections_accepted, site_->accepted - told_accepted_);
    told_accepted_ = site_->accepted;
    telemetry::set(counters.connections_active, site_->session_count());
    telemetry::set(counters.requests_active, site_->exchanges_in_use());
}

Task<void> Worker::obey_master() {
    net::Sleeper sleeper(reactor_);
    for (;;) {
        if (!take_orders()) {
            reactor_.stop();
            co_return;
        }
        co_await sleeper.wait(master_, net::readable | net::hangup, Milliseconds(0));
    }
}

bool Worker::take_orders() {
    for (;;) {
        const PacketStatus status = orders_.receive(master_.fd());
        if (status == PacketStatus::again) break;
        if (status != PacketStatus::done) return false;
        take_order();
    }
    master_.clear(net::readable);
    return !master_.has(net::hangup);
}

void Worker::take_order() {
    const MasterHead& head = orders_.head();
    switch (static_cast<ToWorker>(head.type)) {
        case ToWorker::drain:
            begin_drain(Milliseconds(static_cast<std::int64_t>(head.number)), head.text.view() == "quit");
            break;
        case ToWorker::stop:
            reactor_.stop();
            break;
        case ToWorker::reopen_logs: {
            std::size_t at = 0;
            UniqueFd access = head.number & 1 ? orders_.take_fd(at++) : UniqueFd();
            UniqueFd error = head.number & 2 ? orders_.take_fd(at) : UniqueFd();
            log_.reopen(std::move(access), std::move(error));
            site_->deliveries.reopen_files();
            break;
        }
        case ToWorker::add_listener: {
            ListenerPlan plan;
            if (!orders_.body_as(plan) || head.number >= max_listeners) break;
            UniqueFd socket = orders_.take_fd(0);
            if (acceptors_.empty()) {  // not accepting yet: it comes with the others
                if (start_.listeners.size() <= head.number) start_.listeners.resize(head.number + 1);
                start_.listeners[head.number] = {std::move(socket), plan};
            } else if (!draining_) {
                acceptors_[head.number] = std::make_unique<Acceptor>(*site_, std::move(socket), plan);
            }
            break;
        }
        case ToWorker::remove_listener:
            if (head.number < acceptors_.size() && acceptors_[head.number]) acceptors_[head.number]->retire();
            if (acceptors_.empty() && head.number < start_.listeners.size())
                start_.listeners[head.number].socket.reset();
            break;
        case ToWorker::pause_accept:
            break;
        case ToWorker::take_queue:
            take_queue();
            break;
    }
}

void Worker::take_queue() {
    ListenerPlan plan;
    UniqueFd socket = orders_.take_fd(0);
    if (!socket || !orders_.body_as(plan) || !config_->has_configuration()) return;
    queues_.push_back(std::make_unique<Acceptor>(*site_, std::move(socket), plan));
    queues_.back()->retire();
}

bool Worker::accepting() const noexcept {
    const auto open = [](const std::unique_ptr<Acceptor>& one) { return one && !one->closed(); };
    return std::any_of(acceptors_.begin(), acceptors_.end(), open) || std::any_of(queues_.begin(), queues_.end(), open);
}

void Worker::begin_drain(Milliseconds limit, bool quit) {
    quitting_ = quitting_ || quit;
    const std::int64_t until = reactor_.now_ms() + limit.count();
    drain_until_ms_ = draining_ ? std::min(drain_until_ms_, until) : until;
    if (draining_) return;
    draining_ = site_->draining = true;
    page_.state.store(static_cast<std::uint32_t>(WorkerState::draining), std::memory_order_release);
    for (auto& acceptor : acceptors_) {
        if (acceptor) acceptor->retire();
    }
}

// An idle connection of a retired worker stays until its next request (answered with Connection: close) or its
// time-out, so that no request meets a closed door; when the whole gateway ends, a second without a request is enough.
void Worker::finish_if_empty() {
    const std::int64_t now = reactor_.now_ms();
    if (quitting_ && now - idle_checked_ms_ >= 100) {
        idle_checked_ms_ = now;
        site_->close_idle(quit_idle);
    }
    const bool served = !accepting() && site_->session_count() == 0;
    if (served && !site_->deliveries.draining()) {
        site_->laters.drain();
        site_->deliveries.drain();
    }
    if ((served && !site_->deliveries.busy() && !site_->laters.busy()) || now >= drain_until_ms_) reactor_.stop();
}

int run_worker(WorkerStart start) {
    ::signal(SIGPIPE, SIG_IGN);
    Worker worker(std::move(start));
    return worker.run();
}

}  // namespace gateway::process
