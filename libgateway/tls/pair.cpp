#include "libgateway/tls/pair.hpp"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <ctime>

namespace gateway::tls {

namespace {

Owned<X509> read_certificate(std::string_view bytes) {
    const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
    return Owned<X509>(::d2i_X509_AUX(nullptr, &at, static_cast<long>(bytes.size())));
}

Owned<EVP_PKEY> read_key(std::string_view bytes) {
    const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
    return Owned<EVP_PKEY>(::d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(bytes.size())));
}

KeyKind kind_of(const EVP_PKEY* key) noexcept {
    switch (::EVP_PKEY_get_base_id(key)) {
        case EVP_PKEY_RSA:
            return KeyKind::rsa;
        case EVP_PKEY_RSA_PSS:
            return KeyKind::rsa_pss;
        case EVP_PKEY_EC:
            return KeyKind::ecdsa;
        case EVP_PKEY_ED25519:
            return KeyKind::ed25519;
        case EVP_PKEY_ED448:
            return KeyKind::ed448;
        default:
            return KeyKind::other;
    }
}

std::int64_t seconds_of(const ASN1_TIME* time) noexcept {
    std::tm parts{};
    return ::ASN1_TIME_to_tm(time, &parts) == 1 ? ::timegm(&parts) : 0;
}

std::string day_of(std::int64_t seconds) {
    const std::time_t time = static_cast<std::time_t>(seconds);
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    char text[32];
    return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

// A name that a pattern stands for.
std::string example_of(std::string_view pattern) {
    std::string name(pattern);
    if (name.starts_with('*')) name.replace(0, 1, "any-name");
    if (name.ends_with('.')) name.pop_back();
    return name;
}

bool is_for(X509* leaf, const std::string& name) noexcept {
    return ::X509_check_host(leaf, name.data(), name.size(), 0, nullptr) == 1 ||
           ::X509_check_ip_asc(leaf, name.c_str(), 0) == 1;
}

std::string text_of(const X509_NAME* name) {
    const std::unique_ptr<BIO, decltype(&::BIO_free)> text(::BIO_new(::BIO_s_mem()), &::BIO_free);
    if (!text) return {};
    ::X509_NAME_print_ex(text.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    char* begin = nullptr;
    const long size = BIO_get_mem_data(text.get(), &begin);
    return size > 0 ? std::string(begin, static_cast<std::size_t>(size)) : std::string();
}

std::string serial_of(const X509* leaf) {
    const std::unique_ptr<BIGNUM, decltype(&::BN_free)> number(
        ::ASN1_INTEGER_to_BN(::X509_get0_serialNumber(leaf), nullptr), &::BN_free);
    char* const digits = number ? ::BN_bn2hex(number.get()) : nullptr;
    std::string text = digits ? digits : "";
    ::OPENSSL_free(digits);
    return text;
}

std::string fingerprint_of(const X509* certificate) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (::X509_digest(certificate, ::EVP_sha1(), digest, &size) != 1) return {};
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
        text += "0123456789abcdef"[digest[i] >> 4];
        text += "0123456789abcdef"[digest[i] & 15];
    }
    return text;
}

// What the library itself finds too weak to serve at the level that this machine asks for.
std::string weakness_of(const Pair& pair, bool with_key) {
    thread_local const Owned<SSL_CTX> trial(::SSL_CTX_new(::TLS_server_method()));
    if (!trial) return {};
    X509* const leaf = pair.chain.front().get();
    const int fits = with_key ? ::SSL_CTX_use_cert_and_key(trial.get(), leaf, pair.key.get(), rest_of(pair).get(), 1)
                              : ::SSL_CTX_use_certificate(trial.get(), leaf);
    if (fits == 1) return {};
    const char* const reason = ::ERR_reason_error_string(::ERR_peek_error());
    return std::string("the certificate cannot be served: ") + (reason ? reason : "refused by OpenSSL");
}

}  // namespace

void FreeOpenSsl::operator()(X509* owned) const noexcept {
    ::X509_free(owned);
}
void FreeOpenSsl::operator()(EVP_PKEY* owned) const noexcept {
    ::EVP_PKEY_free(owned);
}
void FreeOpenSsl::operator()(X509_STORE* owned) const noexcept {
    ::X509_STORE_free(owned);
}
void FreeOpenSsl::operator()(SSL_CTX* owned) const noexcept {
    ::SSL_CTX_free(owned);
}
void FreeOpenSsl::operator()(SSL* owned) const noexcept {
    ::SSL_free(owned);
}

void FreeOpenSsl::operator()(STACK_OF(X509) * owned) const noexcept {
    ::sk_X509_free(owned);
}

CertificateList rest_of(const Pair& pair) {
    CertificateList rest(sk_X509_new_null());
    for (std::size_t i = 1; rest && i < pair.chain.size(); ++i) sk_X509_push(rest.get(), pair.chain[i].get());
    return rest;
}

std::optional<Pair> build_pair(const PairBytes& bytes, std::string& problem) {
    Pair pair;
    for (const std::string& certificate : bytes.chain) {
        Owned<X509> read = read_certificate(certificate);
        if (!read) break;
        pair.chain.push_back(std::move(read));
    }
    if (pair.chain.size() == bytes.chain.size()) pair.key = read_key(bytes.key.view());
    ::ERR_clear_error();
    problem.clear();
    if (pair.chain.empty()) {
        problem = certificate_refusal;
    } else if (pair.chain.size() < bytes.chain.size()) {
        problem =
            "failed to parse cert: certificate " + std::to_string(pair.chain.size() + 1) + " of the chain is damaged";
    } else if (!pair.key) {
        problem = key_refusal;
    }
    if (!problem.empty()) return std::nullopt;
    pair.kind = kind_of(pair.key.get());
    return pair;
}

std::string refusal_of(const Pair& pair, bool check_match) {
    std::string refusal;
    if (check_match && ::X509_check_private_key(pair.chain.front().get(), pair.key.get()) != 1) {
        refusal = "certificate and key do not match";
    } else if (pair.kind == KeyKind::other) {
        refusal = "a key of this kind cannot be served, expected RSA, ECDSA or EdDSA";
    } else if (const int bits = ::EVP_PKEY_get_bits(pair.key.get()); pair.kind <= KeyKind::rsa_pss && bits < 2048) {
        refusal = "RSA key of " + std::to_string(bits) + " bits is too weak, expected at least 2048";
    } else {
        refusal = weakness_of(pair, check_match);
    }
    ::ERR_clear_error();
    return refusal;
}

std::vector<std::string> warnings_of(const Pair& pair, std::span<const std::string> names, std::int64_t now) {
    std::vector<std::string> warnings;
    const CertificateFacts facts = facts_of(pair.chain.front().get());
    if (now >= facts.not_after) warnings.push_back("the certificate has expired: " + day_of(facts.not_after));
    if (now < facts.not_before) warnings.push_back("the certificate is not valid before " + day_of(facts.not_before));
    for (std::size_t i = 1; i < pair.chain.size(); ++i) {
        if (::X509_check_issued(pair.chain[i].get(), pair.chain[i - 1].get()) == X509_V_OK) continue;
        warnings.push_back("certificate " + std::to_string(i + 1) + " of the chain did not issue the one before it");
        break;
    }
    for (const std::string& name : names) {
        if (name != "*" && !is_for(pair.chain.front().get(), example_of(name)))
            warnings.push_back("the certificate is not for " + name);
    }
    ::ERR_clear_error();
    return warnings;
}

CertificateFacts facts_of(const X509* certificate) {
    return {text_of(::X509_get_subject_name(certificate)),
            text_of(::X509_get_issuer_name(certificate)),
            serial_of(certificate),
            fingerprint_of(certificate),
            seconds_of(::X509_get0_notBefore(certificate)),
            seconds_of(::X509_get0_notAfter(certificate))};
}

std::string authorities_refusal(std::string_view pem) {
    std::string problem;
    for (const std::string& bytes : certificates_of(pem, problem)) {
        if (problem.empty() && !read_certificate(bytes)) problem = certificate_refusal;
    }
    ::ERR_clear_error();
    return problem;
}

}  // namespace gateway::tls
