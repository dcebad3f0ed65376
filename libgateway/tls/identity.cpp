#include "libgateway/tls/identity.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "libgateway/base/hash.hpp"

namespace gateway::tls {

namespace {

constexpr std::uint64_t holes = SSL_OP_NO_TLSv1_1 | SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3;

std::uint64_t left_out(Protocols protocols) noexcept {
    return (protocols & tls_1_1 ? 0 : SSL_OP_NO_TLSv1_1) | (protocols & tls_1_2 ? 0 : SSL_OP_NO_TLSv1_2) |
           (protocols & tls_1_3 ? 0 : SSL_OP_NO_TLSv1_3);
}

// OpenSSL counts the signatures of TLS 1.1 as too weak for every level but this.
constexpr int level_of_old_protocols = 0;

// Requests are judged later: whatever comes of it, the handshake goes on.
int go_on(int, X509_STORE_CTX*) {
    return 1;
}

std::string mark_of(const ClientCheck& check) {
    std::string all = std::to_string(check.depth) + (check.in_handshake ? "!" : "?");
    for (const std::string& one : check.authorities) all.append(std::to_string(one.size())).append(":").append(one);
    const Hash128 hash = hash128(all);
    return {reinterpret_cast<const char*>(&hash), sizeof hash};
}

// Sessions are good for the names and authorities that they were made with (tls.md 4.1). Names whose clients are not
// asked for anything share theirs.
bool mark_sessions(SSL* ssl, const std::string& client_mark, std::string_view name) noexcept {
    unsigned char mark[2 * sizeof(Hash128)] = "gateway";
    unsigned size = 7;
    if (!client_mark.empty()) {
        const Hash128 of_name = hash128(name);
        std::copy(client_mark.begin(), client_mark.end(), mark);
        std::copy_n(reinterpret_cast<const unsigned char*>(&of_name), sizeof of_name, mark + client_mark.size());
        size = sizeof mark;
    }
    return ::SSL_set_session_id_context(ssl, mark, size) == 1;
}

Owned<X509_STORE> store_of(const std::vector<std::string>& authorities) {
    Owned<X509_STORE> store(::X509_STORE_new());
    for (const std::string& bytes : authorities) {
        const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
        const Owned<X509> one(::d2i_X509_AUX(nullptr, &at, static_cast<long>(bytes.size())));
        if (one && store) ::X509_STORE_add_cert(store.get(), one.get());
    }
    // An authority vouches although it is not a root itself.
    if (store) ::X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
    ::ERR_clear_error();
    return store;
}

// What clients choose their certificate by.
STACK_OF(X509_NAME) * names_of(X509_STORE* store) {
    STACK_OF(X509_NAME)* const names = sk_X509_NAME_new_null();
    STACK_OF(X509_OBJECT)* const all = ::X509_STORE_get0_objects(store);
    for (int i = 0; names && i < sk_X509_OBJECT_num(all); ++i) {
        const X509* const one = ::X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));
        X509_NAME* const name = one ? ::X509_NAME_dup(::X509_get_subject_name(one)) : nullptr;
        if (name && sk_X509_NAME_push(names, name) == 0) ::X509_NAME_free(name);
    }
    return names;
}

}  // namespace

Protocols protocol_named(std::string_view text) noexcept {
    if (text == "TLSv1.1") return tls_1_1;
    if (text == "TLSv1.2") return tls_1_2;
    return text == "TLSv1.3" ? tls_1_3 : 0;
}

void allow(SSL* ssl, Protocols protocols) noexcept {
    ::SSL_set_min_proto_version(ssl, TLS1_1_VERSION);
    ::SSL_set_max_proto_version(ssl, TLS1_3_VERSION);
    ::SSL_clear_options(ssl, holes);
    ::SSL_set_options(ssl, left_out(protocols));
    if (protocols & tls_1_1) ::SSL_set_security_level(ssl, level_of_old_protocols);
}

void allow(SSL_CTX* context, Protocols protocols) noexcept {
    ::SSL_CTX_set_min_proto_version(context, TLS1_1_VERSION);
    ::SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
    ::SSL_CTX_set_options(context, left_out(protocols));
    if (protocols & tls_1_1) ::SSL_CTX_set_security_level(context, level_of_old_protocols);
}

Identity::Identity(IdentitySettings settings) : settings_(std::move(settings)) {
    if (settings_.client) client_mark_ = mark_of(*settings_.client);
    if (settings_.problem.empty() && settings_.pairs.empty()) settings_.problem = "it has no certificate";
}

bool Identity::prepare(SSL* ssl, std::string_view name) const {
    if (settings_.protocols != 0) allow(ssl, settings_.protocols);
    return mark_sessions(ssl, client_mark_, name) && (!settings_.client || ask_client(ssl));
}

bool Identity::ask_client(SSL* ssl) const {
    const ClientCheck& check = *settings_.client;
    if (!authorities_) authorities_ = store_of(check.authorities);
    if (!authorities_ || ::SSL_set1_verify_cert_store(ssl, authorities_.get()) != 1) return false;
    ::SSL_set0_CA_list(ssl, names_of(authorities_.get()));
    ::SSL_set_verify_depth(ssl, check.depth);
    if (check.in_handshake) {
        ::SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    } else {
        ::SSL_set_verify(ssl, SSL_VERIFY_PEER, &go_on);
    }
    return true;
}

// Bytes are let go: what was built of them stays.
void Identity::build() const {
    built_ = true;
    for (std::size_t i = 0; i < settings_.pairs.size(); ++i) {
        std::string problem;
        std::optional<Pair> pair = build_pair(settings_.pairs[i], problem);
        if (pair) problem = refusal_of(*pair);
        if (!problem.empty()) {
            flaw_ = "pair " + std::to_string(i) + ": " + problem;
            continue;
        }
        const bool taken =
            std::any_of(pairs_.begin(), pairs_.end(), [&pair](const Pair& other) { return other.kind == pair->kind; });
        if (taken) continue;  // the library offers one of each kind
        pairs_.push_back(std::move(*pair));
        rests_.push_back(rest_of(pairs_.back()));
    }
    settings_.pairs = {};
    if (pairs_.empty()) settings_.problem = flaw_;
}

bool Identity::present(SSL* ssl) const {
    if (!built_) build();
    bool any = false;
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
        const Pair& pair = pairs_[i];
        any |= ::SSL_use_cert_and_key(ssl, pair.chain.front().get(), pair.key.get(), rests_[i].get(), 1) == 1;
    }
    return any;
}

}  // namespace gateway::tls
