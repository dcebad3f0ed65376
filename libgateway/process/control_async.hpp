// Small asynchronous tools of control: one writer at a time, and work on another thread that ends on the loop.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <type_traits>

namespace gateway::process {

namespace asio = boost::asio;
inline constexpr auto quietly = asio::as_tuple(asio::use_awaitable);

// Lets coroutines of one loop through one at a time, in the order they came.
class Turnstile {
public:
    explicit Turnstile(asio::io_context& loop) : loop_(loop) {}

    // Leaves when it goes out of scope.
    class Pass {
    public:
        explicit Pass(Turnstile& owner) noexcept : owner_(&owner) {}
        Pass(Pass&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
        Pass& operator=(Pass&&) = delete;
        ~Pass() {
            if (owner_) owner_->leave();
        }

    private:
        Turnstile* owner_;
    };
    asio::awaitable<Pass> enter() {
        if (!taken_) {
            taken_ = true;
            co_return Pass(*this);
        }
        asio::steady_timer turn(loop_, asio::steady_timer::time_point::max());
        waiting_.push_back(&turn);
        co_await turn.async_wait(quietly);
        co_return Pass(*this);
    }
    bool taken() const noexcept { return taken_; }
    std::size_t waiting() const noexcept { return waiting_.size(); }

private:
    void leave() noexcept {
        if (waiting_.empty()) {
            taken_ = false;
            return;
        }
        asio::steady_timer* next = waiting_.front();
        waiting_.pop_front();
        next->cancel();
    }
    asio::io_context& loop_;
    std::deque<asio::steady_timer*> waiting_;
    bool taken_ = false;
};

namespace detail {
template <class Work, class Result>
asio::awaitable<void> run_work(Work work, std::shared_ptr<std::optional<Result>> result) {
    result->emplace(work());
    co_return;
}
}  // namespace detail

// Runs `work()` on a thread of the pool, or on another loop; goes on, or throws what it threw, on the caller's loop.
// `work` with captures that have destructors is a named variable, moved in: GCC 12 destroys such a temporary of a
// co_await expression twice.
template <class Context, class Work>
asio::awaitable<std::invoke_result_t<Work&>> on_thread(Context& pool, Work work) {
    using Result = std::invoke_result_t<Work&>;
    auto result = std::make_shared<std::optional<Result>>();
    co_await asio::co_spawn(pool, detail::run_work<Work, Result>(std::move(work), result), asio::use_awaitable);
    co_return std::move(**result);
}

}  // namespace gateway::process
