#include "libgateway/telemetry/log_thread.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/details/log_msg.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "libgateway/telemetry/fd_sink.hpp"

namespace gateway::telemetry {

namespace {

constexpr int beat_ms = 500;
constexpr int blocked_beat_ms = 50;

struct Log {
    Log(std::shared_ptr<LogRing> source, UniqueFd fd, LogThread::Holds kind)
        : ring(std::move(source)), sink(std::move(fd)), holds(kind) {}
    std::shared_ptr<LogRing> ring;
    FdSink sink;
    LogThread::Holds holds;
    std::uint64_t told = 0;  // of those that the ring has dropped
    std::atomic<int> next_fd{-1};
    std::atomic<bool> leaving{false};
    ~Log() { UniqueFd(next_fd.exchange(-1)); }
};

// Messages get their line from spdlog's pattern; finished lines pass as they are.
void hand_over(const LogRecord& record, FdSink& sink) {
    if (record.time_ms == 0) return sink.append(record.text);
    const spdlog::log_clock::time_point time{std::chrono::milliseconds(record.time_ms)};
    const std::string_view level = gateway::name_of(record.level);
    sink.log({time, {}, {level.data(), level.size()}, spdlog::level::info, {record.text.data(), record.text.size()}});
}

void tell_dropped(Log& log) {
    const std::uint64_t dropped = log.ring->dropped();
    if (log.holds != LogThread::Holds::messages || dropped == log.told) return;
    const std::uint64_t fresh = dropped - log.told;
    log.told = dropped;
    const std::string text = std::to_string(fresh) + (fresh == 1 ? " line was dropped" : " lines were dropped") +
                             " here: the log was not written fast enough";
    hand_over({text, wall_ms(), LogLevel::warn}, log.sink);
}

// False if the descriptor would block before the ring was empty.
bool drain(Log& log) {
    if (const int fd = log.next_fd.exchange(-1); fd >= 0) log.sink.replace(UniqueFd(fd));
    LogRecord record;
    for (;;) {
        while (!log.sink.full() && log.ring->front(record)) {
            hand_over(record, log.sink);
            log.ring->pop();
        }
        if (!log.sink.full()) tell_dropped(log);
        if (log.sink.empty()) return true;
        if (!log.sink.write_batch()) return false;
    }
}

}  // namespace

struct LogThread::State {
    std::vector<std::shared_ptr<Log>> numbered;  // of the owner; null: removed
    std::vector<std::shared_ptr<Log>> logs;      // of the thread
    std::vector<std::shared_ptr<Log>> incoming;  // to the thread, under `mutex`
    UniqueFd wake{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    std::atomic<bool> stopping{false};
    std::mutex mutex;
    std::condition_variable ended;
    bool running = false;
    std::thread thread;

    void signal() const noexcept {
        const std::uint64_t one = 1;
        [[maybe_unused]] const ssize_t written = ::write(wake.get(), &one, sizeof one);
    }
    void take_incoming() {
        const std::lock_guard lock(mutex);
        logs.insert(logs.end(), incoming.begin(), incoming.end());
        incoming.clear();
    }
    bool drain_all() {
        take_incoming();
        bool whole = true;
        for (std::size_t i = 0; i < logs.size();) {
            const bool leaving = logs[i]->leaving.load();  // asked before: nothing is written after it is set
            const bool empty = drain(*logs[i]);
            whole &= empty;
            if (leaving && empty) {
                logs.erase(logs.begin() + static_cast<std::ptrdiff_t>(i));
            } else {
                ++i;
            }
        }
        return whole;
    }
    void wait(int milliseconds) const noexcept {
        pollfd entry{wake.get(), POLLIN, 0};
        if (::poll(&entry, 1, milliseconds) <= 0) return;
        std::uint64_t count = 0;
        [[maybe_unused]] const ssize_t taken = ::read(wake.get(), &count, sizeof count);
    }
    void run() {
        for (;;) {
            const bool last = stopping.load();
            const bool whole = drain_all();
            if (last && (whole || given_up.load())) break;
            wait(whole ? beat_ms : blocked_beat_ms);
        }
        const std::lock_guard lock(mutex);
        running = false;
        ended.notify_all();
    }
    std::atomic<bool> given_up{false};
};

LogThread::LogThread() : state_(std::make_shared<State>()) {}

LogThread::~LogThread() {
    stop(Milliseconds(1000));
}

std::size_t LogThread::add(std::shared_ptr<LogRing> ring, UniqueFd fd, Holds holds) {
    ring->wake_by(state_->wake.get());
    auto made = std::make_shared<Log>(std::move(ring), std::move(fd), holds);
    state_->numbered.push_back(made);
    {
        const std::lock_guard lock(state_->mutex);
        state_->incoming.push_back(std::move(made));
    }
    state_->signal();
    return state_->numbered.size() - 1;
}

void LogThread::remove(std::size_t log) {
    if (const std::shared_ptr<Log> leaving = std::exchange(state_->numbered.at(log), nullptr)) {
        leaving->ring->wake_by(-1);
        leaving->leaving = true;
        state_->signal();
    }
}

void LogThread::start() {
    state_->running = true;
    // The signals of the process are none of this thread's business; SIGPIPE stays pending, so write() just fails.
    sigset_t all, before;
    ::sigfillset(&all);
    for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) ::sigdelset(&all, fault);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    state_->thread = std::thread([state = state_] {
        ::pthread_setname_np(::pthread_self(), "log");
        state->run();
    });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void LogThread::reopen(std::size_t log, UniqueFd fd) {
    UniqueFd unused(state_->numbered.at(log)->next_fd.exchange(fd.release()));
    state_->signal();
}

void LogThread::flush() noexcept {
    state_->signal();
}

bool LogThread::stop(Milliseconds patience) {
    if (!state_->thread.joinable()) return true;
    state_->stopping = true;
    state_->signal();
    std::unique_lock lock(state_->mutex);
    const bool whole = state_->ended.wait_for(lock, patience, [this] { return !state_->running; });
    state_->given_up = true;
    lock.unlock();
    for (const auto& log : state_->numbered) {
        if (log) log->ring->wake_by(-1);
    }
    if (whole) {
        state_->thread.join();
    } else {
        state_->signal();
        state_->thread.detach();
    }
    return whole;
}

}  // namespace gateway::telemetry
