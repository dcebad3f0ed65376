// gateway-task-loop LISTEN-PORT UPSTREAM-PORT: the bare loop again, on the readiness object and the Task of the data
// plane. The distance from here to the gateway is what routing, chain, pools, limits and counters cost.
#include <memory>

#include "bench/load/bare_head.hpp"
#include "bench/load/sockets.hpp"
#include "libgateway/base/task.hpp"
#include "libgateway/net/reactor.hpp"
#include "libgateway/net/stream.hpp"
#include "libgateway/net/wait.hpp"

namespace {

using namespace gateway;
using namespace gateway::bench;
using net::IoState;

constexpr Milliseconds limit{60'000};

struct Session {
    explicit Session(net::Reactor& reactor) : sleeper(reactor) {}
    net::Sleeper sleeper;
    net::Stream client, upstream;
    std::array<char, 16384> block;
    std::string head, port;
};

// Reads once more into the block; bytes read, 0 when the connection has ended or nothing came within the limit.
Task<std::size_t> read(Session& session, net::Stream& from, std::size_t at) {
    for (;;) {
        const auto got = from.read(std::span(session.block).subspan(at));
        if (got.state == IoState::done) co_return got.bytes;
        if (got.state != IoState::would_block) co_return 0;
        const net::Woke woke = co_await session.sleeper.wait(from.descriptor(), net::readable, limit);
        if (woke != net::Woke::ready) co_return 0;
    }
}

Task<bool> write(Session& session, net::Stream& to, const char* bytes, std::size_t size) {
    while (size > 0) {
        const iovec part{const_cast<char*>(bytes), size};
        const auto sent = to.write(&part, 1);
        if (sent.state == IoState::failed || sent.state == IoState::closed) co_return false;
        bytes += sent.bytes;
        size -= sent.bytes;
        if (size == 0) break;
        const net::Woke woke = co_await session.sleeper.wait(to.descriptor(), net::writable, limit);
        if (woke != net::Woke::ready) co_return false;
    }
    co_return true;
}

// Reads until the head is whole; its size, 0 at the end. `size` counts all bytes read.
template <class Parser>
Task<std::size_t> read_head(Session& session, net::Stream& from, std::size_t& size, Parser& parser) {
    size = 0;
    for (;;) {
        const std::size_t got = co_await read(session, from, size);
        if (got == 0) co_return 0;
        size += got;
        const std::string_view bytes(session.block.data(), size);
        if (bytes.find("\r\n\r\n") == std::string_view::npos) continue;
        boost::beast::error_code error;
        const std::size_t used = parser.put(boost::asio::buffer(bytes.data(), size), error);
        co_return error ? 0 : used;
    }
}

Task<bool> exchange(Session& session) {
    std::size_t size = 0;
    HeadParser<true> request;
    const std::size_t head = co_await read_head(session, session.client, size, request);
    if (head == 0) co_return false;
    write_head(session.head, request, "127.0.0.1", session.port);
    const bool asked = co_await write(session, session.upstream, session.head.data(), session.head.size());
    if (!asked) co_return false;
    HeadParser<false> response;
    const std::size_t used = co_await read_head(session, session.upstream, size, response);
    if (used == 0) co_return false;
    std::uint64_t left = response.content_length().value_or(0) - (size - used);
    for (;;) {
        const bool taken = co_await write(session, session.client, session.block.data(), size);
        if (!taken || left == 0) co_return taken;
        size = co_await read(session, session.upstream, 0);
        if (size == 0) co_return false;
        left -= size;
    }
}

Task<void> serve(std::unique_ptr<Session> session, UniqueFd client, std::uint16_t port, std::uint16_t upstream_port) {
    net::Reactor& reactor = session->sleeper.reactor();
    session->port = std::to_string(port);
    session->client.open(reactor, std::move(client));
    session->upstream.open(reactor, start_connect(upstream_port), 0);
    bool going = true;
    while (going) going = co_await exchange(*session);
}

Task<void> accept_all(net::Reactor& reactor, std::uint16_t port, std::uint16_t upstream_port) {
    net::Descriptor listener;
    net::Sleeper sleeper(reactor);
    listener.open(reactor, listen_on(port), 0, true);
    for (;;) {
        co_await sleeper.wait(listener, net::readable, Milliseconds(0));
        UniqueFd client(::accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        listener.clear(net::readable);
        if (!client) continue;
        no_delay(client.get());
        spawn(serve(std::make_unique<Session>(reactor), std::move(client), port, upstream_port));
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 64;
    const auto number = [&](int index) { return static_cast<std::uint16_t>(std::atoi(argv[index])); };
    net::Reactor reactor;
    spawn(accept_all(reactor, number(1), number(2)));
    reactor.run([](std::int64_t) {});
}
