#include "libgateway/tls/accept.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <boost/system/errc.hpp>
#include <cerrno>
#include <memory>
#include <new>

#include "libgateway/net/tls_client.hpp"
#include "libgateway/net/tls_layer.hpp"

namespace gateway::tls {

namespace {

using net::Woke;

constexpr unsigned char handshake_record = 0x16;

// What the first byte says; a look at it leaves it where it is.
enum class FirstByte : std::uint8_t { none, tls, text, other, gone };
FirstByte first_byte(net::Descriptor& descriptor) noexcept {
    unsigned char byte = 0;
    ssize_t got;
    do {
        got = ::recv(descriptor.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN) {
        descriptor.clear(net::readable);
        return FirstByte::none;
    }
    if (got <= 0) return FirstByte::gone;
    if (byte == handshake_record) return FirstByte::tls;
    // A method's name, or the empty lines that may stand before it.
    const bool text = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '\r' || byte == '\n';
    return text ? FirstByte::text : FirstByte::other;
}

bool is_lack_of_cipher(int reason) noexcept {
    return reason == SSL_R_NO_SHARED_CIPHER || reason == SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM ||
           reason == SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS || reason == SSL_R_NO_SUITABLE_KEY_SHARE ||
           reason == SSL_R_NO_SUITABLE_GROUPS || reason == SSL_R_NO_CIPHERS_SPECIFIED;
}

bool is_lack_of_protocol(int reason) noexcept {
    return reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_VERSION_TOO_LOW ||
           reason == SSL_R_UNKNOWN_PROTOCOL || reason == SSL_R_WRONG_SSL_VERSION ||
           reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION;
}

Handshake judge(const error_code& why, const Visit& visit) noexcept {
    if (visit.refusal != Handshake::done) return visit.refusal;
    if (why.category() != net::tls_category()) return Handshake::client_gone;
    if (why.value() < 0) return Handshake::client_certificate;
    const int reason = ERR_GET_REASON(static_cast<unsigned long>(why.value()));
    if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE || reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
        return Handshake::client_certificate;
    if (is_lack_of_protocol(reason)) return Handshake::no_protocol;
    return is_lack_of_cipher(reason) ? Handshake::no_cipher : Handshake::failed;
}

Handshake not_woken(Woke woke) noexcept {
    return woke == Woke::cancelled ? Handshake::client_gone : Handshake::timed_out;
}

class Limit {
public:
    Limit(net::Sleeper& sleeper, Milliseconds limit) noexcept
        : sleeper_(sleeper), until_(sleeper.reactor().now_ms() + limit.count()) {}
    Milliseconds left() const noexcept { return Milliseconds(until_ - sleeper_.reactor().now_ms()); }
    bool over() const noexcept { return left().count() <= 0; }

private:
    net::Sleeper& sleeper_;
    const std::int64_t until_;
};

std::string name_in(const net::Stream& stream) {
    if (!stream.tls()) return {};
    const SSL* const ssl = stream.tls()->ssl();
    if (const std::string& refused = Server::visit(ssl).name; !refused.empty()) return refused;
    const char* const asked = ::SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    return asked ? asked : "";
}

Task<Handshake> greet(net::Stream& stream, const Limit& limit, net::Sleeper& sleeper) {
    for (;;) {
        if (stream.descriptor().has(net::readable)) {
            const FirstByte byte = first_byte(stream.descriptor());
            if (byte == FirstByte::tls) co_return Handshake::done;
            if (byte == FirstByte::text) co_return Handshake::plain_text;
            if (byte == FirstByte::gone) co_return Handshake::client_gone;
            if (byte == FirstByte::other) co_return Handshake::not_tls;
        }
        if (limit.over()) co_return Handshake::timed_out;
        const Woke woke = co_await sleeper.wait(stream.descriptor(), net::readable | net::hangup, limit.left());
        if (woke != Woke::ready) co_return not_woken(woke);
    }
}

}  // namespace

Task<Accepted> accept_tls(net::Stream& stream, const Ref<const Server>& server, Milliseconds limit,
                          net::Sleeper& sleeper) {
    const Ref<const Server> held = server;  // another may take its place while we wait
    const Limit time(sleeper, limit);
    Accepted accepted;
    accepted.result = co_await greet(stream, time, sleeper);
    if (accepted.result != Handshake::done) co_return accepted;
    SSL* const ssl = held->begin();
    accepted.result = Handshake::failed;
    accepted.why = boost::system::errc::make_error_code(boost::system::errc::not_enough_memory);
    if (!ssl) co_return accepted;
    stream.secure(std::make_unique<net::TlsLayer>(ssl, stream.descriptor(), Ref<net::TlsPeer>()));
    net::TlsLayer& layer = *stream.tls();
    accepted.why.clear();
    for (;;) {
        const net::IoState state = layer.shake();
        if (state == net::IoState::done) {
            accepted.result = Handshake::done;
            co_return accepted;
        }
        if (state != net::IoState::would_block) {
            accepted.why = layer.error();
            accepted.result = judge(accepted.why, Server::visit(ssl));
            co_return accepted;
        }
        accepted.result = Handshake::timed_out;
        if (time.over()) co_return accepted;
        const Woke woke = co_await sleeper.wait(stream.descriptor(), layer.to_read(), time.left());
        if (woke == Woke::ready) continue;
        accepted.result = not_woken(woke);
        co_return accepted;
    }
}

std::string describe(const Accepted& failed, const net::Stream& stream) {
    const std::string name = name_in(stream);
    const std::string of = name.empty() ? "a client without SNI" : "\"" + name + "\"";
    switch (failed.result) {
        case Handshake::done:
        case Handshake::client_gone:
        case Handshake::plain_text:
        case Handshake::not_tls:
            return {};
        case Handshake::no_name:
            return "failed to find SNI: the client asks for no name, and apisix.ssl.fallback_sni is not set";
        case Handshake::unknown_name:
            return "failed to match any SSL certificate by SNI: " + name;
        case Handshake::broken_certificate:
            return "the certificate for " + of + " cannot be used";
        default:
            break;
    }
    std::string text = "TLS handshake for " + of + ": " + std::string(name_of(failed.result));
    if (failed.why) text += ", " + failed.why.message();
    return text;
}

Established::Established(const net::Stream& stream) noexcept : ssl_(stream.tls()->ssl()) {}

const Identity& Established::identity() const noexcept {
    return *Server::visit(ssl_).identity;
}
std::string_view Established::protocol() const noexcept {
    return ::SSL_get_version(ssl_);
}
std::string_view Established::cipher() const noexcept {
    const char* const name = ::SSL_get_cipher_name(ssl_);
    return name ? name : "";
}
std::string_view Established::name() const noexcept {
    const char* const name = ::SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
    return name ? name : "";
}
bool Established::resumed() const noexcept {
    return ::SSL_session_reused(ssl_) == 1;
}
std::string Established::chosen_protocol() const {
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    ::SSL_get0_alpn_selected(ssl_, &chosen, &size);
    return {reinterpret_cast<const char*>(chosen), size};
}
CertificateFacts Established::client_facts() const {
    const X509* const shown = ::SSL_get0_peer_certificate(ssl_);
    return shown ? facts_of(shown) : CertificateFacts();
}
bool Established::client_showed_certificate() const noexcept {
    return ::SSL_get0_peer_certificate(ssl_) != nullptr;
}
std::string_view Established::client_refusal() const noexcept {
    if (!client_showed_certificate()) return "client certificate was not present";
    const long result = ::SSL_get_verify_result(ssl_);
    return result == X509_V_OK ? "" : ::X509_verify_cert_error_string(result);
}

}  // namespace gateway::tls
