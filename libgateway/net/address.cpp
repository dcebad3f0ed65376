#include "libgateway/net/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

namespace gateway::net {

namespace {

const sockaddr_in& v4(const SocketAddress& address) {
    return reinterpret_cast<const sockaddr_in&>(address.storage);
}
const sockaddr_in6& v6(const SocketAddress& address) {
    return reinterpret_cast<const sockaddr_in6&>(address.storage);
}

}  // namespace

std::uint16_t SocketAddress::port() const noexcept {
    if (storage.ss_family == AF_INET) return ntohs(v4(*this).sin_port);
    return storage.ss_family == AF_INET6 ? ntohs(v6(*this).sin6_port) : std::uint16_t(0);
}

void SocketAddress::set_port(std::uint16_t port) noexcept {
    if (storage.ss_family == AF_INET) reinterpret_cast<sockaddr_in&>(storage).sin_port = htons(port);
    if (storage.ss_family == AF_INET6) reinterpret_cast<sockaddr_in6&>(storage).sin6_port = htons(port);
}

std::string SocketAddress::host_text() const {
    char text[INET6_ADDRSTRLEN] = "";
    if (storage.ss_family == AF_INET) {
        ::inet_ntop(AF_INET, &v4(*this).sin_addr, text, sizeof text);
    } else if (storage.ss_family == AF_INET6) {
        const in6_addr& address = v6(*this).sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&address)) {
            ::inet_ntop(AF_INET, address.s6_addr + 12, text, sizeof text);
        } else {
            ::inet_ntop(AF_INET6, &address, text, sizeof text);
        }
    } else {
        return "unix:";
    }
    return text;
}

std::string SocketAddress::text() const {
    const std::string host = host_text();
    if (host.find(':') != std::string::npos && host != "unix:") return "[" + host + "]:" + std::to_string(port());
    return host == "unix:" ? host : host + ":" + std::to_string(port());
}

std::optional<SocketAddress> parse_literal(std::string_view host, std::uint16_t port) noexcept {
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    char text[INET6_ADDRSTRLEN + 1];
    if (host.empty() || host.size() >= sizeof text) return std::nullopt;
    std::memcpy(text, host.data(), host.size());
    text[host.size()] = '\0';
    SocketAddress address;
    auto& four = reinterpret_cast<sockaddr_in&>(address.storage);
    if (::inet_pton(AF_INET, text, &four.sin_addr) == 1) {
        four.sin_family = AF_INET;
        address.size = sizeof four;
        address.set_port(port);
        return address;
    }
    auto& six = reinterpret_cast<sockaddr_in6&>(address.storage);
    if (::inet_pton(AF_INET6, text, &six.sin6_addr) != 1) return std::nullopt;
    six.sin6_family = AF_INET6;
    address.size = sizeof six;
    address.set_port(port);
    return address;
}

}  // namespace gateway::net
