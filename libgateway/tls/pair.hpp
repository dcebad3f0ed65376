// A certificate chain with its private key: built from bytes, and judged before it is served.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/tls/pem.hpp"

struct stack_st_X509;  // STACK_OF(X509)

namespace gateway::tls {

struct FreeOpenSsl {
    void operator()(X509* owned) const noexcept;
    void operator()(EVP_PKEY* owned) const noexcept;
    void operator()(X509_STORE* owned) const noexcept;
    void operator()(SSL_CTX* owned) const noexcept;
    void operator()(SSL* owned) const noexcept;
    void operator()(stack_st_X509* owned) const noexcept;  // the list alone, not what is in it
};
template <class T>
using Owned = std::unique_ptr<T, FreeOpenSsl>;

using CertificateList = std::unique_ptr<stack_st_X509, FreeOpenSsl>;

// Which of a server's places a pair takes: of each kind one can be offered.
enum class KeyKind : std::uint8_t { rsa, rsa_pss, ecdsa, ed25519, ed448, other };

struct Pair {
    std::vector<Owned<X509>> chain;  // leaf first
    Owned<EVP_PKEY> key;
    KeyKind kind = KeyKind::other;
};

// The chain without the leaf.
CertificateList rest_of(const Pair& pair);

// Nothing, and why in `problem`, if a part cannot be read. Whether the parts belong together is judged below.
std::optional<Pair> build_pair(const PairBytes& bytes, std::string& problem);
// Why a pair must not be served; empty if it may: the key is another one's, or it is too weak. `check_match` false: the
// first is not asked for (apisix.ssl.check_key_match).
std::string refusal_of(const Pair& pair, bool check_match = true);
// What people should know of a pair that is served all the same: out of its time, order of the chain, names that it is
// not for. `now`: seconds since 1970.
std::vector<std::string> warnings_of(const Pair& pair, std::span<const std::string> names, std::int64_t now);

// What is told of a certificate.
struct CertificateFacts {
    std::string subject, issuer;      // "CN=authority,O=x"
    std::string serial, fingerprint;  // hex digits; SHA-1, as in the reference
    std::int64_t not_before = 0, not_after = 0;
};
CertificateFacts facts_of(const X509* certificate);

// "failed to parse cert: …" if the text holds no list of authorities that could vouch for clients; empty if it does.
std::string authorities_refusal(std::string_view pem);

}  // namespace gateway::tls
