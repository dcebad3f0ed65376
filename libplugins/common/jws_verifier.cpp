#include "libplugins/common/jws_verifier.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <optional>

#include "libgateway/config/errors.hpp"
#include "libplugins/common/keyed_hash.hpp"
#include "libplugins/common/same_secret.hpp"

namespace gateway::plugins {
namespace {

enum class Family : std::uint8_t { hmac, rsa, ecdsa, pss, eddsa };

struct Traits {
    Family family;
    Hash hash;
    std::string_view curve = {};
    std::size_t signature_size = 0;  // 0: the key says it
};

constexpr std::size_t rsa_2048 = 256;
constexpr std::array<Traits, 13> traits_of{{{Family::hmac, Hash::sha256},
                                            {Family::hmac, Hash::sha384},
                                            {Family::hmac, Hash::sha512},
                                            {Family::rsa, Hash::sha256},
                                            {Family::rsa, Hash::sha384},
                                            {Family::rsa, Hash::sha512},
                                            {Family::ecdsa, Hash::sha256, "prime256v1", 64},
                                            {Family::ecdsa, Hash::sha384, "secp384r1", 96},
                                            {Family::ecdsa, Hash::sha512, "secp521r1", 132},
                                            {Family::pss, Hash::sha256, {}, rsa_2048},
                                            {Family::pss, Hash::sha384, {}, rsa_2048},
                                            {Family::pss, Hash::sha512, {}, rsa_2048},
                                            {Family::eddsa, Hash::sha512}}};

const Traits& traits(JwsAlgorithm algorithm) noexcept {
    return traits_of[static_cast<std::size_t>(algorithm)];
}

const EVP_MD* method_of(Hash hash) noexcept {
    return hash == Hash::sha256 ? EVP_sha256() : hash == Hash::sha384 ? EVP_sha384() : EVP_sha512();
}

const unsigned char* bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
}

// Findings of the library are told by return values; what it leaves in its queue would be taken for errors of TLS.
struct CleanQueue {
    ~CleanQueue() { ERR_clear_error(); }
};

// A key that wants a passphrase is none for us; without this the library would ask at the terminal.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

struct FreeBio {
    void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
struct FreeCertificate {
    void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};

EVP_PKEY* read_key(const std::string& pem) {
    const std::unique_ptr<BIO, FreeBio> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (!bio) return nullptr;
    if (pem.find("-----BEGIN CERTIFICATE-----") == pem.npos) {
        return PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr);
    }
    const std::unique_ptr<X509, FreeCertificate> certificate(
        PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr));
    return certificate ? X509_get_pubkey(certificate.get()) : nullptr;
}

bool has_curve(const EVP_PKEY* key, std::string_view curve) noexcept {
    std::array<char, 64> name{};
    std::size_t size = 0;
    return EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) == 1 &&
           std::string_view(name.data(), size) == curve;
}

bool fits(EVP_PKEY* key, const Traits& wanted) noexcept {
    switch (wanted.family) {
        case Family::rsa:
            return EVP_PKEY_is_a(key, "RSA") == 1;
        case Family::pss:
            return EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1;
        case Family::ecdsa:
            return EVP_PKEY_is_a(key, "EC") == 1 && has_curve(key, wanted.curve);
        case Family::eddsa:
            return EVP_PKEY_is_a(key, "ED25519") == 1 || EVP_PKEY_is_a(key, "ED448") == 1;
        case Family::hmac:
            return false;
    }
    return false;
}

bool set_padding(EVP_PKEY_CTX* context, Family family) noexcept {
    if (family == Family::rsa) return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
    if (family != Family::pss) return true;
    // RFC 7518, 3.5: the salt is as long as the hash.
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

// The DER form that the library wants of an ECDSA signature: a SEQUENCE of two INTEGERs.
class DerPair {
public:
    // Two unsigned numbers of equal length, together at most 132 bytes.
    explicit DerPair(std::string_view pair) noexcept {
        const std::size_t half = pair.size() / 2;
        put_integer(pair.substr(0, half));
        put_integer(pair.substr(half));
        const std::size_t size = static_cast<std::size_t>(end_ - body());
        start_ = body();
        *--start_ = static_cast<unsigned char>(size);
        if (size > 127) *--start_ = 0x81;
        *--start_ = 0x30;
    }
    const unsigned char* data() const noexcept { return start_; }
    std::size_t size() const noexcept { return static_cast<std::size_t>(end_ - start_); }

private:
    unsigned char* body() noexcept { return bytes_.data() + 3; }
    void put_integer(std::string_view number) noexcept {
        while (number.size() > 1 && number.front() == '\0') number.remove_prefix(1);
        const bool high = (static_cast<unsigned char>(number.front()) & 0x80) != 0;
        *end_++ = 0x02;
        *end_++ = static_cast<unsigned char>(number.size() + (high ? 1 : 0));
        if (high) *end_++ = 0;
        end_ = std::copy(number.begin(), number.end(), end_);
    }
    std::array<unsigned char, 3 + 2 * (3 + 66)> bytes_{};
    unsigned char *end_ = bytes_.data() + 3, *start_ = nullptr;
};

}  // namespace

std::string_view name_of(JwsAlgorithm algorithm) noexcept {
    return enum_names(JwsAlgorithm{})[static_cast<std::size_t>(algorithm)].first;
}

void JwsVerifier::Free::operator()(evp_pkey_st* key) const noexcept {
    EVP_PKEY_free(key);
}
void JwsVerifier::Free::operator()(evp_pkey_ctx_st* context) const noexcept {
    EVP_PKEY_CTX_free(context);
}

JwsVerifier JwsVerifier::of_secret(JwsAlgorithm algorithm, std::string secret) {
    if (!is_symmetric(algorithm)) throw config::Error(std::string(name_of(algorithm)) + " needs a public key");
    if (secret.empty()) throw config::Error("the secret is empty");
    JwsVerifier made;
    made.algorithm_ = algorithm;
    made.secret_ = std::move(secret);
    return made;
}

JwsVerifier JwsVerifier::of_public_key(JwsAlgorithm algorithm, const std::string& pem) {
    const CleanQueue clean;
    JwsVerifier made;
    made.algorithm_ = algorithm;
    made.key_.reset(read_key(pem));
    if (!made.key_) throw config::Error("public_key is neither a public key nor a certificate in PEM");
    if (!fits(made.key_.get(), traits(algorithm)))
        throw config::Error("public_key is not of a kind that " + std::string(name_of(algorithm)) + " can use");
    made.prepare();
    return made;
}

// EdDSA hashes inside: it has nothing that could be prepared.
void JwsVerifier::prepare() {
    const Traits& wanted = traits(algorithm_);
    if (wanted.family == Family::eddsa) return;
    context_.reset(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
    EVP_PKEY_CTX* const context = context_.get();
    const bool ready = context && EVP_PKEY_verify_init(context) == 1 && set_padding(context, wanted.family) &&
                       EVP_PKEY_CTX_set_signature_md(context, method_of(wanted.hash)) == 1;
    if (!ready) throw config::Error("public_key cannot be used with " + std::string(name_of(algorithm_)));
}

bool JwsVerifier::verify(std::string_view signed_part, std::string_view signature) const noexcept {
    if (is_symmetric(algorithm_)) return check_hmac(signed_part, signature);
    if (!key_) return false;
    const CleanQueue clean;
    return context_ ? check_hashed(signed_part, signature) : check_eddsa(signed_part, signature);
}

bool JwsVerifier::check_hmac(std::string_view signed_part, std::string_view signature) const noexcept {
    if (secret_.empty()) return false;
    const HashValue right = hmac_of(traits(algorithm_).hash, secret_, {signed_part});
    return signature.size() == right.size && same_secret(right.view(), signature);
}

bool JwsVerifier::check_hashed(std::string_view signed_part, std::string_view signature) const noexcept {
    const Traits& wanted = traits(algorithm_);
    if (wanted.signature_size != 0 && signature.size() != wanted.signature_size) return false;
    const HashValue hash = hash_of(wanted.hash, {signed_part});
    const auto check = [&](const unsigned char* bytes, std::size_t size) {
        return EVP_PKEY_verify(context_.get(), bytes, size, bytes_of(hash.view()), hash.size) == 1;
    };
    if (wanted.family != Family::ecdsa) return check(bytes_of(signature), signature.size());
    const DerPair der(signature);
    return check(der.data(), der.size());
}

bool JwsVerifier::check_eddsa(std::string_view signed_part, std::string_view signature) const noexcept {
    struct FreeContext {
        void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
    };
    const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
    return context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
           EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(signed_part),
                            signed_part.size()) == 1;
}

}  // namespace gateway::plugins
