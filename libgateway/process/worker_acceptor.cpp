#include "libgateway/process/worker_acceptor.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "libgateway/base/log.hpp"

namespace gateway::process {

namespace {

constexpr int most_per_turn = 64;
constexpr Milliseconds pause_when_full{50}, retire_look{100};
constexpr std::int64_t retire_quiet_ms = 1000;

}  // namespace

Acceptor::Acceptor(proxy::Site& site, UniqueFd socket, const ListenerPlan& plan)
    : site_(site), sleeper_(site.reactor), manners_{plan.proxy_protocol != 0, plan.tls != 0} {
    net::SocketAddress bound;
    bound.size = sizeof bound.storage;
    if (::getsockname(socket.get(), bound.get(), &bound.size) == 0) port_ = bound.port();
    // Edge-triggered: a queue that is left alone while the worker is full must not keep the loop spinning.
    listener_.open(site.reactor, std::move(socket), net::readable);
    spawn(run());
}

Acceptor::~Acceptor() {
    stopping_ = true;
    sleeper_.cancel();
}

void Acceptor::retire() noexcept {
    retiring_ = true;
    empty_since_ms_ = site_.reactor.now_ms();
    sleeper_.nudge();
}

Acceptor::Round Acceptor::accept_some() {
    for (int taken = 0; taken < most_per_turn; ++taken) {
        if (site_.session_count() >= site_.settings->worker_connections) return Round::full;
        net::SocketAddress peer;
        peer.size = sizeof peer.storage;
        UniqueFd fd(::accept4(listener_.fd(), peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!fd) {
            if (errno == EINTR || errno == ECONNABORTED) continue;
            if (errno == EAGAIN) return Round::empty;
            return Round::failed;
        }
        empty_since_ms_ = site_.reactor.now_ms();
        proxy::Session::start(site_, std::move(fd), peer, port_, manners_);
    }
    return Round::more;
}

Task<void> Acceptor::run() {
    while (!stopping_) {
        const Round round = accept_some();
        const bool held_back = round == Round::full || round == Round::failed;
        if (held_back && !paused_) {
            log::crit("accept paused: {}", round == Round::full ? "worker_connections reached" : std::strerror(errno));
        }
        paused_ = held_back;
        if (retiring_ && round == Round::empty && site_.reactor.now_ms() - empty_since_ms_ >= retire_quiet_ms) break;
        if (round == Round::more) {
            co_await site_.reactor.yield();
        } else if (held_back) {
            co_await sleeper_.pause(pause_when_full);
        } else {
            listener_.clear(net::readable);
            co_await sleeper_.wait(listener_, net::readable, retiring_ ? retire_look : Milliseconds(0));
        }
    }
    closed_ = true;
    if (!stopping_) listener_.close();
}

}  // namespace gateway::process
