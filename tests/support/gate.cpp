#include "tests/support/gate.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "tests/support/connection.hpp"

namespace gateway::test {
namespace {

void prepare(int socket) {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool forward(int to, const char* bytes, std::size_t size, const Fault& fault) {
    while (size > 0) {
        const std::size_t part = fault.slice > 0 ? std::min(fault.slice, size) : size;
        if (fault.delay.count() > 0) std::this_thread::sleep_for(fault.delay);
        const auto sent = ::send(to, bytes, part, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes += sent;
        size -= static_cast<std::size_t>(sent);
    }
    return true;
}

std::size_t limit_of(const Fault& fault) {
    constexpr auto none = static_cast<std::size_t>(-1);
    return std::min(
        {fault.stall_after.value_or(none), fault.close_after.value_or(none), fault.reset_after.value_or(none)});
}

}  // namespace

Gate::Gate(std::uint16_t target_port)
    : listener_(listen_on_free_port(port_)), target_port_(target_port), acceptor_([this] { accept_all(); }) {}

Gate::~Gate() {
    stopping_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    for (auto& link : links_) {
        cut(link, false);
        link.forth.join();
        link.back.join();
    }
}

void Gate::to_target(Fault fault) {
    const std::scoped_lock lock(mutex_);
    forth_ = fault;
}
void Gate::from_target(Fault fault) {
    const std::scoped_lock lock(mutex_);
    back_ = fault;
}
void Gate::reset_all() {
    const std::scoped_lock lock(mutex_);
    for (auto& link : links_) cut(link, true);
}

void Gate::accept_all() {
    while (!stopping_) {
        UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!client) continue;
        const std::scoped_lock lock(mutex_);
        auto& link = links_.emplace_back();
        ++accepted_;
        prepare(client.get());
        link.client = std::move(client);
        try {
            auto target = connect_to(target_port_);
            link.target = std::move(target).release();
        } catch (const ConnectionError&) {
            links_.pop_back();
            continue;
        }
        link.forth = std::thread(pump, std::ref(link), link.client.get(), link.target.get(), forth_);
        link.back = std::thread(pump, std::ref(link), link.target.get(), link.client.get(), back_);
    }
}

void Gate::pump(Link& link, int from, int to, Fault fault) {
    char block[16384];
    std::size_t left = limit_of(fault);
    for (;;) {
        if (left == 0 && fault.reset_after) return cut(link, true);
        if (left == 0 && fault.close_after) return cut(link, false);
        const auto got = ::recv(from, block, sizeof block, 0);
        if (got < 0) return cut(link, true);
        if (got == 0) {
            ::shutdown(to, SHUT_WR);
            return;
        }
        const auto part = std::min(left, static_cast<std::size_t>(got));
        if (!forward(to, block, part, fault)) return cut(link, true);
        left -= part;
    }
}

// Descriptors stay until the gate goes, so that no thread of the link works on a number that is someone else's by now.
// A reset is AF_UNSPEC's disconnect: it sends RST without closing.
void Gate::cut(Link& link, bool with_reset) {
    if (link.cut.exchange(true)) return;
    for (const int socket : {link.client.get(), link.target.get()}) {
        if (with_reset) {
            const linger now{1, 0};
            ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
            const sockaddr nobody{AF_UNSPEC, {}};
            ::connect(socket, &nobody, sizeof nobody);
        }
        ::shutdown(socket, SHUT_RDWR);
    }
}

}  // namespace gateway::test
