// The data plane's coroutine: lazy, symmetric transfer, frame from the thread's FramePool. One thread only, no
// cancellation of its own: whoever waits for the outside world is resumed by the reactor with a reason (readable,
// hang-up, deadline).
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "libgateway/base/frame_pool.hpp"

namespace gateway {

template <class T>
class Task;

namespace detail {

struct TaskPromiseBase {
    static void* operator new(std::size_t size) { return FramePool::take(size); }
    static void operator delete(void* memory, std::size_t size) noexcept { FramePool::give(memory, size); }

    struct Final {
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> done) const noexcept {
            return done.promise().continuation_;
        }
        void await_resume() const noexcept {}
    };
    std::suspend_always initial_suspend() const noexcept { return {}; }
    Final final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { error_ = std::current_exception(); }

    std::coroutine_handle<> continuation_ = std::noop_coroutine();
    std::exception_ptr error_;
};

template <class T>
struct TaskPromise : TaskPromiseBase {
    Task<T> get_return_object() noexcept;
    template <class U>
    void return_value(U&& value) {
        value_.emplace(std::forward<U>(value));
    }
    T take() {
        if (error_) std::rethrow_exception(error_);
        return std::move(*value_);
    }
    std::optional<T> value_;
};

template <>
struct TaskPromise<void> : TaskPromiseBase {
    Task<void> get_return_object() noexcept;
    void return_void() const noexcept {}
    void take() const {
        if (error_) std::rethrow_exception(error_);
    }
};

}  // namespace detail

// Owns its frame; starts when awaited; destroying an unfinished task destroys its frame and everything in it.
template <class T = void>
class [[nodiscard]] Task {
public:
    using promise_type = detail::TaskPromise<T>;
    using Handle = std::coroutine_handle<promise_type>;

    Task() noexcept = default;
    explicit Task(Handle handle) noexcept : handle_(handle) {}
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Task& operator=(Task&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~Task() {
        if (handle_) handle_.destroy();
    }
    bool valid() const noexcept { return static_cast<bool>(handle_); }

    auto operator co_await() const noexcept {
        struct Awaiter {
            Handle handle;
            bool await_ready() const noexcept { return false; }
            std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) const noexcept {
                handle.promise().continuation_ = waiting;
                return handle;
            }
            T await_resume() const { return handle.promise().take(); }
        };
        return Awaiter{handle_};
    }

private:
    Handle handle_;
};

namespace detail {
template <class T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
    return Task<T>(std::coroutine_handle<TaskPromise<T>>::from_promise(*this));
}
inline Task<void> TaskPromise<void>::get_return_object() noexcept {
    return Task<void>(std::coroutine_handle<TaskPromise<void>>::from_promise(*this));
}

// A coroutine that nobody awaits; its frame frees itself at the end. An exception that reaches it ends the process.
struct Detached {
    struct promise_type {
        static void* operator new(std::size_t size) { return FramePool::take(size); }
        static void operator delete(void* memory, std::size_t size) noexcept { FramePool::give(memory, size); }
        Detached get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
    };
};
}  // namespace detail

// Runs `task` from here until its first wait; from then on the reactor resumes it.
inline void spawn(Task<void> task) {
    [](Task<void> owned) -> detail::Detached { co_await owned; }(std::move(task));
}

}  // namespace gateway
