// Certificates made in memory: any kind of key, any time, any issuer.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "libgateway/tls/pair.hpp"

namespace gateway::test {

using tls::Owned;

enum class MadeKey { rsa, weak_rsa, p256, ed25519 };

struct MadeCertificate {
    std::string certificate, key;  // PEM
    std::string text() const { return certificate; }
};

struct Wish {
    std::string name = "any";  // common name, and of errors
    std::string alternatives;  // "DNS:a.test,IP:127.0.0.1"; empty: none
    MadeKey key = MadeKey::p256;
    bool authority = false;
    long begins = -3600, ends = 86400;  // seconds from now
    const char* digest = "SHA256";
};

inline Owned<EVP_PKEY> make_key(MadeKey kind) {
    EVP_PKEY* key = nullptr;
    if (kind == MadeKey::rsa || kind == MadeKey::weak_rsa) {
        key = ::EVP_RSA_gen(kind == MadeKey::rsa ? 2048 : 1024);
    } else if (kind == MadeKey::p256) {
        key = ::EVP_EC_gen("P-256");
    } else {
        key = ::EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    }
    if (!key) throw std::runtime_error("no key");
    return Owned<EVP_PKEY>(key);
}

template <class Write>
std::string pem_of(Write write) {
    const std::unique_ptr<BIO, decltype(&::BIO_free)> out(::BIO_new(::BIO_s_mem()), &::BIO_free);
    if (write(out.get()) != 1) throw std::runtime_error("no PEM");
    char* begin = nullptr;
    const long size = BIO_get_mem_data(out.get(), &begin);
    return {begin, static_cast<std::size_t>(size)};
}

inline Owned<X509> parse_certificate(const std::string& pem) {
    const std::unique_ptr<BIO, decltype(&::BIO_free)> in(::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                         &::BIO_free);
    return Owned<X509>(::PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
}
inline Owned<EVP_PKEY> parse_key(const std::string& pem) {
    const std::unique_ptr<BIO, decltype(&::BIO_free)> in(::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                         &::BIO_free);
    return Owned<EVP_PKEY>(::PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
}

inline void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
    X509V3_CTX scope;
    ::X509V3_set_ctx(&scope, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* const made = ::X509V3_EXT_conf_nid(nullptr, &scope, what, value.c_str());
    if (!made || ::X509_add_ext(certificate, made, -1) != 1) throw std::runtime_error("no extension " + value);
    ::X509_EXTENSION_free(made);
}

// Signed by `issuer`; by itself if there is none.
inline MadeCertificate make_certificate(const Wish& wish, const MadeCertificate* issuer = nullptr) {
    static long serial = 1000;
    const Owned<EVP_PKEY> key = make_key(wish.key);
    const Owned<X509> made(::X509_new());
    const Owned<X509> above = issuer ? parse_certificate(issuer->certificate) : nullptr;
    const Owned<EVP_PKEY> signer = issuer ? parse_key(issuer->key) : nullptr;
    ::X509_set_version(made.get(), X509_VERSION_3);
    ::ASN1_INTEGER_set(::X509_get_serialNumber(made.get()), ++serial);
    ::X509_gmtime_adj(::X509_getm_notBefore(made.get()), wish.begins);
    ::X509_gmtime_adj(::X509_getm_notAfter(made.get()), wish.ends);
    ::X509_NAME_add_entry_by_txt(::X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(wish.name.c_str()), -1, -1, 0);
    ::X509_set_issuer_name(made.get(), ::X509_get_subject_name(above ? above.get() : made.get()));
    ::X509_set_pubkey(made.get(), key.get());
    X509* const vouching = above ? above.get() : made.get();
    extend(made.get(), vouching, NID_basic_constraints, wish.authority ? "critical,CA:TRUE" : "CA:FALSE");
    extend(made.get(), vouching, NID_subject_key_identifier, "hash");
    if (!wish.alternatives.empty()) extend(made.get(), vouching, NID_subject_alt_name, wish.alternatives);
    EVP_PKEY* const with = signer ? signer.get() : key.get();
    const EVP_MD* const digest =
        ::EVP_PKEY_get_base_id(with) == EVP_PKEY_ED25519 ? nullptr : ::EVP_get_digestbyname(wish.digest);
    if (::X509_sign(made.get(), with, digest) <= 0) throw std::runtime_error("no signature");
    return {pem_of([&](BIO* out) { return ::PEM_write_bio_X509(out, made.get()); }), pem_of([&](BIO* out) {
                return ::PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
            })};
}

}  // namespace gateway::test
