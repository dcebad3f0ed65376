// A connection that the gateway opens for its own ends, not for a request: plain TCP, TLS or UDP, each step with a
// limit.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "libgateway/net/resolver.hpp"
#include "libgateway/net/stream.hpp"
#include "libgateway/net/tls_client.hpp"
#include "libgateway/net/wait.hpp"

namespace gateway::net {

enum class Transport : std::uint8_t { tcp, udp };

// Steps return an empty text, or why they failed ("connection refused", "timeout"). One coroutine at a time; whoever
// owns it must keep it until the step ends. Closed by the destructor.
class Outbound {
public:
    Outbound(Reactor& reactor, Resolver& resolver) : resolver_(resolver), sleeper_(reactor) {}

    Task<std::string> connect(std::string_view host, std::uint16_t port, Transport transport, Milliseconds limit);
    Task<std::string> start_tls(const Ref<TlsPeer>& peer, Milliseconds limit);
    // All of it. `limit`: for each time that no byte could be written.
    Task<std::string> write(std::string_view bytes, Milliseconds limit);
    // One datagram; it is sent whole or not at all.
    std::string send_datagram(std::string_view bytes);
    // Some bytes; `got` 0 with an empty text: the other side has ended.
    Task<std::string> read(std::span<char> into, std::size_t& got, Milliseconds limit);
    // Ends our half. Under TLS it also waits for the other's end: what lies there unread at a close turns it into a
    // reset, which can cost bytes that are still on their way.
    Task<void> finish(Milliseconds limit);
    bool is_open() const noexcept { return stream_.is_open(); }
    // The other side said something, or left, while nothing was asked of it: of no more use.
    bool disturbed() noexcept;

private:
    Task<std::string> wait(std::uint8_t flags, Milliseconds limit);

    Resolver& resolver_;
    Sleeper sleeper_;
    Stream stream_;
};

// Lower-case text of a failure, as in messages: "connection refused".
std::string error_text(int number);
std::string error_text(const error_code& code);

}  // namespace gateway::net
