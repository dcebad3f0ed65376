#include <fmt/format.h>

#include "libgateway/delivery/senders.hpp"

namespace gateway::delivery {

namespace {

constexpr std::size_t largest_datagram = 65'507;

}  // namespace

std::string json_body(const Batch& batch, bool single) {
    std::string body;
    if (single && batch.size() == 1) {
        body = batch[0];
        return body;
    }
    body = "[";
    batch.join(body, ",");
    body += ']';
    return body;
}

Task<Sent> TcpSender::send(const Batch& batch) {
    net::Outbound connection(reactor_, resolver_);
    const auto problem = [this](std::string_view what, std::string_view why) {
        return Sent{
            fmt::format("failed to {} TCP server: host[{}] port[{}] err: {}", what, target_.host, target_.port, why),
            0};
    };
    std::string error = co_await connection.connect(target_.host, target_.port, net::Transport::tcp, target_.timeout);
    if (!error.empty()) co_return problem("connect to", error);
    if (target_.tls) {
        error = co_await connection.start_tls(peer_, target_.timeout);
        if (!error.empty()) co_return problem("perform TLS handshake to", error);
    }
    const std::string body = json_body(batch, single_);
    error = co_await connection.write(body, target_.timeout);
    if (!error.empty()) co_return problem("send data to", error);
    co_await connection.finish(target_.timeout);
    co_return Sent();
}

Task<Sent> UdpSender::send(const Batch& batch) {
    const auto problem = [this](std::string_view what, std::string_view why) {
        return Sent{
            fmt::format("failed to {} UDP server: host[{}] port[{}] err: {}", what, target_.host, target_.port, why),
            0};
    };
    const std::string body = json_body(batch, single_);
    if (body.size() > largest_datagram) co_return problem("send data to", "message larger than a datagram");
    net::Outbound connection(reactor_, resolver_);
    std::string error = co_await connection.connect(target_.host, target_.port, net::Transport::udp, target_.timeout);
    if (!error.empty()) co_return problem("connect to", error);
    error = connection.send_datagram(body);
    if (!error.empty()) co_return problem("send data to", error);
    co_return Sent();
}

}  // namespace gateway::delivery
