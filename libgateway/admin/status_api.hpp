// The Status API: whether this gateway lives and whether it is ready for traffic, for probes of an orchestrator.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "libgateway/admin/http_server.hpp"

namespace gateway::admin {

struct StatusReply {
    unsigned status = 200;
    std::string body;  // JSON
};

// `not_ready` is the reason why traffic should not come here; empty: ready. HEAD is answered like GET.
StatusReply status_reply(std::string_view method, std::string_view target, std::string_view not_ready);

// Loop thread of control.
class StatusApi {
public:
    using NotReady = std::function<std::string()>;
    StatusApi(boost::asio::io_context& loop, NotReady not_ready);
    // Throws boost::system::system_error if this is no listening TCP socket.
    void listen(UniqueFd listener) { server_.listen(std::move(listener)); }
    void stop() { server_.stop(); }

private:
    boost::asio::awaitable<Reply> answer(Request request);

    NotReady not_ready_;
    HttpServer server_;
};

}  // namespace gateway::admin
