// What plugins have to do beside the exchanges: at its time, or when the worker leaves.
#pragma once

#include <list>

#include "libgateway/base/task.hpp"
#include "libgateway/net/reactor.hpp"

namespace gateway::proxy {

// One per worker; `reactor` outlives it. Work that has not begun when it is destroyed is dropped.
class Laters {
public:
    explicit Laters(net::Reactor& reactor) noexcept : reactor_(reactor) {}
    Laters(const Laters&) = delete;
    Laters& operator=(const Laters&) = delete;

    // See Services::later.
    bool add(Milliseconds after, Task<void> work);
    // Begins all that waits; takes nothing more.
    void drain();
    bool draining() const noexcept { return draining_; }
    bool busy() const noexcept { return !waiting_.empty() || running_ > 0; }

private:
    struct Later : net::DeadlineNode {
        Later(Laters& all, Task<void> what) noexcept
            : DeadlineNode([](DeadlineNode& node) { static_cast<Later&>(node).begin(); }),
              laters(all),
              work(std::move(what)) {}
        void begin() { laters.begin(self); }
        Laters& laters;
        Task<void> work;
        std::list<Later>::iterator self;
    };
    void begin(std::list<Later>::iterator later);
    static Task<void> run(Laters& laters, Task<void> work);

    net::Reactor& reactor_;
    std::list<Later> waiting_;
    std::size_t running_ = 0;
    bool draining_ = false;
};

}  // namespace gateway::proxy
