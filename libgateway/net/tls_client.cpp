#include "libgateway/net/tls_client.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <boost/system/errc.hpp>
#include <map>
#include <memory>
#include <utility>

#include "libgateway/net/address.hpp"
#include "libgateway/net/tls_layer.hpp"

namespace gateway::net {

// What connections of one kind share.
struct ClientContext {
    struct Free {
        void operator()(SSL_CTX* context) const noexcept { ::SSL_CTX_free(context); }
    };
    std::unique_ptr<SSL_CTX, Free> context;
    error_code problem;  // there is no context, or it can check nothing

    ClientContext() : context(::SSL_CTX_new(::TLS_client_method())) {
        if (!context) {
            problem = last_tls_error(nullptr);
            return;
        }
        SSL_CTX* const made = context.get();
        ::SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION);
        ::SSL_CTX_set_options(made, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
        ::SSL_CTX_set_mode(
            made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
        ::SSL_CTX_set_read_ahead(made, 1);
        ::SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        ::SSL_CTX_sess_set_new_cb(made, [](SSL* ssl, SSL_SESSION* session) {
            static_cast<TlsPeer*>(SSL_get_app_data(ssl))->keep(session, ::SSL_get_SSL_CTX(ssl));
            return 1;
        });
    }
    void trust(const std::string& file) {
        if (!context) return;
        ::SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
        ::ERR_clear_error();
        const int loaded = file.empty() ? ::SSL_CTX_set_default_verify_paths(context.get())
                                        : ::SSL_CTX_load_verify_file(context.get(), file.c_str());
        if (loaded != 1) problem = last_tls_error(nullptr);
    }
};

namespace {

thread_local std::string trusted;

ClientContext& context_for(TlsPeer::Check check) {
    thread_local ClientContext unchecked;
    thread_local std::map<std::string, ClientContext> checked;
    if (check == TlsPeer::Check::none) return unchecked;
    const auto [place, fresh] = checked.try_emplace(trusted);
    if (fresh) place->second.trust(trusted);
    return place->second;
}

std::string_view without_brackets(std::string_view name) noexcept {
    return name.starts_with('[') && name.ends_with(']') ? name.substr(1, name.size() - 2) : name;
}

error_code generic(boost::system::errc::errc_t code) noexcept {
    return boost::system::errc::make_error_code(code);
}

}  // namespace

void trust_authorities(const std::string& file) {
    trusted = file;
}

TlsPeer::TlsPeer(std::string_view name, Check check)
    : name_(without_brackets(name)), check_(check), is_address_(parse_literal(name_, 0).has_value()) {}

TlsPeer::~TlsPeer() {
    ::SSL_SESSION_free(session_);
}

void TlsPeer::keep(SSL_SESSION* session, SSL_CTX* of) noexcept {
    ::SSL_SESSION_free(std::exchange(session_, session));
    session_of_ = of;
}

// A session stands for a check that was made, so it is of no use where others are trusted now. Tickets of TLS 1.3 are
// used once (RFC 8446, C.4).
SSL* TlsPeer::begin(error_code& why) {
    ClientContext& shared = context_for(check_);
    why = shared.problem;
    if (why) return nullptr;
    ::ERR_clear_error();
    std::unique_ptr<SSL, decltype(&::SSL_free)> ssl(::SSL_new(shared.context.get()), &::SSL_free);
    if (!ssl) {
        why = last_tls_error(nullptr);
        return nullptr;
    }
    SSL_set_app_data(ssl.get(), this);
    ::SSL_set_connect_state(ssl.get());
    if (!is_address_ && !name_.empty()) ::SSL_set_tlsext_host_name(ssl.get(), name_.c_str());
    if (check_ == Check::certificate) {
        X509_VERIFY_PARAM* const wanted = ::SSL_get0_param(ssl.get());
        ::X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        const int set = is_address_ ? ::X509_VERIFY_PARAM_set1_ip_asc(wanted, name_.c_str())
                                    : ::X509_VERIFY_PARAM_set1_host(wanted, name_.c_str(), name_.size());
        if (set != 1 || name_.empty()) {
            why = generic(boost::system::errc::invalid_argument);
            return nullptr;
        }
    }
    SSL_SESSION* const last = std::exchange(session_, nullptr);
    if (last && session_of_ == shared.context.get()) ::SSL_set_session(ssl.get(), last);
    ::SSL_SESSION_free(last);
    return ssl.release();
}

Task<error_code> start_tls(Stream& stream, const Ref<TlsPeer>& peer, Milliseconds limit, Sleeper& sleeper,
                           Descriptor* asker) {
    error_code why;
    SSL* const ssl = peer->begin(why);
    if (!ssl) co_return why;
    const std::int64_t until = sleeper.reactor().now_ms() + limit.count();
    stream.secure(std::make_unique<TlsLayer>(ssl, stream.descriptor(), peer));
    TlsLayer& layer = *stream.tls();
    for (;;) {
        const IoState state = layer.shake();
        if (state == IoState::done) co_return error_code();
        if (state != IoState::would_block) co_return layer.error();
        const std::int64_t left = until - sleeper.reactor().now_ms();
        if (left <= 0) co_return generic(boost::system::errc::timed_out);
        const Woke woke =
            co_await sleeper.wait(stream.descriptor(), layer.to_read(), asker, hangup, Milliseconds(left));
        if (woke == Woke::cancelled || (asker && asker->has(hangup)))
            co_return generic(boost::system::errc::operation_canceled);
        if (woke != Woke::ready) co_return generic(boost::system::errc::timed_out);
    }
}

}  // namespace gateway::net
