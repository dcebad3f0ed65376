// A socket address as bytes for the kernel and as text for people.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gateway::net {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;

    const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
    sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
    std::uint16_t port() const noexcept;
    void set_port(std::uint16_t port) noexcept;
    // "10.0.0.1", "2001:db8::7" (IPv4-mapped addresses as IPv4), "unix:".
    std::string host_text() const;
    // "10.0.0.1:80", "[2001:db8::7]:80".
    std::string text() const;
};

// An IPv4 or IPv6 literal, the latter with or without brackets; nothing if `host` is a name.
std::optional<SocketAddress> parse_literal(std::string_view host, std::uint16_t port) noexcept;

}  // namespace gateway::net
