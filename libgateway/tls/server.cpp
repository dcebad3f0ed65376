#include "libgateway/tls/server.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>

namespace gateway::tls {

namespace {

// Sessions that one worker keeps itself where tickets are off, and how long.
constexpr long kept_sessions = 8192;
constexpr long session_seconds = 600;

// The visit goes with its SSL.
int visit_slot() noexcept {
    static const int slot = ::SSL_get_ex_new_index(
        0, nullptr, nullptr, nullptr,
        [](void*, void* visit, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<Visit*>(visit); });
    return slot;
}

Visit& visit_of(const SSL* ssl) noexcept {
    return *static_cast<Visit*>(::SSL_get_ex_data(ssl, visit_slot()));
}

// The first host name of the extension (RFC 6066, 3); empty if there is none. What is malformed the library refuses.
std::string_view asked_name(SSL* ssl) noexcept {
    const unsigned char* bytes = nullptr;
    std::size_t size = 0;
    if (::SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &size) != 1 || size < 5) return {};
    const std::size_t listed = static_cast<std::size_t>(bytes[0]) << 8 | bytes[1];
    const std::size_t length = static_cast<std::size_t>(bytes[3]) << 8 | bytes[4];
    if (listed != size - 2 || bytes[2] != TLSEXT_NAMETYPE_host_name || length > size - 5) return {};
    return {reinterpret_cast<const char*>(bytes) + 5, length};
}

// HTTP/1.1 is what there is; a client that lists other protocols only is told so (RFC 7301, 3.2).
int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void*) {
    constexpr std::string_view http = "http/1.1";
    for (unsigned at = 0; at < offered_size;) {
        const unsigned length = offered[at++];
        if (length > offered_size - at) break;
        if (http == std::string_view(reinterpret_cast<const char*>(offered) + at, length)) {
            *out = offered + at;
            *size = static_cast<unsigned char>(length);
            return SSL_TLSEXT_ERR_OK;
        }
        at += length;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

void set_up_sessions(SSL_CTX* context, bool tickets) noexcept {
    ::SSL_CTX_set_timeout(context, session_seconds);
    if (tickets) {
        ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        return;
    }
    ::SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER);
    ::SSL_CTX_sess_set_cache_size(context, kept_sessions);
}

}  // namespace

std::string ciphers_refusal(const std::string& ciphers) {
    const Owned<SSL_CTX> trial(::SSL_CTX_new(::TLS_server_method()));
    const bool known = trial && ::SSL_CTX_set_cipher_list(trial.get(), ciphers.c_str()) == 1;
    ::ERR_clear_error();
    return known ? std::string() : "no cipher of \"" + ciphers + "\" is known";
}

std::string_view name_of(Handshake result) noexcept {
    static constexpr std::array<std::string_view, 12> names{
        "done",      "no_name",    "unknown_name", "broken_certificate", "client_certificate", "no_protocol",
        "no_cipher", "plain_text", "not_tls",      "timed_out",          "client_gone",        "failed"};
    return names[static_cast<std::size_t>(result)];
}

struct Server::Callbacks {
    static const Server& of(SSL* ssl) noexcept {
        return *static_cast<const Server*>(SSL_CTX_get_app_data(::SSL_get_SSL_CTX(ssl)));
    }
    static int hello(SSL* ssl, int* alert, void* server) noexcept {
        try {
            return static_cast<const Server*>(server)->choose(ssl, alert);
        } catch (const std::bad_alloc&) {
            *alert = SSL_AD_INTERNAL_ERROR;
            return SSL_CLIENT_HELLO_ERROR;
        }
    }
    static int certificate(SSL* ssl, void*) noexcept {
        Visit& visit = visit_of(ssl);
        try {
            if (visit.identity && visit.identity->present(ssl)) return 1;
        } catch (const std::bad_alloc&) {
            // as if it were broken
        }
        ::ERR_clear_error();
        visit.refusal = Handshake::broken_certificate;
        return 0;
    }
    static int ticket(SSL* ssl, unsigned char* name, unsigned char* nonce, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                      int seal) noexcept {
        return of(ssl).ticket_keys_.use(name, nonce, cipher, mac, seal == 1);
    }
};

Server::Server(const ServerSettings& settings)
    : fallback_name_(settings.fallback_name), context_(::SSL_CTX_new(::TLS_server_method())) {
    SSL_CTX* const context = context_.get();
    if (!context || visit_slot() < 0) throw std::runtime_error("OpenSSL cannot serve TLS");
    SSL_CTX_set_app_data(context, this);
    allow(context, settings.protocols);
    if (::SSL_CTX_set_cipher_list(context, settings.ciphers.c_str()) != 1) {
        ::ERR_clear_error();
        throw std::invalid_argument("no cipher of \"" + settings.ciphers + "\" is known");
    }
    ::SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    ::SSL_CTX_set_mode(context,
                       SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    ::SSL_CTX_set_read_ahead(context, 1);
    ::SSL_CTX_set_dh_auto(context, 1);
    ::SSL_CTX_set_max_early_data(context, 0);
    set_up_sessions(context, settings.tickets);
    ::SSL_CTX_set_client_hello_cb(context, &Callbacks::hello, this);
    ::SSL_CTX_set_cert_cb(context, &Callbacks::certificate, nullptr);
    ::SSL_CTX_set_alpn_select_cb(context, &choose_protocol, nullptr);
    if (settings.tickets) {
        ::SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &Callbacks::ticket);
        ticket_keys_.set(TicketKeys::rotated({}));
    }
}

SSL* Server::begin() const noexcept {
    ::ERR_clear_error();
    Owned<SSL> ssl(::SSL_new(context_.get()));
    std::unique_ptr<Visit> visit(new (std::nothrow) Visit());
    if (!ssl || !visit || ::SSL_set_ex_data(ssl.get(), visit_slot(), visit.get()) != 1) return nullptr;
    visit.release()->server = Ref<const Server>(this);  // the slot's from here on
    ::SSL_set_accept_state(ssl.get());
    return ssl.release();
}

const Visit& Server::visit(const SSL* ssl) noexcept {
    return visit_of(ssl);
}

// Before the library has looked at anything else: version, session and certificate depend on the name.
int Server::choose(SSL* ssl, int* alert) const {
    Visit& visit = visit_of(ssl);
    std::string_view name = asked_name(ssl);
    visit.fallback = name.empty();
    if (name.empty()) name = fallback_name_;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    if (name.empty()) {
        visit.refusal = Handshake::no_name;
        return SSL_CLIENT_HELLO_ERROR;
    }
    visit.identity = Ref<const Identity>(names_.find(name));
    if (visit.identity && visit.identity->usable() && visit.identity->prepare(ssl, NameText(name).view()))
        return SSL_CLIENT_HELLO_SUCCESS;
    visit.name = name;
    if (!visit.identity) {
        visit.refusal = Handshake::unknown_name;
        return SSL_CLIENT_HELLO_ERROR;
    }
    visit.refusal = Handshake::broken_certificate;
    *alert = SSL_AD_INTERNAL_ERROR;
    return SSL_CLIENT_HELLO_ERROR;
}

}  // namespace gateway::tls
