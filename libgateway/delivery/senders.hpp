// The ways out of the gateway for log entries: a TCP connection or datagram per batch, HTTP requests, syslog.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "libgateway/base/clock.hpp"
#include "libgateway/delivery/outbox.hpp"
#include "libgateway/delivery/sender.hpp"
#include "libgateway/net/outbound.hpp"

namespace gateway::delivery {

struct SocketTarget {
    std::string host;
    std::uint16_t port = 0;
    bool tls = false;
    std::string server_name;  // SNI; empty: none
    Milliseconds timeout{1000};
};

// One entry as it is, several as an array: what a batch becomes where the limit is one entry, or more.
std::string json_body(const Batch& batch, bool single);

// What has one target and sends each batch by itself.
class SocketSender : public Sender {
public:
    SocketSender(net::Reactor& reactor, net::Resolver& resolver, SocketTarget target, bool single)
        : reactor_(reactor), resolver_(resolver), target_(std::move(target)), single_(single) {}

protected:
    net::Reactor& reactor_;
    net::Resolver& resolver_;
    const SocketTarget target_;
    const bool single_;
};

// A connection for each batch: the entry or the array, then the end.
class TcpSender final : public SocketSender {
public:
    using SocketSender::SocketSender;
    Task<Sent> send(const Batch& batch) override;
};

// A datagram for each batch.
class UdpSender final : public SocketSender {
public:
    using SocketSender::SocketSender;
    Task<Sent> send(const Batch& batch) override;
};

struct SyslogTarget : SocketTarget {
    net::Transport transport = net::Transport::tcp;
    std::size_t flush_limit = 4096, drop_limit = 1048576;  // bytes
};

// Whole lines, gathered until `flush_limit` bytes are there or a second has passed, over one connection that stays;
// over UDP each line is a datagram. Lines that could not be sent wait for the next ones, up to `drop_limit` bytes.
class SyslogSender final : public Sender {
public:
    // `counts` must outlive it.
    SyslogSender(Dispatch& dispatch, SyslogTarget target, OutboxCounts& counts)
        : dispatch_(dispatch), target_(std::move(target)), counts_(counts) {}
    Task<Sent> send(const Batch& batch) override;

private:
    void gather(const Batch& batch);
    Task<std::string> send_gathered();
    Task<std::string> open_connection();
    std::string send_datagrams();

    Dispatch& dispatch_;
    const SyslogTarget target_;
    OutboxCounts& counts_;
    Batch gathered_;
    std::unique_ptr<net::Outbound> connection_;
    bool sending_ = false;
};

struct HttpTarget {
    std::string host, path = "/";  // path with its query
    std::uint16_t port = 80;
    bool tls = false, verify = false;
    std::string authority;      // Host
    std::string authorization;  // empty: none; a secret
    std::string content_type = "application/json";
    Milliseconds timeout{3000};
};

enum class Joining : std::uint8_t { single, array, lines };

// A POST for each batch; one connection is kept for the next one.
class HttpSender final : public Sender {
public:
    HttpSender(net::Reactor& reactor, net::Resolver& resolver, HttpTarget target, Joining joining);
    Task<Sent> send(const Batch& batch) override;

private:
    Task<std::string> exchange(net::Outbound& connection, const std::string& bytes, bool& heard, bool& keep);
    Task<std::string> connect(net::Outbound& connection);

    net::Reactor& reactor_;
    net::Resolver& resolver_;
    const HttpTarget target_;
    const Joining joining_;
    std::unique_ptr<net::Outbound> idle_;
};

}  // namespace gateway::delivery
