#include "libgateway/net/outbound.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "libgateway/base/strings.hpp"

namespace gateway::net {

namespace {

// One per thread and kind: they read the authorities of the system.
SSL_CTX* tls_context(bool verify) {
    const auto make = [](bool checks) {
        SSL_CTX* context = SSL_CTX_new(TLS_client_method());
        if (!context) return context;
        SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
        SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        SSL_CTX_set_verify(context, checks ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
        if (checks) SSL_CTX_set_default_verify_paths(context);
        return context;
    };
    thread_local SSL_CTX* const plain = make(false);
    thread_local SSL_CTX* const checked = make(true);
    return verify ? checked : plain;
}

std::string tls_error_text() {
    const unsigned long code = ERR_get_error();
    const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
    return reason ? std::string("TLS: ") + reason : std::string("TLS: connection lost");
}

}  // namespace

std::string error_text(int number) {
    if (number == ETIMEDOUT) return "timeout";
    return to_lower(std::strerror(number));
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

Outbound::Want Outbound::want_of(int result) noexcept {
    if (result > 0) return Want::done;
    switch (SSL_get_error(tls_.get(), result)) {
        case SSL_ERROR_WANT_READ:
            stream_.descriptor().clear(readable);
            return Want::read;
        case SSL_ERROR_WANT_WRITE:
            stream_.descriptor().clear(writable);
            return Want::write;
        default:
            return Want::failed;
    }
}

Task<std::string> Outbound::start_tls(const TlsWish& wish, Milliseconds limit) {
    SSL_CTX* context = tls_context(wish.verify);
    tls_.reset(context ? SSL_new(context) : nullptr);
    if (!tls_ || SSL_set_fd(tls_.get(), stream_.descriptor().fd()) != 1) co_return "TLS: no context";
    if (!wish.server_name.empty()) {
        SSL_set_tlsext_host_name(tls_.get(), wish.server_name.c_str());
        if (wish.verify) SSL_set1_host(tls_.get(), wish.server_name.c_str());
    }
    SSL_set_connect_state(tls_.get());
    for (;;) {
        ERR_clear_error();
        const Want want = want_of(SSL_do_handshake(tls_.get()));
        if (want == Want::done) co_return std::string();
        if (want == Want::failed) co_return tls_error_text();
        std::string problem = co_await wait(want == Want::read ? readable | hangup : writable | gone, limit);
        if (!problem.empty()) co_return problem;
    }
}

Task<std::string> Outbound::write(std::string_view bytes, Milliseconds limit) {
    while (!bytes.empty()) {
        Want want = Want::done;
        if (tls_) {
            ERR_clear_error();
            const int part = static_cast<int>(std::min<std::size_t>(bytes.size(), 1 << 20));
            const int sent = SSL_write(tls_.get(), bytes.data(), part);
            want = want_of(sent);
            if (want == Want::failed) co_return tls_error_text();
            if (want == Want::done) bytes.remove_prefix(static_cast<std::size_t>(sent));
        } else {
            const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
            const IoResult sent = stream_.write(&part, 1);
            if (sent.state == IoState::failed) co_return error_text(sent.error);
            want = sent.state == IoState::done ? Want::done : Want::write;
            if (want == Want::done) bytes.remove_prefix(sent.bytes);
        }
        if (want == Want::done) continue;
        std::string problem = co_await wait(want == Want::read ? readable | hangup : writable | gone, limit);
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
        Want want = Want::read;
        if (tls_) {
            ERR_clear_error();
            const int size = SSL_read(tls_.get(), into.data(), static_cast<int>(into.size()));
            if (size <= 0 && SSL_get_error(tls_.get(), size) == SSL_ERROR_ZERO_RETURN) co_return std::string();
            want = want_of(size);
            if (want == Want::failed) co_return tls_error_text();
            if (want == Want::done) got = static_cast<std::size_t>(size);
        } else {
            const IoResult result = stream_.read(into);
            if (result.state == IoState::failed) co_return error_text(result.error);
            if (result.state == IoState::closed) co_return std::string();
            if (result.state == IoState::done) want = Want::done;
            got = result.bytes;
        }
        if (want == Want::done) co_return std::string();
        std::string problem = co_await wait(want == Want::read ? readable | hangup : writable | gone, limit);
        if (!problem.empty()) co_return problem;
    }
}

void Outbound::finish() noexcept {
    if (!is_open()) return;
    ERR_clear_error();
    if (tls_) SSL_shutdown(tls_.get());
    stream_.shutdown_write();
}

}  // namespace gateway::net
