#include <fmt/format.h>

#include "libgateway/base/log.hpp"
#include "libgateway/delivery/senders.hpp"

namespace gateway::delivery {

namespace {

constexpr Milliseconds gather_time{1000}, pause{1000};
constexpr int most_tries = 3;

}  // namespace

void SyslogSender::gather(const Batch& batch) {
    std::size_t dropped = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (gathered_.bytes() + batch[i].size() > target_.drop_limit) {
            ++dropped;
        } else {
            gathered_.add(batch[i]);
        }
    }
    if (dropped == 0) return;
    log::error("syslog server: host[{}] port[{}]: {} entries dropped, more than drop_limit[{}] bytes wait",
               target_.host, target_.port, dropped, target_.drop_limit);
    if (counts_.dropped) telemetry::add(counts_.dropped->cell(0), dropped);
}

Task<std::string> SyslogSender::open_connection() {
    if (connection_ && !connection_->disturbed()) co_return std::string();
    connection_ = std::make_unique<net::Outbound>(dispatch_.reactor, dispatch_.resolver);
    net::Outbound& connection = *connection_;
    std::string error = co_await connection.connect(target_.host, target_.port, target_.transport, target_.timeout);
    if (!error.empty() || !target_.tls || target_.transport == net::Transport::udp) co_return error;
    error = co_await connection.start_tls(peer_, target_.timeout);
    co_return error;
}

std::string SyslogSender::send_datagrams() {
    while (!gathered_.empty()) {
        std::string error = connection_->send_datagram(gathered_[0]);
        if (!error.empty()) return error;
        gathered_.drop_front(1);
    }
    gathered_.clear();
    return {};
}

// What is gathered meanwhile is a batch of its own.
Task<std::string> SyslogSender::send_gathered() {
    std::string error = co_await open_connection();
    if (!error.empty()) co_return error;
    if (target_.transport == net::Transport::udp) co_return send_datagrams();
    Batch taken = std::move(gathered_);
    gathered_ = Batch();
    std::string text;
    taken.join(text, "");
    error = co_await connection_->write(text, target_.timeout);
    if (error.empty()) co_return error;
    // Lines that the server has got in part come again: better twice than never.
    for (std::size_t i = 0; i < gathered_.size(); ++i) taken.add(gathered_[i]);
    gathered_ = std::move(taken);
    co_return error;
}

Task<Sent> SyslogSender::send(const Batch& batch) {
    gather(batch);
    if (sending_) co_return Sent();  // goes with the others
    sending_ = true;
    if (gathered_.bytes() < target_.flush_limit && !dispatch_.draining()) co_await dispatch_.reactor.sleep(gather_time);
    for (int tries = 0; !gathered_.empty() && tries < most_tries;) {
        const std::string error = co_await send_gathered();
        if (error.empty()) continue;
        connection_.reset();
        log::error("failed to send data to syslog server: host[{}] port[{}] err: {}", target_.host, target_.port,
                   error);
        if (++tries == most_tries || dispatch_.draining()) break;
        co_await dispatch_.reactor.sleep(pause);
    }
    sending_ = false;
    co_return Sent();
}

}  // namespace gateway::delivery
