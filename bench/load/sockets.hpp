// The few socket and option helpers that the load programs share.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "libgateway/base/strings.hpp"
#include "libgateway/base/unique_fd.hpp"

namespace gateway::bench {

[[noreturn]] inline void die(const std::string& text) {
    std::fprintf(stderr, "%s\n", text.c_str());
    std::exit(1);
}

inline sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

inline void no_delay(int socket) {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// Closing sends RST, so that tens of thousands of connections leave no TIME_WAIT behind.
inline void close_with_reset(UniqueFd& socket) {
    const linger now{1, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    socket.reset();
}

inline UniqueFd listen_on(std::uint16_t port) {
    UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const sockaddr_in address = loopback(port);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(socket.get(), 4096) != 0) {
        die("cannot listen on 127.0.0.1:" + std::to_string(port));
    }
    return socket;
}

// A non-blocking socket whose connection is under way.
inline UniqueFd start_connect(std::uint16_t port) {
    UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    no_delay(socket.get());
    const sockaddr_in address = loopback(port);
    ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    return socket;
}

// `--name value` pairs; a name without a value is "1".
class Options {
public:
    Options(int argc, char** argv, int first) {
        for (int i = first; i < argc; ++i) {
            const std::string_view name = argv[i];
            if (!name.starts_with("--")) die("unexpected argument " + std::string(name));
            const bool has_value = i + 1 < argc && std::string_view(argv[i + 1]).substr(0, 2) != "--";
            values_[std::string(name.substr(2))] = has_value ? argv[++i] : "1";
        }
    }
    std::string text(const std::string& name, const std::string& otherwise) const {
        const auto found = values_.find(name);
        return found == values_.end() ? otherwise : found->second;
    }
    std::uint64_t number(const std::string& name, std::uint64_t otherwise) const {
        const auto found = values_.find(name);
        if (found == values_.end()) return otherwise;
        const auto value = parse_decimal<std::uint64_t>(found->second);
        if (!value) die("--" + name + " expects a number");
        return *value;
    }

private:
    std::map<std::string, std::string> values_;
};

// Value of Content-Length in a head, 0 if there is none; the load programs only meet well-formed heads.
inline std::uint64_t content_length(std::string_view head) {
    constexpr std::string_view name = "content-length:";
    for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
        const auto line = head.substr(at + 2, name.size());
        if (!iequals(line, name)) continue;
        const auto rest = head.substr(at + 2 + name.size());
        return parse_decimal<std::uint64_t>(trim(rest.substr(0, rest.find("\r\n")))).value_or(0);
    }
    return 0;
}

inline bool has_line(std::string_view head, std::string_view line) {
    for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
        if (iequals(head.substr(at + 2, line.size()), line)) return true;
    }
    return false;
}

}  // namespace gateway::bench
