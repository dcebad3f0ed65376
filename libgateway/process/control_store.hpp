// The embedded store as control uses it: on a thread of its own, so that no fsync ever stalls the loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <optional>
#include <string>

#include "libgateway/process/control_async.hpp"
#include "libgateway/store/store.hpp"

namespace gateway::process {

// Loop thread of control, but for what runs in with(). What was asked for is carried out in that order.
class StoreThread {
public:
    // What the file holds; nothing, and problem() says why, if it cannot be used. May be called again.
    asio::awaitable<std::optional<store::Store::Contents>> open(std::string path, store::Limits limits);
    // The same for one that holds a history of objects that are elsewhere: without them.
    asio::awaitable<std::optional<store::Store::Contents>> open_history(std::string path, store::Limits limits);
    bool usable() const noexcept { return store_ != nullptr; }
    // Empty while all is well; else the last failure.
    const std::string& problem() const noexcept { return problem_; }
    // There is to be none: why nothing can be kept.
    void disable(std::string why);

    // Why it was not written; empty: it is on disk.
    asio::awaitable<std::string> commit(store::Store::Write write);
    // work(Store&) on the thread; throws what it throws. The store must be usable.
    template <class Work>
    asio::awaitable<std::invoke_result_t<Work&, store::Store&>> with(Work work) {
        auto store = store_;
        auto run = [store, work = std::move(work)]() mutable { return work(*store); };
        auto result = co_await on_thread(thread_, std::move(run));
        co_return result;
    }
    // Returns when everything asked for before is done.
    void finish() { thread_.join(); }

private:
    using Load = store::Store::Contents (store::Store::*)();
    asio::awaitable<std::optional<store::Store::Contents>> open_with(std::string path, store::Limits limits, Load load);

    std::shared_ptr<store::Store> store_;
    std::string problem_ = "the store has not been opened yet";
    asio::thread_pool thread_{1};
};

}  // namespace gateway::process
