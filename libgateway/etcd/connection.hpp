// One HTTP/1.1 connection to a member of etcd, plain or TLS: requests out, answers in, every wait and size bounded.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libgateway/etcd/async.hpp"
#include "libgateway/etcd/failure.hpp"
#include "libgateway/etcd/options.hpp"

namespace gateway::etcd {

// One exchange at a time: open, then send, read_head and read_body until it returns false, as often as reusable() says.
// Everything that waits throws Failure and leaves the connection good for nothing but destruction. close() may be
// called meanwhile; the wait then fails.
class Connection {
public:
    explicit Connection(asio::io_context& loop) : loop_(loop), stream_(loop) {}
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Tries the member's addresses in turn. Certificates are read from their files each time, so new ones need no
    // restart.
    asio::awaitable<void> open(const Member& member, const TlsOptions& tls, Clock::time_point until);
    // POSTs JSON; `token` may be empty.
    asio::awaitable<void> send(std::string path, std::string body, std::string token, Clock::time_point until);
    // The status of the answer.
    asio::awaitable<unsigned> read_head(Clock::time_point until);
    // Appends what comes next of the body; false at its end. When `until` passes, the cause is `idle`.
    asio::awaitable<bool> read_body(std::string& body, Clock::time_point until);
    // The answer was read to its end, and the member keeps the connection.
    bool reusable() const;
    // The other side has not ended the connection, as far as is known here.
    bool alive();
    void close();

private:
    using Answer = boost::beast::http::response_parser<boost::beast::http::buffer_body>;
    asio::awaitable<void> connect(const Member& member, Clock::time_point until);
    asio::awaitable<void> shake_hands(const Member& member, const TlsOptions& tls, Clock::time_point until);
    asio::awaitable<void> read_more(Clock::time_point until);
    std::size_t parse(boost::beast::error_code& error);

    asio::io_context& loop_;
    boost::beast::tcp_stream stream_;
    std::optional<asio::ssl::context> context_;
    std::optional<asio::ssl::stream<boost::beast::tcp_stream&>> tls_;
    std::string name_;    // of the member, for messages
    std::string unread_;  // bytes received and not parsed yet
    std::unique_ptr<Answer> answer_;
};

}  // namespace gateway::etcd
