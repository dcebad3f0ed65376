// A connection that the gateway opens for its own ends, not for a request: plain TCP, TLS or UDP, each step with a
// limit.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "libgateway/net/resolver.hpp"
#include "libgateway/net/stream.hpp"
#include "libgateway/net/wait.hpp"

namespace gateway::net {

enum class Transport : std::uint8_t { tcp, udp };

struct TlsWish {
    std::string server_name;  // SNI; empty: none
    bool verify = false;      // by the system's authorities, for that name
};

// Steps return an empty text, or why they failed ("connection refused", "timeout"). One coroutine at a time; whoever
// owns it must keep it until the step ends. Closed by the destructor.
class Outbound {
public:
    Outbound(Reactor& reactor, Resolver& resolver) : resolver_(resolver), sleeper_(reactor) {}

    Task<std::string> connect(std::string_view host, std::uint16_t port, Transport transport, Milliseconds limit);
    Task<std::string> start_tls(const TlsWish& wish, Milliseconds limit);
    // All of it. `limit`: for each time that no byte could be written.
    Task<std::string> write(std::string_view bytes, Milliseconds limit);
    // One datagram; it is sent whole or not at all.
    std::string send_datagram(std::string_view bytes);
    // Some bytes; `got` 0 with an empty text: the other side has ended.
    Task<std::string> read(std::span<char> into, std::size_t& got, Milliseconds limit);
    // Says goodbye (TLS) and ends our half.
    void finish() noexcept;
    bool is_open() const noexcept { return stream_.is_open(); }
    // The other side said something, or left, while nothing was asked of it: of no more use.
    bool disturbed() const noexcept { return stream_.descriptor().has(readable | hangup); }

private:
    struct FreeTls {
        void operator()(SSL* tls) const noexcept { SSL_free(tls); }
    };
    enum class Want : std::uint8_t { done, read, write, failed };
    Want want_of(int result) noexcept;
    Task<std::string> wait(std::uint8_t flags, Milliseconds limit);

    Resolver& resolver_;
    Sleeper sleeper_;
    Stream stream_;
    std::unique_ptr<SSL, FreeTls> tls_;
};

// Lower-case text of an errno, as in messages: "connection refused".
std::string error_text(int number);

}  // namespace gateway::net
