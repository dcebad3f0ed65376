#include "libgateway/admin/http_server.hpp"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

namespace gateway::admin {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

constexpr auto quietly = asio::as_tuple(asio::use_awaitable);
constexpr auto drain_limit = std::chrono::seconds(2);
constexpr std::size_t most_drained = 16 << 20;
// A long text goes out in pieces with a pause behind each, 32 MiB a second: many megabytes in one go would fill the
// queues that requests of this machine wait in, too.
constexpr std::size_t piece = 65536;
constexpr auto between_pieces = std::chrono::milliseconds(2);

using Message = http::response<http::span_body<const char>>;
using Parser = http::request_parser<http::string_body>;

// Views the reply's body.
Message message_for(const Reply& reply, bool head_only, bool keep_alive) {
    Message message(static_cast<http::status>(reply.status), 11);
    for (const auto& [name, value] : reply.fields) message.insert(name, value);
    if (!has_field(reply, "Cache-Control")) message.set(http::field::cache_control, "no-store");
    message.keep_alive(keep_alive);
    if (reply.status == 304 || reply.status == 204) return message;
    message.set(http::field::content_type, reply.content_type);
    message.content_length(reply.text().size());
    if (!head_only) message.body() = {reply.text().data(), reply.text().size()};
    return message;
}

Request request_of(Parser& parser, const std::string& peer) {
    auto& message = parser.get();
    const auto text = [](auto view) { return std::string(view.data(), view.size()); };
    Request request{text(message.method_string()), text(message.target()), std::move(message.body()), {}, peer};
    for (const auto& field : message) request.fields.emplace_back(text(field.name_string()), text(field.value()));
    return request;
}

std::string peer_of(const tcp::socket& socket) {
    boost::system::error_code error;
    const auto end = socket.remote_endpoint(error);
    return error ? std::string() : end.address().to_string();
}

}  // namespace

class HttpServer::Count {
public:
    explicit Count(HttpServer& server) : server_(server) { ++server_.open_; }
    Count(const Count&) = delete;
    Count& operator=(const Count&) = delete;
    ~Count() {
        --server_.open_;
        server_.room_.cancel();
    }

private:
    HttpServer& server_;
};

// One connection: requests one after the other until somebody ends it.
template <class Stream>
class HttpServer::Session {
public:
    Session(HttpServer& server, Stream& stream, std::string peer)
        : server_(server),
          stream_(stream),
          peer_(std::move(peer)),
          buffer_(server.limits_.head + static_cast<std::size_t>(server.limits_.body)) {}

    asio::awaitable<void> run() {
        for (bool again = true; again && !server_.stopped_;) again = co_await exchange();
    }

private:
    // Whether another request may follow.
    asio::awaitable<bool> exchange() {
        Parser parser;
        parser.header_limit(server_.limits_.head);
        parser.body_limit(boost::none);  // judged below, with the size in the answer
        limit(crowded() ? server_.limits_.idle / 10 : server_.limits_.idle);
        auto [failed, got] = co_await http::async_read_header(stream_, buffer_, parser, quietly);
        if (failed) co_return co_await refuse_if_malformed(failed);
        limit(server_.limits_.request);
        const auto length = parser.content_length();
        if (length && *length > server_.limits_.body) {
            Reply reply = server_.answers_.too_large(*length);
            co_return co_await refuse(std::move(reply));
        }
        parser.body_limit(server_.limits_.body);
        if (!co_await tell_to_go_on(parser)) co_return false;
        auto [broken, rest] = co_await http::async_read(stream_, buffer_, parser, quietly);
        if (broken == http::error::body_limit) {
            Reply reply = server_.answers_.too_large(server_.limits_.body + 1);
            co_return co_await refuse(std::move(reply));
        }
        if (broken) co_return co_await refuse_if_malformed(broken);
        const bool keep_alive = parser.keep_alive() && !server_.stopped_;
        const bool head_only = parser.get().method() == http::verb::head;
        Request request = request_of(parser, peer_);
        // A client that goes away meanwhile does not undo what it asked for.
        const Reply reply = co_await server_.answers_.request(std::move(request));
        const bool sent = co_await send(reply, head_only, keep_alive);
        co_return sent&& keep_alive;
    }

    bool crowded() const noexcept { return server_.open_ * 2 > server_.limits_.connections; }
    void limit(std::chrono::milliseconds time) { beast::get_lowest_layer(stream_).expires_after(time); }

    asio::awaitable<bool> tell_to_go_on(const Parser& parser) {
        if (parser.is_done() || !beast::iequals(parser.get()[http::field::expect], "100-continue")) co_return true;
        http::response<http::empty_body> message(http::status::continue_, 11);
        auto [failed, sent] = co_await http::async_write(stream_, message, quietly);
        co_return !failed;
    }

    asio::awaitable<bool> send(const Reply& reply, bool head_only, bool keep_alive) {
        const Message message = message_for(reply, head_only, keep_alive);
        limit(server_.limits_.reply);
        if (message.body().size() > piece) co_return co_await send_long(message);
        auto [failed, sent] = co_await http::async_write(stream_, message, quietly);
        co_return !failed;
    }

    asio::awaitable<bool> send_long(const Message& message) {
        http::response_serializer<http::span_body<const char>> serializer(message);
        serializer.split(true);
        auto [no_head, head] = co_await http::async_write_header(stream_, serializer, quietly);
        if (no_head) co_return false;
        asio::steady_timer pause(server_.loop_);
        for (std::string_view rest(message.body().data(), message.body().size()); !rest.empty();) {
            limit(server_.limits_.reply);
            const asio::const_buffer next(rest.data(), std::min(rest.size(), piece));
            auto [failed, sent] = co_await asio::async_write(stream_, next, quietly);
            if (failed) co_return false;
            rest.remove_prefix(sent);
            pause.expires_after(between_pieces);
            if (!rest.empty()) co_await pause.async_wait(quietly);
        }
        co_return true;
    }

    // The end of a connection, or bytes that are no HTTP.
    asio::awaitable<bool> refuse_if_malformed(boost::system::error_code why) {
        const bool of_http = why.category() == http::make_error_code(http::error::bad_method).category();
        if (!of_http || why == http::error::end_of_stream || why == http::error::partial_message) co_return false;
        Reply reply = server_.answers_.malformed();
        co_return co_await refuse(std::move(reply));
    }

    // What the client still sends is read for a while, so that it sees the answer before the connection ends.
    asio::awaitable<bool> refuse(Reply reply) {
        if (!co_await send(reply, false, false)) co_return false;
        boost::system::error_code ignored;
        beast::get_lowest_layer(stream_).socket().shutdown(tcp::socket::shutdown_send, ignored);
        limit(drain_limit);
        std::array<char, 16384> block;
        for (std::size_t drained = 0; drained < most_drained;) {
            auto [failed, got] = co_await stream_.async_read_some(asio::buffer(block), quietly);
            if (failed) break;
            drained += got;
        }
        co_return false;
    }

    HttpServer& server_;
    Stream& stream_;
    std::string peer_;
    beast::flat_buffer buffer_;
};

HttpServer::HttpServer(asio::io_context& loop, Answers answers, Limits limits)
    : loop_(loop), answers_(std::move(answers)), limits_(limits), room_(loop) {}

void HttpServer::listen(UniqueFd listener, Tls tls) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const bool known = ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0;
    const tcp protocol = known && address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4();
    tls_ = std::move(tls);
    acceptor_ = std::make_shared<Acceptor>(loop_, protocol, listener.get());
    (void)listener.release();
    asio::co_spawn(loop_, accept(acceptor_), asio::detached);
}

void HttpServer::stop() {
    stopped_ = true;
    boost::system::error_code ignored;
    if (acceptor_) acceptor_->close(ignored);
    acceptor_.reset();
    room_.cancel();
}

asio::awaitable<void> HttpServer::accept(std::shared_ptr<Acceptor> acceptor) {
    while (acceptor->is_open()) {
        if (open_ >= limits_.connections) {
            room_.expires_at(asio::steady_timer::time_point::max());
            co_await room_.async_wait(quietly);
            continue;
        }
        auto [error, socket] = co_await acceptor->async_accept(quietly);
        if (!error && tls_) {
            asio::co_spawn(loop_, serve_tls(std::move(socket), tls_), asio::detached);
        } else if (!error) {
            asio::co_spawn(loop_, serve_plain(std::move(socket)), asio::detached);
        } else if (acceptor->is_open()) {
            // Out of descriptors, most likely: what waits in the queue stays there.
            room_.expires_after(std::chrono::milliseconds(100));
            co_await room_.async_wait(quietly);
        }
    }
}

asio::awaitable<void> HttpServer::serve_plain(tcp::socket socket) {
    const Count count(*this);
    std::string peer = peer_of(socket);
    beast::tcp_stream stream(std::move(socket));
    Session<beast::tcp_stream> session(*this, stream, std::move(peer));
    co_await session.run();
    boost::system::error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

asio::awaitable<void> HttpServer::serve_tls(tcp::socket socket, Tls tls) {
    const Count count(*this);
    std::string peer = peer_of(socket);
    beast::ssl_stream<beast::tcp_stream> stream(beast::tcp_stream(std::move(socket)), *tls);
    beast::get_lowest_layer(stream).expires_after(limits_.request);
    auto [failed] = co_await stream.async_handshake(asio::ssl::stream_base::server, quietly);
    if (failed) co_return;
    Session<beast::ssl_stream<beast::tcp_stream>> session(*this, stream, std::move(peer));
    co_await session.run();
    beast::get_lowest_layer(stream).expires_after(drain_limit);
    co_await stream.async_shutdown(quietly);
}

}  // namespace gateway::admin
