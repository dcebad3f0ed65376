// The worker's readiness object: sockets registered once, edge-triggered, in one epoll descriptor; flags per socket say
// what is possible without asking the kernel. Decides nothing, copies nothing; coroutines wait for flags and do their
// own I/O.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

#include "libgateway/base/clock.hpp"
#include "libgateway/base/unique_fd.hpp"
#include "libgateway/net/deadline.hpp"

namespace gateway::net {

// hangup: the other side sends no more. gone: it takes no more either (a reset, or both halves have ended).
enum Ready : std::uint8_t { readable = 1, writable = 2, hangup = 4, gone = 8 };

// Somebody to be woken when a descriptor it watches shows one of the wanted flags. Called from the loop, never nested.
struct Waiter {
    using Wake = void (*)(Waiter&);
    explicit Waiter(Wake wake) noexcept : wake_(wake) {}
    Wake wake_;
};

class Reactor;

// A non-blocking descriptor registered for its whole life. Not movable: the kernel holds its address.
class Descriptor {
public:
    Descriptor() noexcept = default;
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { close(); }

    // Takes `fd`; `flags`: what is known to be possible already. False (and errno) if the kernel refuses; `fd` is
    // closed then. Level-triggered descriptors (listeners) are watched for reading only.
    bool open(Reactor& reactor, UniqueFd fd, std::uint8_t flags = writable, bool level_triggered = false);
    void close() noexcept;
    // Takes the descriptor out of the loop without closing it, for one that another library will close.
    int release() noexcept;
    int fd() const noexcept { return fd_.get(); }
    bool is_open() const noexcept { return static_cast<bool>(fd_); }

    std::uint8_t flags() const noexcept { return flags_; }
    bool has(std::uint8_t wanted) const noexcept { return (flags_ & wanted) != 0; }
    void clear(std::uint8_t which) noexcept { flags_ = static_cast<std::uint8_t>(flags_ & ~which); }
    void raise(std::uint8_t which) noexcept { flags_ = static_cast<std::uint8_t>(flags_ | which); }
    // One waiter at a time. `interest` 0 and null: nobody.
    void watch(Waiter* waiter, std::uint8_t interest) noexcept {
        waiter_ = waiter;
        interest_ = interest;
    }
    Reactor* reactor() const noexcept { return reactor_; }

private:
    friend class Reactor;
    UniqueFd fd_;
    std::uint8_t flags_ = 0, interest_ = 0;
    Waiter* waiter_ = nullptr;
    Reactor* reactor_ = nullptr;
};

// One per worker thread. Everything here runs in that thread.
class Reactor {
public:
    Reactor();
    Reactor(const Reactor&) = delete;
    Reactor& operator=(const Reactor&) = delete;

    // Runs until stop(). `turn`: called once per loop turn after all events, with the turn's length so far in
    // nanoseconds.
    void run(const std::function<void(std::int64_t)>& turn);
    void stop() noexcept { stopped_ = true; }
    // Longest time the loop may sleep; for heartbeats.
    void set_longest_sleep(std::int64_t milliseconds) noexcept { longest_sleep_ms_ = milliseconds; }

    // Monotonic milliseconds as of this loop turn.
    std::int64_t now_ms() const noexcept { return now_ms_; }
    std::int64_t turn_started_ns() const noexcept { return turn_started_ns_; }
    DeadlineWheel& wheel() noexcept { return wheel_; }
    void arm(DeadlineNode& node, Milliseconds after) noexcept { wheel_.arm(node, now_ms_, after); }

    // Resumes `handle` from the loop, in this turn or the next.
    void post(std::coroutine_handle<> handle) { posted_.push_back(handle); }
    // Resumes `handle` after at least `after`, to the millisecond.
    void post_after(std::coroutine_handle<> handle, Milliseconds after);

    // co_await reactor.yield(): lets everything else that is ready go first.
    auto yield() noexcept {
        struct Awaiter {
            Reactor& reactor;
            bool await_ready() const noexcept { return false; }
            void await_suspend(std::coroutine_handle<> handle) const { reactor.post(handle); }
            void await_resume() const noexcept {}
        };
        return Awaiter{*this};
    }
    auto sleep(Milliseconds duration) noexcept {
        struct Awaiter {
            Reactor& reactor;
            Milliseconds after;
            bool await_ready() const noexcept { return false; }
            void await_suspend(std::coroutine_handle<> handle) const { reactor.post_after(handle, after); }
            void await_resume() const noexcept {}
        };
        return Awaiter{*this, duration};
    }

private:
    friend class Descriptor;
    void forget(Descriptor& descriptor) noexcept;
    void dispatch(epoll_event& event) noexcept;
    void run_posted();
    void run_timers();
    int timeout() const noexcept;

    struct Timer {
        std::int64_t due_ms;
        std::coroutine_handle<> handle;
        bool operator<(const Timer& other) const noexcept { return due_ms > other.due_ms; }
    };
    static constexpr int batch = 256;
    UniqueFd epoll_;
    std::array<epoll_event, batch> events_;
    int event_count_ = 0, event_at_ = 0;
    std::int64_t now_ms_ = 0, turn_started_ns_ = 0, longest_sleep_ms_ = 500;
    bool stopped_ = false;
    DeadlineWheel wheel_;
    std::vector<std::coroutine_handle<>> posted_, running_;
    std::priority_queue<Timer> timers_;
};

}  // namespace gateway::net
