// One client connection: waits for requests, serves them one after the other, holds no buffer while idle.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "libgateway/base/task.hpp"
#include "libgateway/expr/cidr.hpp"
#include "libgateway/net/address.hpp"
#include "libgateway/net/buffer_pool.hpp"
#include "libgateway/net/stream.hpp"
#include "libgateway/net/wait.hpp"

namespace gateway::proxy {

class Site;
class ProxyExchange;

struct ProxiedAddress {  // from a PROXY header
    expr::Address source, destination;
    std::uint16_t source_port = 0, destination_port = 0;
    bool known = false;
};

// Bytes that are here before an exchange is: behind the last request, or a head that is not whole yet.
struct CarriedBytes {
    net::Buffer block;
    std::size_t size = 0;
    std::size_t scanned = 0;    // of them known to hold no end of a head
    std::int64_t begun_ms = 0;  // when the head began; 0: with the exchange that takes it
};

// What a listener talks before HTTP.
struct Manners {
    bool proxy_protocol = false, tls = false;
};

// Lives on the frame of its own coroutine, from start() to the end of the connection.
class Session {
public:
    // Takes the connection; returns at once. `port`: of the listener.
    static void start(Site& site, UniqueFd fd, const net::SocketAddress& peer, std::uint16_t port, Manners manners);

    Session(Site& site, const net::SocketAddress& peer, std::uint16_t port);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    Site& site() const noexcept { return site_; }
    net::Stream& stream() noexcept { return stream_; }
    const net::Stream& stream() const noexcept { return stream_; }
    net::Sleeper& sleeper() noexcept { return sleeper_; }
    const expr::Address& peer() const noexcept { return peer_; }
    std::uint16_t peer_port() const noexcept { return peer_port_; }
    std::uint16_t local_port() const noexcept { return local_port_; }
    const ProxiedAddress* proxied() const noexcept { return proxied_.get(); }
    // Under TLS; then the name that the client asked for, in lower case, empty if it asked for none.
    bool secure() const noexcept { return secure_; }
    std::string_view server_name() const noexcept { return server_name_; }
    std::string_view scheme() const noexcept { return secure_ ? "https" : "http"; }
    std::uint32_t serial() const noexcept { return serial_; }
    std::uint32_t requests() const noexcept { return requests_; }
    std::int64_t started_ms() const noexcept { return started_ms_; }
    std::int64_t idle_since_ms() const noexcept { return idle_since_ms_; }
    bool idle() const noexcept { return idle_; }
    // Whether bytes have arrived that the loop has not told of yet. A system call: for the moment before an idle
    // connection is closed, since closing it then would reset a request.
    bool has_unread() const noexcept;
    const ProxyExchange* exchange() const noexcept { return exchange_; }
    std::string local_address() const;
    std::string peer_text() const;                          // "10.0.0.1:4711"
    const Session* next() const noexcept { return next_; }  // in Site's list

    // Bytes of the next request that came with this one; kept until serve() asks.
    void carry(std::string_view bytes);
    // The front of a head, all of it scanned; serve() is called again when more has come or its time is over.
    void keep_head(net::Buffer block, std::size_t size, std::int64_t begun_ms) noexcept;
    CarriedBytes take_carried() noexcept;
    bool has_carried() const noexcept { return carried_size_ > 0; }
    void set_exchange(const ProxyExchange* exchange) noexcept { exchange_ = exchange; }
    void count_request() noexcept { ++requests_; }

private:
    friend class Site;
    static Task<void> run(Site& site, UniqueFd fd, net::SocketAddress peer, std::uint16_t port, Manners manners);
    Task<bool> read_proxy_header();
    Task<bool> shake_hands();
    Task<void> refuse_plain_text();
    Task<void> serve_all();
    Task<void> linger();
    Milliseconds patience() const noexcept;

    Site& site_;
    net::Stream stream_;
    net::Sleeper sleeper_;
    net::Buffer carried_;
    std::uint32_t carried_size_ = 0, carried_scanned_ = 0;
    std::uint32_t serial_ = 0, requests_ = 0;
    expr::Address peer_;
    std::uint16_t peer_port_ = 0, local_port_ = 0;
    bool idle_ = false, secure_ = false;
    std::int64_t started_ms_ = 0, idle_since_ms_ = 0, head_begun_ms_ = 0;
    std::unique_ptr<ProxiedAddress> proxied_;
    std::string server_name_;
    const ProxyExchange* exchange_ = nullptr;
    Session *previous_ = nullptr, *next_ = nullptr;
};

}  // namespace gateway::proxy
