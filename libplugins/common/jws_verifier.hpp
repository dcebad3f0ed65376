// Signatures of JSON Web Tokens (RFC 7518, 3; RFC 8037): who holds a key can tell whether a signature is of it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

struct evp_pkey_st;
struct evp_pkey_ctx_st;

namespace gateway::plugins {

// There is no "none".
enum class JwsAlgorithm : std::uint8_t {
    hs256,
    hs384,
    hs512,
    rs256,
    rs384,
    rs512,
    es256,
    es384,
    es512,
    ps256,
    ps384,
    ps512,
    eddsa
};

constexpr auto enum_names(JwsAlgorithm) {
    using A = JwsAlgorithm;
    using Pair = std::pair<std::string_view, A>;
    return std::array{Pair{"HS256", A::hs256}, Pair{"HS384", A::hs384}, Pair{"HS512", A::hs512},
                      Pair{"RS256", A::rs256}, Pair{"RS384", A::rs384}, Pair{"RS512", A::rs512},
                      Pair{"ES256", A::es256}, Pair{"ES384", A::es384}, Pair{"ES512", A::es512},
                      Pair{"PS256", A::ps256}, Pair{"PS384", A::ps384}, Pair{"PS512", A::ps512},
                      Pair{"EdDSA", A::eddsa}};
}
std::string_view name_of(JwsAlgorithm algorithm) noexcept;
// Whether both sides hold the same secret.
constexpr bool is_symmetric(JwsAlgorithm algorithm) noexcept {
    return algorithm <= JwsAlgorithm::hs512;
}

// One key for one algorithm, which is never taken from a token. Part of a worker's credential; one thread.
class JwsVerifier {
public:
    JwsVerifier() noexcept = default;  // accepts nothing
    // HS*. Throws config::Error if the secret is empty.
    static JwsVerifier of_secret(JwsAlgorithm algorithm, std::string secret);
    // All others: a public key or an X.509 certificate in PEM, whose kind must fit the algorithm. Throws config::Error
    // with the reason, never with the key.
    static JwsVerifier of_public_key(JwsAlgorithm algorithm, const std::string& pem);

    // True only if the signature is right; whatever else happens is false. HS* allocates nothing.
    bool verify(std::string_view signed_part, std::string_view signature) const noexcept;

private:
    struct Free {
        void operator()(evp_pkey_st* key) const noexcept;
        void operator()(evp_pkey_ctx_st* context) const noexcept;
    };
    void prepare();
    bool check_hmac(std::string_view signed_part, std::string_view signature) const noexcept;
    bool check_hashed(std::string_view signed_part, std::string_view signature) const noexcept;
    bool check_eddsa(std::string_view signed_part, std::string_view signature) const noexcept;

    JwsAlgorithm algorithm_ = JwsAlgorithm::hs256;
    std::string secret_;
    std::unique_ptr<evp_pkey_st, Free> key_;
    std::unique_ptr<evp_pkey_ctx_st, Free> context_;  // padding and hash are set; used again for every signature
};

}  // namespace gateway::plugins
