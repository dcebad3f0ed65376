#include "tests/support/demo_upstream/server.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <stdexcept>

#include "libgateway/base/clock.hpp"
#include "tests/support/demo_upstream/websocket.hpp"

namespace gateway::demo {
namespace {

std::int64_t now_ms() {
    return monotonic_ns() / 1'000'000;
}

UniqueFd listen_on(const Settings& settings, std::uint16_t& port) {
    UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(settings.port);
    ::inet_pton(AF_INET, settings.address.c_str(), &address.sin_addr);
    socklen_t size = sizeof address;
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(socket.get(), 4096) != 0 ||
        ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        throw std::runtime_error("cannot listen on " + settings.address + ":" + std::to_string(settings.port) + ": " +
                                 ::strerror(errno));
    }
    port = ntohs(address.sin_port);
    return socket;
}

}  // namespace

Server::Server(Settings settings)
    : settings_(std::move(settings)), epoll_(::epoll_create1(EPOLL_CLOEXEC)), filler_(256 * 1024, 'x') {
    listener_ = listen_on(settings_, port_);
    epoll_event event{EPOLLIN, {.u64 = 0}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), &event);
}

void Server::run() {
    epoll_event events[256];
    for (;;) {
        const int count = ::epoll_wait(epoll_.get(), events, 256, run_timers());
        for (int i = 0; i < count; ++i) {
            const std::uint64_t id = events[i].data.u64;  // by value: the structure is packed
            if (id == 0) {
                accept_clients();
                continue;
            }
            const auto found = clients_.find(id);
            if (found != clients_.end()) on_event(*found->second, events[i].events);
        }
    }
}

void Server::accept_clients() {
    for (int left = 64; left > 0; --left) {
        UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!socket) return;
        const int on = 1;
        ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        auto client = std::make_unique<Client>();
        client->id = next_id_++;
        epoll_event event{EPOLLIN, {.u64 = client->id}};
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.get(), &event);
        client->socket = std::move(socket);
        clients_.emplace(client->id, std::move(client));
    }
}

void Server::on_event(Client& client, unsigned events) {
    const std::uint64_t id = client.id;
    if ((events & EPOLLOUT) != 0) flush(client);
    if (clients_.count(id) == 0) return;
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && read_some(client)) serve(client);
}

bool Server::read_some(Client& client) {
    char block[65536];
    const auto n = ::recv(client.socket.get(), block, sizeof block, 0);
    if (n > 0) {
        client.input.append(block, static_cast<std::size_t>(n));
        return true;
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) drop(client);
    return false;
}

// Answers whole requests in order; stops while one waits for its time or the output is full.
void Server::serve(Client& client) {
    const std::uint64_t id = client.id;
    while (!client.busy && !client.writing && !client.closing && !client.input.empty()) {
        if (client.websocket) {
            client.closing = !echo_frames(client.input, client.output);
            return flush(client);
        }
        std::size_t used = 0;
        bool wants_continue = false;
        const ReadState state = read_request(client.input, client.request, used, wants_continue);
        if (state == ReadState::broken) return drop(client);
        if (state == ReadState::incomplete) {
            if (!wants_continue || client.continued) return;
            client.continued = true;
            client.output += "HTTP/1.1 100 Continue\r\n\r\n";
            return flush(client);
        }
        client.continued = false;
        client.closing = !client.request.keep_alive;
        Answer reply = answer(client.request, settings_.name);
        if (client.request.method == "HEAD") reply = Answer{.head = std::move(reply.head)};
        client.input.erase(0, used);
        if (reply.delay_ms > 0) {
            client.busy = true;
            return at(reply.delay_ms, client.id, std::move(reply));
        }
        start_answer(client, std::move(reply));
        if (clients_.count(id) == 0) return;
    }
}

void Server::start_answer(Client& client, Answer answer) {
    client.output += answer.head;
    client.output += answer.body;
    client.filler = answer.filler;
    client.websocket = answer.websocket;
    if (answer.ticks > 0) {
        client.ticks = answer.ticks;
        client.ticked = 0;
        client.busy = true;
        at(settings_.tick_ms, client.id, Answer{});
    }
    flush(client);
}

void Server::flush(Client& client) {
    while (client.sent < client.output.size() || client.filler > 0) {
        iovec parts[2] = {{client.output.data() + client.sent, client.output.size() - client.sent},
                          {filler_.data(), std::min<std::size_t>(client.filler, filler_.size())}};
        msghdr message{};
        message.msg_iov = parts;
        message.msg_iovlen = 2;
        const auto n = ::sendmsg(client.socket.get(), &message, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) return watch_writes(client, true);
        if (n < 0) return drop(client);
        const auto from_output = std::min<std::size_t>(static_cast<std::size_t>(n), parts[0].iov_len);
        client.sent += from_output;
        client.filler -= static_cast<std::uint64_t>(n) - from_output;
    }
    client.output.clear();
    client.sent = 0;
    if (client.closing && !client.busy) return drop(client);
    const bool resume = client.writing;
    watch_writes(client, false);
    if (resume) serve(client);
}

void Server::drop(Client& client) {
    clients_.erase(client.id);
}

void Server::watch_writes(Client& client, bool on) {
    if (client.writing == on) return;
    client.writing = on;
    epoll_event event{on ? EPOLLOUT : EPOLLIN, {.u64 = client.id}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, client.socket.get(), &event);
}

void Server::at(std::int64_t delay_ms, std::uint64_t client, Answer answer) {
    timers_.emplace(now_ms() + delay_ms, Timer{client, std::move(answer)});
}

// Runs what is due and returns the milliseconds until the next timer, -1 without one.
int Server::run_timers() {
    while (!timers_.empty()) {
        const auto first = timers_.begin();
        const std::int64_t left = first->first - now_ms();
        if (left > 0) return static_cast<int>(left);
        Timer timer = std::move(first->second);
        timers_.erase(first);
        const auto found = clients_.find(timer.client);
        if (found == clients_.end()) continue;
        Client& client = *found->second;
        if (client.ticks > 0) {
            tick(client);
            continue;
        }
        client.busy = false;
        const std::uint64_t id = client.id;
        start_answer(client, std::move(timer.answer));
        if (clients_.count(id) != 0) serve(client);
    }
    return -1;
}

void Server::tick(Client& client) {
    const std::uint64_t id = client.id;
    client.output += event(++client.ticked);
    if (client.ticked < client.ticks) {
        at(settings_.tick_ms, id, Answer{});
    } else {
        client.output += last_chunk;
        client.ticks = 0;
        client.busy = false;
    }
    flush(client);
    if (clients_.count(id) != 0) serve(client);
}

}  // namespace gateway::demo
