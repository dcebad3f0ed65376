// gateway-bare-loop LISTEN-PORT UPSTREAM-PORT: the least that a proxy on Asio sockets and Beast's parser must do, as a
// yardstick. One asio::awaitable per connection, its own upstream connection; GET without bodies, no errors, no limits.
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <string>
#include <string_view>

#include "bench/load/bare_head.hpp"

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::beast::error_code;
using namespace gateway::bench;

constexpr auto waiting = asio::as_tuple(asio::use_awaitable);

// Reads until the head is whole; returns its size, 0 at the end of the connection. `size` counts all bytes read.
template <bool IsRequest, class Parser>
asio::awaitable<std::size_t> read_head(tcp::socket& from, std::array<char, 16384>& block, std::size_t& size,
                                       Parser& parser) {
    size = 0;
    for (;;) {
        const auto [error, got] = co_await from.async_read_some(asio::buffer(block) + size, waiting);
        if (error) co_return 0;
        size += got;
        if (std::string_view(block.data(), size).find("\r\n\r\n") == std::string_view::npos) continue;
        error_code parse_error;
        const std::size_t used = parser.put(asio::buffer(block.data(), size), parse_error);
        co_return parse_error ? 0 : used;
    }
}

asio::awaitable<void> serve(tcp::socket client, std::uint16_t upstream_port) {
    const std::string client_ip = client.remote_endpoint().address().to_string();
    const std::string port = std::to_string(client.local_endpoint().port());
    tcp::socket upstream(client.get_executor());
    client.set_option(tcp::no_delay(true));
    std::array<char, 16384> block;
    std::string head;
    const tcp::endpoint target(asio::ip::address_v4::loopback(), upstream_port);
    if (std::get<0>(co_await upstream.async_connect(target, waiting))) co_return;
    upstream.set_option(tcp::no_delay(true));
    for (;;) {
        std::size_t size = 0;
        HeadParser<true> request;
        if (co_await read_head<true>(client, block, size, request) == 0) co_return;
        write_head(head, request, client_ip, port);
        if (std::get<0>(co_await asio::async_write(upstream, asio::buffer(head), waiting))) co_return;
        HeadParser<false> response;
        const std::size_t used = co_await read_head<false>(upstream, block, size, response);
        if (used == 0) co_return;
        std::uint64_t left = response.content_length().value_or(0) - (size - used);
        if (std::get<0>(co_await asio::async_write(client, asio::buffer(block, size), waiting))) co_return;
        while (left > 0) {
            const auto [error, got] = co_await upstream.async_read_some(asio::buffer(block), waiting);
            if (error) co_return;
            left -= got;
            if (std::get<0>(co_await asio::async_write(client, asio::buffer(block, got), waiting))) co_return;
        }
    }
}

asio::awaitable<void> accept_all(std::uint16_t port, std::uint16_t upstream_port) {
    const auto executor = co_await asio::this_coro::executor;
    tcp::acceptor acceptor(executor, {asio::ip::address_v4::loopback(), port});
    for (;;) {
        auto [error, socket] = co_await acceptor.async_accept(waiting);
        if (!error) asio::co_spawn(executor, serve(std::move(socket), upstream_port), asio::detached);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 64;
    asio::io_context context(1);
    const auto number = [&](int index) { return static_cast<std::uint16_t>(std::atoi(argv[index])); };
    asio::co_spawn(context, accept_all(number(1), number(2)), asio::detached);
    asio::signal_set stop(context, SIGINT, SIGTERM);
    stop.async_wait([&](auto, auto) { context.stop(); });
    context.run();
}
