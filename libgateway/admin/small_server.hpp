// A small HTTP/1.1 server of the control process, for probes and scrapers: bounded in connections, sizes and time.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "libgateway/base/unique_fd.hpp"

namespace gateway::admin {

struct SmallReply {
    unsigned status = 200;
    std::string_view content_type = "application/json";  // static text
    std::shared_ptr<const std::string> body;             // never null; may be shared between answers
};

// Loop thread of control. Serves on an inherited listening socket until stop(); at most 64 connections, each with a
// limit on time and size, so that a slow or hostile client holds nothing up.
class SmallServer {
public:
    using Answer = std::function<SmallReply(std::string_view method, std::string_view target)>;
    SmallServer(boost::asio::io_context& loop, Answer answer) : loop_(loop), answer_(std::move(answer)) {}
    // Throws boost::system::system_error if this is no listening TCP socket.
    void listen(UniqueFd listener);
    void stop();

private:
    using Acceptor = boost::asio::ip::tcp::acceptor;
    boost::asio::awaitable<void> accept(std::shared_ptr<Acceptor> acceptor);
    boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket);

    boost::asio::io_context& loop_;
    Answer answer_;
    std::shared_ptr<Acceptor> acceptor_;
    unsigned open_ = 0;
};

}  // namespace gateway::admin
