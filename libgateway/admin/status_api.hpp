// The Status API: whether this gateway lives and whether it is ready for traffic, for probes of an orchestrator.
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

struct StatusReply {
    unsigned status = 200;
    std::string body;  // JSON
};

// `not_ready` is the reason why traffic should not come here; empty: ready. HEAD is answered like GET.
StatusReply status_reply(std::string_view method, std::string_view target, std::string_view not_ready);

// Loop thread of control. Serves on an inherited listening socket until stop(); at most 64 connections, each with a
// limit on time and size, so that a slow or hostile prober holds nothing up.
class StatusApi {
public:
    using NotReady = std::function<std::string()>;
    StatusApi(boost::asio::io_context& loop, NotReady not_ready) : loop_(loop), not_ready_(std::move(not_ready)) {}
    // Throws boost::system::system_error if this is no listening TCP socket.
    void listen(UniqueFd listener);
    void stop();

private:
    using Acceptor = boost::asio::ip::tcp::acceptor;
    boost::asio::awaitable<void> accept(std::shared_ptr<Acceptor> acceptor);
    boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket);

    boost::asio::io_context& loop_;
    NotReady not_ready_;
    std::shared_ptr<Acceptor> acceptor_;
    unsigned open_ = 0;
};

}  // namespace gateway::admin
