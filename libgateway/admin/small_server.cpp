#include "libgateway/admin/small_server.hpp"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace gateway::admin {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr auto quietly = asio::as_tuple(asio::use_awaitable);
constexpr auto time_limit = std::chrono::seconds(10);
constexpr unsigned most_connections = 64;
constexpr std::uint32_t most_head = 8192;
constexpr std::uint64_t most_body = 1024;

// A long text goes out in pieces with a pause behind each, 32 MiB a second: many megabytes in one go would fill the
// queues that requests of this machine wait in, too.
constexpr std::size_t piece = 65536;
constexpr auto between_pieces = std::chrono::milliseconds(2);

using Message = http::response<http::span_body<const char>>;

asio::awaitable<bool> send_body(beast::tcp_stream& stream, std::string_view rest) {
    asio::steady_timer timer(stream.get_executor());
    while (!rest.empty()) {
        stream.expires_after(time_limit);
        const auto [failed, sent] =
            co_await asio::async_write(stream, asio::const_buffer(rest.data(), std::min(rest.size(), piece)), quietly);
        if (failed) co_return false;
        rest.remove_prefix(sent);
        timer.expires_after(between_pieces);
        if (!rest.empty()) co_await timer.async_wait(quietly);
    }
    co_return true;
}

asio::awaitable<bool> send(beast::tcp_stream& stream, const Message& message) {
    stream.expires_after(time_limit);
    if (message.body().size() <= piece) {
        const auto [failed, sent] = co_await http::async_write(stream, message, quietly);
        co_return !failed;
    }
    http::response_serializer<http::span_body<const char>> serializer(message);
    serializer.split(true);
    const auto [failed, sent] = co_await http::async_write_header(stream, serializer, quietly);
    if (failed) co_return false;
    const bool done = co_await send_body(stream, {message.body().data(), message.body().size()});
    co_return done;
}

// Views the reply's body. HEAD is answered like GET.
Message message_for(const http::request<http::string_body>& request, const SmallReply& reply) {
    Message message(static_cast<http::status>(reply.status), request.version());
    message.set(http::field::server, "gateway/" GATEWAY_VERSION);
    message.set(http::field::content_type, {reply.content_type.data(), reply.content_type.size()});
    message.set(http::field::cache_control, "no-store");
    message.keep_alive(request.keep_alive());
    message.content_length(reply.body->size());
    if (request.method() != http::verb::head) message.body() = {reply.body->data(), reply.body->size()};
    return message;
}

}  // namespace

void SmallServer::listen(UniqueFd listener) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const bool known = ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0;
    const tcp protocol = known && address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4();
    acceptor_ = std::make_shared<Acceptor>(loop_, protocol, listener.get());
    (void)listener.release();
    asio::co_spawn(loop_, accept(acceptor_), asio::detached);
}

void SmallServer::stop() {
    boost::system::error_code ignored;
    if (acceptor_) acceptor_->close(ignored);
    acceptor_.reset();
}

asio::awaitable<void> SmallServer::accept(std::shared_ptr<Acceptor> acceptor) {
    asio::steady_timer pause(loop_);
    while (acceptor->is_open()) {
        auto [error, socket] = co_await acceptor->async_accept(quietly);
        if (!error && open_ < most_connections) {
            asio::co_spawn(loop_, serve(std::move(socket)), asio::detached);
        } else if (error && acceptor->is_open()) {
            // Out of descriptors, most likely: what waits in the queue stays there.
            pause.expires_after(std::chrono::milliseconds(100));
            co_await pause.async_wait(quietly);
        }
    }
}

asio::awaitable<void> SmallServer::serve(tcp::socket socket) {
    struct Count {
        explicit Count(unsigned& all) : open(all) { ++open; }
        ~Count() { --open; }
        unsigned& open;
    } const count(open_);
    beast::tcp_stream stream(std::move(socket));
    beast::flat_buffer buffer(most_head + most_body);
    for (bool again = true; again;) {
        http::request_parser<http::string_body> parser;
        parser.header_limit(most_head);
        parser.body_limit(most_body);
        stream.expires_after(time_limit);
        const auto [failed, bytes] = co_await http::async_read(stream, buffer, parser, quietly);
        if (failed) break;
        const auto method = parser.get().method_string();
        const auto target = parser.get().target();
        const SmallReply reply = answer_({method.data(), method.size()}, {target.data(), target.size()});
        const Message message = message_for(parser.get(), reply);
        again = co_await send(stream, message) && message.keep_alive();
    }
    boost::system::error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace gateway::admin
