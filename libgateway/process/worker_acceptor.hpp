// Takes connections from one listening socket of this worker, a few per loop turn, and none while the worker is full.
#pragma once

#include "libgateway/base/task.hpp"
#include "libgateway/net/reactor.hpp"
#include "libgateway/net/wait.hpp"
#include "libgateway/process/plan.hpp"
#include "libgateway/proxy/session.hpp"
#include "libgateway/proxy/site.hpp"

namespace gateway::process {

class Acceptor {
public:
    // `plan.address` names the port as bound.
    Acceptor(proxy::Site& site, UniqueFd socket, const ListenerPlan& plan);
    ~Acceptor();
    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;

    // Nothing new is steered here any more: takes what still waits, and is closed once the queue has stayed empty for a
    // second.
    void retire() noexcept;
    bool closed() const noexcept { return closed_; }
    // Whether it has held back since the last look, because of limits.
    bool paused() const noexcept { return paused_; }

private:
    Task<void> run();
    // What ended a round of accepting.
    enum class Round : std::uint8_t { empty, more, full, failed };
    Round accept_some();

    proxy::Site& site_;
    net::Descriptor listener_;
    net::Sleeper sleeper_;
    const proxy::Manners manners_;
    std::uint16_t port_ = 0;
    bool retiring_ = false, closed_ = false, paused_ = false, stopping_ = false;
    std::int64_t empty_since_ms_ = 0;
};

}  // namespace gateway::process
