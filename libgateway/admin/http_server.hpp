// The HTTP/1.1 server of control's interfaces: bounded in connections, sizes and time, plain or TLS.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "libgateway/admin/message.hpp"
#include "libgateway/base/unique_fd.hpp"

namespace gateway::admin {

// One loop thread. A body over 64 KiB goes out at 32 MiB a second at most. A client that is slow, silent or hostile
// costs one of `connections` for a limited time; when all are taken, further clients wait in the kernel's queue.
class HttpServer {
public:
    struct Limits {
        unsigned connections = 64;
        std::uint32_t head = 16 << 10;
        std::uint64_t body = 1'572'864;
        std::chrono::milliseconds idle{60'000}, request{30'000}, reply{30'000};
    };
    // Every answer, also those to requests that cannot be read, comes from one of these.
    struct Answers {
        std::function<boost::asio::awaitable<Reply>(Request)> request;
        std::function<Reply(std::uint64_t size)> too_large = [](std::uint64_t) {
            return refuse(400, "the request body is too large");
        };
        std::function<Reply()> malformed = [] { return refuse(400, "malformed request"); };
    };
    using Tls = std::shared_ptr<boost::asio::ssl::context>;

    HttpServer(boost::asio::io_context& loop, Answers answers, Limits limits);
    HttpServer(boost::asio::io_context& loop, Answers answers) : HttpServer(loop, std::move(answers), Limits{}) {}
    // Throws boost::system::system_error if this is no listening TCP socket.
    void listen(UniqueFd listener, Tls tls = nullptr);
    // Connections that come later use this one.
    void use(Tls tls) { tls_ = std::move(tls); }
    // No more connections; those that are open end after the answer that is under way.
    void stop();
    unsigned open() const noexcept { return open_; }

private:
    using Acceptor = boost::asio::ip::tcp::acceptor;
    template <class Stream>
    class Session;
    class Count;
    boost::asio::awaitable<void> accept(std::shared_ptr<Acceptor> acceptor);
    boost::asio::awaitable<void> serve_plain(boost::asio::ip::tcp::socket socket);
    boost::asio::awaitable<void> serve_tls(boost::asio::ip::tcp::socket socket, Tls tls);

    boost::asio::io_context& loop_;
    Answers answers_;
    Limits limits_;
    Tls tls_;
    std::shared_ptr<Acceptor> acceptor_;
    boost::asio::steady_timer room_;  // cancelled when a connection ends
    unsigned open_ = 0;
    bool stopped_ = false;
};

// For probes and scrapers: their requests are small, and they never hold control up for long.
inline HttpServer::Limits limits_of_probes() {
    const std::chrono::seconds time(10);
    return {64, 8 << 10, 1 << 10, time, time, time};
}

}  // namespace gateway::admin
