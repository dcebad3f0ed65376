#include "tests/support/connection.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/support/eventually.hpp"

namespace gateway::test {
namespace {

using Instant = std::chrono::steady_clock::time_point;

Instant after(milliseconds limit) {
    return std::chrono::steady_clock::now() + limit * patience;
}

bool wait_for(int fd, short events, Instant end) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now()).count();
    pollfd entry{fd, events, 0};
    return ::poll(&entry, 1, left > 0 ? static_cast<int>(left) : 0) > 0;
}

sockaddr_in ipv4(const char* address, std::uint16_t port) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_port = htons(port);
    ::inet_pton(AF_INET, address, &result.sin_addr);
    return result;
}

// False: refused, errno tells why.
template <class Address>
bool connects(const UniqueFd& socket, const Address& to) {
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
}

bool connects(const UniqueFd& socket, const char* address, std::uint16_t port) {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(port);
    if (::inet_pton(AF_INET6, address, &to.sin6_addr) != 1) return connects(socket, ipv4(address, port));
    return connects(socket, to);
}

}  // namespace

void Connection::fail(std::string_view what) const {
    constexpr std::size_t shown = 2000;
    throw ConnectionError(std::string(what) + "; received so far: '" + buffer_.substr(0, shown) + "'");
}

void Connection::send(std::string_view bytes) {
    if (try_send(bytes, limit_) != bytes.size()) fail("the other side did not take all bytes");
}

std::size_t Connection::try_send(std::string_view bytes, milliseconds limit) {
    const auto end = after(limit);
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const auto n = ::send(socket_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            sent += static_cast<std::size_t>(n);
        } else if (errno != EAGAIN && errno != EINTR) {
            break;
        } else if (!wait_for(socket_.get(), POLLOUT, end)) {
            break;
        }
    }
    return sent;
}

bool Connection::fill() {
    if (end_ != End::open) return false;
    if (!wait_for(socket_.get(), POLLIN, after(limit_))) fail("nothing arrived within the limit");
    char block[65536];
    const auto n = ::recv(socket_.get(), block, sizeof block, 0);
    if (n > 0) {
        buffer_.append(block, static_cast<std::size_t>(n));
        return true;
    }
    end_ = n == 0 ? End::eof : End::reset;
    return false;
}

std::string Connection::take(std::size_t size) {
    std::string taken = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return taken;
}

std::string Connection::read_until(std::string_view pattern) {
    std::size_t from = 0;
    for (;;) {
        const auto at = buffer_.find(pattern, from);
        if (at != std::string::npos) return take(at + pattern.size());
        from = buffer_.size() < pattern.size() ? 0 : buffer_.size() - pattern.size() + 1;
        if (!fill()) fail(std::string("connection ended before '") + std::string(pattern) + "'");
    }
}

std::string Connection::read_exactly(std::size_t size) {
    while (buffer_.size() < size) {
        if (!fill()) fail("connection ended before " + std::to_string(size) + " bytes");
    }
    return take(size);
}

std::string Connection::read_to_end() {
    while (fill()) {
    }
    return take(buffer_.size());
}

bool Connection::readable(milliseconds limit) {
    return !buffer_.empty() || end_ != End::open || wait_for(socket_.get(), POLLIN, after(limit));
}

bool Connection::wait_for_end(milliseconds limit) {
    const auto stop = after(limit);
    while (end_ == End::open) {
        if (!wait_for(socket_.get(), POLLIN, stop)) return false;
        fill();
    }
    return true;
}

void Connection::half_close() noexcept {
    ::shutdown(socket_.get(), SHUT_WR);
}

void Connection::reset() noexcept {
    const linger now{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    socket_.reset();
}

Connection connect_to(std::uint16_t port, const char* address, int receive_buffer) {
    const bool is_ipv6 = std::string_view(address).find(':') != std::string_view::npos;
    UniqueFd socket(::socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (receive_buffer > 0) {
        ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    if (!connects(socket, address, port)) {
        throw ConnectionError(std::string("cannot connect to ") + address + ':' + std::to_string(port) + ": " +
                              ::strerror(errno));
    }
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return Connection(std::move(socket));
}

UniqueFd listen_on_free_port(std::uint16_t& port) {
    UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = ipv4("127.0.0.1", 0);
    socklen_t size = sizeof address;
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(socket.get(), 4096) != 0 ||
        ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        throw ConnectionError(std::string("cannot listen on 127.0.0.1: ") + ::strerror(errno));
    }
    port = ntohs(address.sin_port);
    return socket;
}

}  // namespace gateway::test
