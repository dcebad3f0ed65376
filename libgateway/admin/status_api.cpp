#include "libgateway/admin/status_api.hpp"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "libgateway/json/value.hpp"

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

using Message = http::response<http::string_body>;

Message message_for(const http::request<http::string_body>& request, std::string_view not_ready) {
    const auto method = request.method_string();
    const auto target = request.target();
    StatusReply reply = status_reply({method.data(), method.size()}, {target.data(), target.size()}, not_ready);
    Message message(static_cast<http::status>(reply.status), request.version());
    message.set(http::field::server, "gateway/" GATEWAY_VERSION);
    message.set(http::field::content_type, "application/json");
    message.set(http::field::cache_control, "no-store");
    message.keep_alive(request.keep_alive());
    message.content_length(reply.body.size());
    if (request.method() != http::verb::head) message.body() = std::move(reply.body);
    return message;
}

}  // namespace

StatusReply status_reply(std::string_view method, std::string_view target, std::string_view not_ready) {
    const std::string_view path = target.substr(0, target.find('?'));
    if (path != "/status" && path != "/status/ready") return {404, R"({"error_msg":"404 Route Not Found"})"};
    if (method != "GET" && method != "HEAD") return {405, R"({"error_msg":"405 Method Not Allowed"})"};
    if (path == "/status" || not_ready.empty()) return {200, R"({"status":"ok"})"};
    return {503, json::write(json::Value::object({{"status", "error"}, {"error", json::Value(not_ready)}}))};
}

void StatusApi::listen(UniqueFd listener) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const bool known = ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0;
    const tcp protocol = known && address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4();
    acceptor_ = std::make_shared<Acceptor>(loop_, protocol, listener.get());
    (void)listener.release();
    asio::co_spawn(loop_, accept(acceptor_), asio::detached);
}

void StatusApi::stop() {
    boost::system::error_code ignored;
    if (acceptor_) acceptor_->close(ignored);
    acceptor_.reset();
}

asio::awaitable<void> StatusApi::accept(std::shared_ptr<Acceptor> acceptor) {
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

asio::awaitable<void> StatusApi::serve(tcp::socket socket) {
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
        const Message message = message_for(parser.get(), not_ready_());
        stream.expires_after(time_limit);
        const auto [unsent, count_sent] = co_await http::async_write(stream, message, quietly);
        again = !unsent && message.keep_alive();
    }
    boost::system::error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace gateway::admin
