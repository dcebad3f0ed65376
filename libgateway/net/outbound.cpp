#include "libgateway/net/outbound.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <boost/system/errc.hpp>
#include <cerrno>
#include <cstring>

#include "libgateway/base/strings.hpp"

namespace gateway::net {

std::string error_text(int number) {
    if (number == ETIMEDOUT) return "timeout";
    return to_lower(std::strerror(number));
}

std::string error_text(const error_code& code) {
    if (code.category() == tls_category()) return "TLS: " + code.message();
    return error_text(code.value());
}

Task<std::string> Outbound::wait(std::uint8_t flags, Milliseconds limit) {
    const Woke woke = co_await sleeper_.wait(stream_.descriptor(), flags, limit);
    if (woke == Woke::expired) co_return "timeout";
    if (woke == Woke::cancelled) co_return "cancelled";
    co_return std::string();
}

Task<std::string> Outbound::connect(std::string_view host, std::uint16_t port, Transport transport,
                                    Milliseconds limit) {
    const auto resolved = co_await resolver_.resolve(host, port, nullptr);
    if (!resolved) co_return "failed to resolve " + std::string(host);
    const SocketAddress& address = *resolved;
    const int type = transport == Transport::tcp ? SOCK_STREAM : SOCK_DGRAM;
    UniqueFd fd(::socket(address.storage.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) co_return error_text(errno);
    const int on = 1;
    if (transport == Transport::tcp) ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd.get(), address.get(), address.size) != 0 && errno != EINPROGRESS) co_return error_text(errno);
    const std::uint8_t known = transport == Transport::tcp ? 0 : writable;
    if (!stream_.open(sleeper_.reactor(), std::move(fd), known)) co_return error_text(errno);
    std::string problem = co_await wait(writable | hangup, limit);
    if (!problem.empty()) co_return problem;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(stream_.descriptor().fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) co_return error_text(error);
    if (!stream_.descriptor().has(hangup)) stream_.descriptor().clear(readable);
    co_return std::string();
}

Task<std::string> Outbound::start_tls(const Ref<TlsPeer>& peer, Milliseconds limit) {
    const error_code code = co_await net::start_tls(stream_, peer, limit, sleeper_);
    if (code == boost::system::errc::operation_canceled) co_return "cancelled";
    co_return code ? error_text(code) : std::string();
}

Task<std::string> Outbound::write(std::string_view bytes, Milliseconds limit) {
    while (!bytes.empty()) {
        const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
        const IoResult sent = stream_.write(&part, 1);
        if (sent.state == IoState::done) {
            bytes.remove_prefix(sent.bytes);
            continue;
        }
        if (sent.state != IoState::would_block) co_return error_text(stream_.why(sent));
        std::string problem = co_await wait(stream_.to_write() | gone, limit);
        if (problem.empty() && stream_.descriptor().has(gone)) problem = error_text(EPIPE);
        if (!problem.empty()) co_return problem;
    }
    co_return std::string();
}

std::string Outbound::send_datagram(std::string_view bytes) {
    const ssize_t sent = ::send(stream_.descriptor().fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return error_text(errno);
    return {};
}

Task<std::string> Outbound::read(std::span<char> into, std::size_t& got, Milliseconds limit) {
    got = 0;
    for (;;) {
        const IoResult result = stream_.read(into);
        if (result.state == IoState::failed) co_return error_text(stream_.why(result));
        if (result.state != IoState::would_block) {
            got = result.bytes;
            co_return std::string();
        }
        std::string problem = co_await wait(stream_.to_read() | hangup, limit);
        if (!problem.empty()) co_return problem;
        stream_.descriptor().raise(readable);  // a reset shows as an end only
    }
}

bool Outbound::disturbed() noexcept {
    // Under TLS bytes may come that are nothing said: tickets for later connections.
    char byte;
    return stream_.read({&byte, 1}).state != IoState::would_block;
}

Task<void> Outbound::finish(Milliseconds limit) {
    if (!is_open()) co_return;
    stream_.shutdown_write();
    if (!stream_.tls()) co_return;
    const std::int64_t until = sleeper_.reactor().now_ms() + limit.count();
    std::array<char, 512> unwanted;
    for (std::size_t got = 1; got > 0 && sleeper_.reactor().now_ms() < until;) {
        const std::string problem = co_await read(unwanted, got, Milliseconds(until - sleeper_.reactor().now_ms()));
        if (!problem.empty()) break;
    }
}

}  // namespace gateway::net
