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
#include <boost/beast/http/basic_parser.hpp>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::beast::error_code;
using boost::beast::string_view;

constexpr auto waiting = asio::as_tuple(asio::use_awaitable);

// Keeps views of the fields; everything else is the base class's work.
template <bool IsRequest>
class HeadParser : public http::basic_parser<IsRequest> {
public:
    struct Field {
        string_view name, value;
    };
    std::array<Field, 64> fields;
    std::size_t count = 0;
    string_view target;

private:
    void on_request_impl(http::verb, string_view, string_view where, int, error_code&) override { target = where; }
    void on_response_impl(int, string_view, int, error_code&) override {}
    void on_field_impl(http::field, string_view name, string_view value, error_code&) override {
        if (count < fields.size()) fields[count++] = {name, value};
    }
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override { return body.size(); }
    void on_finish_impl(error_code&) override {}
};

void write_head(std::string& out, const HeadParser<true>& request, std::string_view client, std::string_view port) {
    std::string_view host;
    out.assign("GET ").append(request.target).append(" HTTP/1.1\r\n");
    for (std::size_t i = 0; i < request.count; ++i) {
        const auto& [name, value] = request.fields[i];
        if (boost::beast::iequals(name, "host")) host = {value.data(), value.size()};
        if (boost::beast::iequals(name, "connection")) continue;
        out.append(name).append(": ").append(value).append("\r\n");
    }
    out.append("X-Real-IP: ").append(client).append("\r\nX-Forwarded-For: ").append(client);
    out.append("\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: ").append(host);
    out.append("\r\nX-Forwarded-Port: ").append(port).append("\r\n\r\n");
}

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
