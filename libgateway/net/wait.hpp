// Awaiting readiness: one coroutine, one or two descriptors, one deadline. Ready flags cost no suspension.
#pragma once

#include <coroutine>
#include <cstdint>

#include "libgateway/net/reactor.hpp"

namespace gateway::net {

// Why a wait ended.
enum class Woke : std::uint8_t { ready, expired, cancelled };

// The waiting side of one coroutine (a session, a probe): reused for every wait of it, so that its deadline is linked
// once. Not movable. Whoever cancels must be in the same thread.
class Sleeper {
public:
    explicit Sleeper(Reactor& reactor) noexcept : reactor_(reactor) {}
    Reactor& reactor() const noexcept { return reactor_; }
    // Ends the wait in progress with Woke::cancelled, and every later one until reset.
    void cancel() noexcept {
        cancelled_ = true;
        if (handle_) wake(Woke::cancelled);
    }
    bool cancelled() const noexcept { return cancelled_; }
    // Ends the wait in progress as if something had become ready.
    void nudge() noexcept { wake(Woke::ready); }
    bool waiting() const noexcept { return static_cast<bool>(handle_); }

    // Waits until `first` shows one of `wanted_first` or `second` (may be null) one of `wanted_second`, at most `limit`
    // (zero: no limit). What became ready is in the descriptors' flags.
    auto wait(Descriptor& first, std::uint8_t wanted_first, Descriptor* second, std::uint8_t wanted_second,
              Milliseconds limit) noexcept {
        return Awaiter{*this, first, second, wanted_first, wanted_second, limit};
    }
    auto wait(Descriptor& descriptor, std::uint8_t wanted, Milliseconds limit) noexcept {
        return wait(descriptor, wanted, nullptr, 0, limit);
    }
    // Waits for `duration` or a cancellation.
    auto pause(Milliseconds duration) noexcept {
        struct Pause {
            Sleeper& sleeper;
            Milliseconds duration;
            bool await_ready() const noexcept { return sleeper.cancelled_; }
            void await_suspend(std::coroutine_handle<> handle) noexcept {
                sleeper.handle_ = handle;
                sleeper.reactor_.arm(sleeper.deadline_, duration);
            }
            Woke await_resume() noexcept { return sleeper.cancelled_ ? Woke::cancelled : Woke::expired; }
        };
        return Pause{*this, duration};
    }

private:
    struct Awaiter {
        Sleeper& sleeper;
        Descriptor& first;
        Descriptor* second;
        std::uint8_t wanted_first, wanted_second;
        Milliseconds limit;

        bool await_ready() const noexcept {
            return sleeper.cancelled_ || first.has(wanted_first) || (second && second->has(wanted_second));
        }
        void await_suspend(std::coroutine_handle<> handle) noexcept {
            sleeper.handle_ = handle;
            sleeper.woke_ = Woke::ready;
            first.watch(&sleeper.waiter_, wanted_first);
            if (second) second->watch(&sleeper.waiter_, wanted_second);
            if (limit.count() > 0) sleeper.reactor_.arm(sleeper.deadline_, limit);
        }
        Woke await_resume() noexcept {
            first.watch(nullptr, 0);
            if (second) second->watch(nullptr, 0);
            sleeper.deadline_.disarm();
            return sleeper.cancelled_ ? Woke::cancelled : sleeper.take();
        }
    };
    struct OwnWaiter : Waiter {
        OwnWaiter(Wake wake, Sleeper& owner) noexcept : Waiter(wake), sleeper(owner) {}
        Sleeper& sleeper;
    };
    struct OwnDeadline : DeadlineNode {
        OwnDeadline(Fired fired, Sleeper& owner) noexcept : DeadlineNode(fired), sleeper(owner) {}
        Sleeper& sleeper;
    };
    void wake(Woke why) noexcept {
        const auto handle = handle_;
        if (!handle) return;
        handle_ = nullptr;
        woke_ = why;
        handle.resume();
    }
    Woke take() noexcept {
        const Woke why = woke_;
        woke_ = Woke::ready;
        return why;
    }

    Reactor& reactor_;
    std::coroutine_handle<> handle_;
    Woke woke_ = Woke::ready;
    bool cancelled_ = false;
    OwnWaiter waiter_{[](Waiter& waiter) { static_cast<OwnWaiter&>(waiter).sleeper.wake(Woke::ready); }, *this};
    OwnDeadline deadline_{[](DeadlineNode& node) { static_cast<OwnDeadline&>(node).sleeper.wake(Woke::expired); },
                          *this};
};

}  // namespace gateway::net
