// The ways out of the gateway for log entries: a TCP connection or datagram per batch, HTTP requests, syslog.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "libgateway/base/clock.hpp"
#include "libgateway/client/client.hpp"
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
    TcpSender(net::Reactor& reactor, net::Resolver& resolver, SocketTarget target, bool single)
        : SocketSender(reactor, resolver, std::move(target), single),
          peer_(make_ref<net::TlsPeer>(target_.server_name, net::TlsPeer::Check::none)) {}
    Task<Sent> send(const Batch& batch) override;

private:
    const Ref<net::TlsPeer> peer_;
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
        : dispatch_(dispatch),
          target_(std::move(target)),
          peer_(make_ref<net::TlsPeer>(target_.host, net::TlsPeer::Check::none)),
          counts_(counts) {}
    Task<Sent> send(const Batch& batch) override;

private:
    void gather(const Batch& batch);
    Task<std::string> send_gathered();
    Task<std::string> open_connection();
    std::string send_datagrams();

    Dispatch& dispatch_;
    const SyslogTarget target_;
    const Ref<net::TlsPeer> peer_;
    OutboxCounts& counts_;
    Batch gathered_;
    std::unique_ptr<net::Outbound> connection_;
    bool sending_ = false;
};

struct HttpTarget {
    client::Url url;
    std::string authorization;  // empty: none; a secret
    std::string content_type = "application/json";
    Milliseconds timeout{3000};  // of each step
};

enum class Joining : std::uint8_t { single, array, lines };

// A POST for each batch.
class HttpSender final : public Sender {
public:
    HttpSender(client::Client& client, HttpTarget target, Joining joining);
    Task<Sent> send(const Batch& batch) override;

private:
    client::Client& client_;
    const HttpTarget target_;
    const Joining joining_;
    client::Limits limits_;
    std::vector<http::Field> fields_;  // views of the target
};

}  // namespace gateway::delivery
