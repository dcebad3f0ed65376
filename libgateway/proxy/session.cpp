#include "libgateway/proxy/session.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "libgateway/base/strings.hpp"
#include "libgateway/http/proxy_protocol.hpp"
#include "libgateway/net/tls_layer.hpp"
#include "libgateway/proxy/request_flow.hpp"
#include "libgateway/proxy/site.hpp"
#include "libgateway/tls/accept.hpp"

namespace gateway::proxy {

namespace {

expr::Address address_of(const net::SocketAddress& address) noexcept {
    if (address.storage.ss_family == AF_INET) {
        return expr::Address::v4(ntohl(reinterpret_cast<const sockaddr_in&>(address.storage).sin_addr.s_addr));
    }
    if (address.storage.ss_family != AF_INET6) return {};
    std::array<unsigned char, 16> bytes;
    std::memcpy(bytes.data(), reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_addr.s6_addr, bytes.size());
    return expr::Address::v6(bytes);
}

// How long, and in how many reads per turn, a client is heard out that was refused while it was sending.
constexpr Milliseconds linger_limit{5000};
constexpr int linger_reads = 64;

// How many requests one connection may have served in one loop turn before the others get theirs.
constexpr int burst = 32;

}  // namespace

Session::Session(Site& site, const net::SocketAddress& peer, std::uint16_t port)
    : site_(site), sleeper_(site.reactor), peer_(address_of(peer)), peer_port_(peer.port()), local_port_(port) {
    static std::uint32_t serials = 0;
    serial_ = ++serials;
    started_ms_ = idle_since_ms_ = site.reactor.now_ms();
    site.enter(*this);
}

Session::~Session() {
    site_.leave(*this);
}

void Session::start(Site& site, UniqueFd fd, const net::SocketAddress& peer, std::uint16_t port, Manners manners) {
    spawn(run(site, std::move(fd), peer, port, manners));
}

// The address is 128 bytes of frame; it is gone before the first wait of an idle connection matters.
Task<void> Session::run(Site& site, UniqueFd fd, net::SocketAddress peer, std::uint16_t port, Manners manners) {
    Session session(site, peer, port);
    if (!session.stream_.open(site.reactor, std::move(fd))) co_return;
    if (manners.proxy_protocol) {
        const bool understood = co_await session.read_proxy_header();
        if (!understood) co_return;
    }
    if (manners.tls) {
        const bool shaken = co_await session.shake_hands();
        if (!shaken) co_return;
    }
    co_await session.serve_all();
}

Task<void> Session::serve_all() {
    int served = 0;
    for (;;) {
        const std::uint8_t bytes = stream_.to_read();
        if (carried_scanned_ == carried_size_ && !stream_.descriptor().has(bytes)) {
            served = 0;
            idle_ = !has_carried();
            idle_since_ms_ = site_.reactor.now_ms();
            const auto wanted = static_cast<std::uint8_t>(bytes | net::hangup);
            const net::Woke woke = co_await sleeper_.wait(stream_.descriptor(), wanted, patience());
            idle_ = false;
            // A request that arrived together with the end of the wait is answered, not reset.
            if (woke == net::Woke::expired && !has_carried() && has_unread()) continue;
            // A head that takes too long is answered, silence is not.
            if (woke == net::Woke::cancelled || (woke == net::Woke::expired && !has_carried())) co_return;
        }
        const After after = co_await serve(*this);
        if (after == After::linger) co_await linger();
        if (after != After::next) co_return;
        if (++served == burst) {
            served = 0;
            co_await site_.reactor.yield();
        }
    }
}

// How long the next bytes may take. Never zero, which would be no limit.
Milliseconds Session::patience() const noexcept {
    if (!has_carried()) return requests_ == 0 ? site_.settings->header_timeout : site_.settings->keepalive_timeout;
    const std::int64_t until = head_begun_ms_ + site_.settings->header_timeout.count();
    return Milliseconds(std::max<std::int64_t>(until - site_.reactor.now_ms(), 1));
}

bool Session::has_unread() const noexcept {
    char byte = 0;
    return ::recv(stream_.descriptor().fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

// Closing with unread bytes sends a reset, which may overtake the answer: end our half, read on until the client has
// ended its own.
Task<void> Session::linger() {
    static std::array<char, 16384> waste;
    idle_ = true;
    idle_since_ms_ = site_.reactor.now_ms();
    const std::int64_t until = idle_since_ms_ + linger_limit.count();
    stream_.shutdown_write();
    for (int reads = 1;; ++reads) {
        const net::IoResult got = stream_.read(waste);
        const std::int64_t left = until - site_.reactor.now_ms();
        if (left <= 0) co_return;
        if (got.state == net::IoState::done) {
            if (reads % linger_reads == 0) co_await site_.reactor.yield();
            continue;
        }
        if (got.state != net::IoState::would_block) co_return;
        const auto wanted = static_cast<std::uint8_t>(stream_.to_read() | net::hangup);
        const net::Woke woke = co_await sleeper_.wait(stream_.descriptor(), wanted, Milliseconds(left));
        if (woke != net::Woke::ready) co_return;
    }
}

namespace {

constexpr std::string_view plain_text_answer =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 220\r\n"
    "Connection: close\r\n\r\n";
constexpr std::string_view plain_text_page =
    "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n<body>\r\n"
    "<center><h1>400 Bad Request</h1></center>\r\n"
    "<center>The plain HTTP request was sent to HTTPS port</center>\r\n</body>\r\n</html>\r\n";
static_assert(plain_text_page.size() == 220);

}  // namespace

// Told to whoever speaks HTTP where TLS is spoken; what it asked for is not looked at.
Task<void> Session::refuse_plain_text() {
    std::array<iovec, 2> parts{{{const_cast<char*>(plain_text_answer.data()), plain_text_answer.size()},
                                {const_cast<char*>(plain_text_page.data()), plain_text_page.size()}}};
    const net::IoResult sent = stream_.write(parts.data(), 2);
    // A fresh socket has room for that.
    if (sent.bytes == plain_text_answer.size() + plain_text_page.size()) co_await linger();
}

Task<bool> Session::shake_hands() {
    const Ref<const tls::Server> server = site_.tls;
    if (!server) co_return false;
    idle_ = true;  // nothing is lost with it when the gateway ends
    const tls::Accepted accepted = co_await tls::accept_tls(stream_, server, site_.settings->header_timeout, sleeper_);
    idle_ = false;
    if (accepted.result == tls::Handshake::done) {
        secure_ = true;
        server_name_ = to_lower(tls::Established(stream_).name());
        if (server_name_.ends_with('.')) server_name_.pop_back();
        co_return true;
    }
    if (accepted.result == tls::Handshake::plain_text) {
        co_await refuse_plain_text();
        co_return false;
    }
    if (const std::string text = tls::describe(accepted, stream_); !text.empty())
        site_.tell_handshake(text, peer_text());
    // Bytes that lie unread would make a reset of the close, which may overtake the alert.
    if (accepted.result == tls::Handshake::client_certificate) {
        stream_.secure(nullptr);
        co_await linger();
    }
    co_return false;
}

Task<bool> Session::read_proxy_header() {
    const std::int64_t until = site_.reactor.now_ms() + site_.settings->header_timeout.count();
    std::array<char, 536> bytes;  // v1: 107, v2 with room for extensions
    std::size_t size = 0;
    http::ProxyHeader header;
    for (;;) {
        const net::IoResult got = stream_.read({bytes.data() + size, bytes.size() - size});
        if (got.state == net::IoState::would_block) {
            const std::int64_t left = until - site_.reactor.now_ms();
            if (left <= 0) co_return false;
            const net::Woke woke =
                co_await sleeper_.wait(stream_.descriptor(), net::readable | net::hangup, Milliseconds(left));
            if (woke != net::Woke::ready) co_return false;
            continue;
        }
        if (got.state != net::IoState::done) co_return false;
        size += got.bytes;
        const auto parsed = http::parse_proxy_header({bytes.data(), size}, header);
        if (parsed.state == http::ProxyHeaderState::failed) co_return false;
        if (parsed.state == http::ProxyHeaderState::complete) {
            carry({bytes.data() + parsed.consumed, size - parsed.consumed});
            break;
        }
        if (size == bytes.size()) co_return false;
    }
    proxied_ = std::make_unique<ProxiedAddress>();
    const auto source = expr::parse_address(header.source), destination = expr::parse_address(header.destination);
    if (source && destination) {
        *proxied_ = {*source, *destination, header.source_port, header.destination_port, true};
    }
    co_return true;
}

void Session::carry(std::string_view bytes) {
    if (bytes.empty()) return;
    net::Buffer kept = site_.buffers.take(bytes.size());
    std::memcpy(kept.data(), bytes.data(), bytes.size());
    carried_ = std::move(kept);
    carried_size_ = static_cast<std::uint32_t>(bytes.size());
    carried_scanned_ = 0;
    head_begun_ms_ = 0;
}

void Session::keep_head(net::Buffer block, std::size_t size, std::int64_t begun_ms) noexcept {
    carried_ = std::move(block);
    carried_size_ = carried_scanned_ = static_cast<std::uint32_t>(size);
    head_begun_ms_ = begun_ms;
}

CarriedBytes Session::take_carried() noexcept {
    const std::size_t size = std::exchange(carried_size_, 0), scanned = std::exchange(carried_scanned_, 0);
    return {std::move(carried_), size, scanned, std::exchange(head_begun_ms_, 0)};
}

std::string Session::peer_text() const {
    const std::string host = peer_.text();
    return (peer_.is_v4() ? host : "[" + host + "]") + ":" + std::to_string(peer_port_);
}

std::string Session::local_address() const {
    net::SocketAddress local;
    local.size = sizeof local.storage;
    if (::getsockname(stream_.descriptor().fd(), local.get(), &local.size) != 0) return {};
    return local.host_text();
}

}  // namespace gateway::proxy
