// What clients that ask for some names are shown and asked for: an ssl object at run time.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/ref_counted.hpp"
#include "libgateway/tls/pair.hpp"

namespace gateway::tls {

// A set of versions, one bit each.
using Protocols = std::uint8_t;
inline constexpr Protocols tls_1_1 = 1, tls_1_2 = 2, tls_1_3 = 4;
// "TLSv1.2"; 0 for what is none of them.
Protocols protocol_named(std::string_view text) noexcept;
// These and no others from now on, on a connection or on all of a context.
void allow(SSL* ssl, Protocols protocols) noexcept;
void allow(SSL_CTX* context, Protocols protocols) noexcept;

// What is asked of clients.
struct ClientCheck {
    std::vector<std::string> authorities;  // DER
    int depth = 1;                         // certificates allowed between a client's and an authority's
    bool in_handshake = true;              // false: requests are judged one by one (skip_mtls_uri_regex)
};

struct IdentitySettings {
    std::string id;
    std::uint64_t order = 0;         // age among all of them: the older has a name
    std::vector<std::string> names;  // as configured
    std::vector<PairBytes> pairs;
    Protocols protocols = 0;  // 0: the server's
    std::optional<ClientCheck> client;
    std::string problem;  // why it cannot be used; empty if it can
};

// One worker (counts are its own), from the revision that brings it to the last handshake that chose it. Certificates
// are built when the first client wants them.
class Identity : public RefCounted {
public:
    explicit Identity(IdentitySettings settings);
    Identity(const Identity&) = delete;
    Identity& operator=(const Identity&) = delete;
    virtual ~Identity() = default;

    const std::string& id() const noexcept { return settings_.id; }
    std::uint64_t order() const noexcept { return settings_.order; }
    const std::vector<std::string>& names() const noexcept { return settings_.names; }
    bool checks_clients() const noexcept { return settings_.client.has_value(); }
    bool checks_in_handshake() const noexcept { return settings_.client && settings_.client->in_handshake; }
    // Why clients are turned away; may become known with the first of them. Empty: they are not.
    const std::string& problem() const noexcept { return settings_.problem; }
    bool usable() const noexcept { return settings_.problem.empty(); }
    // What is wrong with single pairs while others serve.
    const std::string& flaw() const noexcept { return flaw_; }

    // Before the version is chosen: versions, session id context, what is asked of the client. `name`: that it asked
    // for. False if the library has no memory.
    bool prepare(SSL* ssl, std::string_view name) const;
    // When certificates are wanted: all pairs, of which the library takes one that the client can read. False if there
    // is none.
    bool present(SSL* ssl) const;

private:
    void build() const;
    bool ask_client(SSL* ssl) const;

    mutable IdentitySettings settings_;
    mutable std::string flaw_;
    mutable bool built_ = false;
    mutable std::vector<Pair> pairs_;
    mutable std::vector<CertificateList> rests_;  // of each pair
    mutable Owned<X509_STORE> authorities_;
    std::string client_mark_;  // of what is asked of clients
};

}  // namespace gateway::tls
