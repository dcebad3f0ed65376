// The control socket's server: several gatewayctl at a time, none of which can hold up control or each other.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <memory>

#include "libgateway/base/unique_fd.hpp"
#include "libgateway/control/wire.hpp"

namespace gateway::process {

// Loop thread of control. Who may connect is decided by the mode of the socket file (0600).
class ControlServer {
public:
    using Handle = std::function<boost::asio::awaitable<control::Answer>(control::Request)>;
    ControlServer(boost::asio::io_context& loop, Handle handle) : loop_(loop), handle_(std::move(handle)) {}
    // Throws boost::system::system_error if this is no listening unix socket.
    void listen(UniqueFd listener);
    // Serves one connected socket; listen does it for each that it accepts.
    void add(UniqueFd socket);
    void stop();
    // Connections now.
    unsigned open() const noexcept { return open_; }

private:
    using Protocol = boost::asio::local::stream_protocol;
    boost::asio::awaitable<void> accept(std::shared_ptr<Protocol::acceptor> acceptor);
    boost::asio::awaitable<void> serve(std::shared_ptr<Protocol::socket> socket);
    boost::asio::awaitable<control::Answer> answer_to(std::string line);

    boost::asio::io_context& loop_;
    Handle handle_;
    std::shared_ptr<Protocol::acceptor> acceptor_;
    unsigned open_ = 0;
};

}  // namespace gateway::process
