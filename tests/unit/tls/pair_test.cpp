#include "libgateway/tls/pair.hpp"

#include <openssl/err.h>

#include <ctime>

#include "tests/support/catch.hpp"
#include "tests/support/made_certificate.hpp"

using namespace gateway;
using namespace gateway::tls;
using namespace gateway::test;

namespace {

const MadeCertificate& authority() {
    static const MadeCertificate made = make_certificate({"authority", "", MadeKey::p256, true});
    return made;
}

// Everything that is checked before a pair is served; "" if it may be.
std::string verdict(const std::string& certificate, const std::string& key) {
    std::string problem;
    const PairBytes bytes = read_pair(certificate, key, problem);
    if (!problem.empty()) return problem;
    const std::optional<Pair> pair = build_pair(bytes, problem);
    return pair ? refusal_of(*pair) : problem;
}
std::string verdict(const MadeCertificate& made) {
    return verdict(made.certificate, made.key);
}

using Names = std::vector<std::string>;
Names warnings(const std::string& certificate, const std::string& key, const Names& names = {}) {
    std::string problem;
    const std::optional<Pair> pair = build_pair(read_pair(certificate, key, problem), problem);
    REQUIRE(pair);
    return warnings_of(*pair, names, std::time(nullptr));
}

std::string cut(std::string text) {
    return text.substr(0, text.size() / 2);
}

}  // namespace

TEST_CASE("pair: every kind of key that clients know is taken", "[tls][pair]") {
    const MadeKey kind = GENERATE(MadeKey::rsa, MadeKey::p256, MadeKey::ed25519);
    CHECK(verdict(make_certificate({"a.test", "DNS:a.test", kind}, &authority())) == "");
    CHECK(::ERR_peek_error() == 0);
}

TEST_CASE("pair: what cannot be read is refused in the reference's words", "[tls][pair]") {
    const MadeCertificate good = make_certificate({"a.test", "DNS:a.test"});
    const std::string certificate = "failed to parse cert: PEM_read_bio_X509_AUX() failed";
    const std::string key = "failed to parse key: PEM_read_bio_PrivateKey() failed";
    CHECK(verdict("", good.key) == certificate);
    CHECK(verdict("no certificate", good.key) == certificate);
    CHECK(verdict(good.key, good.key) == certificate);
    CHECK(verdict(cut(good.certificate), good.key) == certificate);
    CHECK(verdict(good.certificate, "") == key);
    CHECK(verdict(good.certificate, good.certificate) == key);
    CHECK(verdict(good.certificate, cut(good.key)) == key);
    CHECK(verdict("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", good.key) == certificate);
    CHECK(verdict(good.certificate, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n") == key);
    CHECK(::ERR_peek_error() == 0);
}

TEST_CASE("pair: a damaged certificate behind the first is named by its place", "[tls][pair]") {
    const MadeCertificate good = make_certificate({"a.test", "DNS:a.test"});
    CHECK(verdict(good.certificate + cut(good.certificate), good.key) ==
          "failed to parse cert: certificate 2 of the chain is damaged");
    CHECK(verdict(good.certificate + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", good.key) ==
          "failed to parse cert: certificate 2 of the chain is damaged");
}

TEST_CASE("pair: a key behind a passphrase is no key", "[tls][pair]") {
    const MadeCertificate good = make_certificate({"a.test", "DNS:a.test"});
    const Owned<EVP_PKEY> key = parse_key(good.key);
    unsigned char secret[] = "secret";
    const std::string locked = pem_of([&](BIO* out) {
        return ::PEM_write_bio_PrivateKey(out, key.get(), ::EVP_aes_128_cbc(), secret, 6, nullptr, nullptr);
    });
    const std::string old_form = pem_of([&](BIO* out) {
        return ::PEM_write_bio_PrivateKey_traditional(out, key.get(), ::EVP_aes_128_cbc(), secret, 6, nullptr, nullptr);
    });
    CHECK(verdict(good.certificate, locked) == key_refusal);
    CHECK(verdict(good.certificate, old_form) == key_refusal);
    const std::string open_old_form = pem_of([&](BIO* out) {
        return ::PEM_write_bio_PrivateKey_traditional(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
    CHECK(verdict(good.certificate, open_old_form) == "");
}

TEST_CASE("pair: the key must be the certificate's", "[tls][pair]") {
    const MadeCertificate one = make_certificate({"a.test", "DNS:a.test"});
    const MadeCertificate other = make_certificate({"a.test", "DNS:a.test"});
    const MadeCertificate rsa = make_certificate({"a.test", "DNS:a.test", MadeKey::rsa});
    CHECK(verdict(one.certificate, other.key) == "certificate and key do not match");
    CHECK(verdict(one.certificate, rsa.key) == "certificate and key do not match");
    // The key of a certificate that is not the first.
    CHECK(verdict(one.certificate + other.certificate, other.key) == "certificate and key do not match");
}

TEST_CASE("pair: what is too weak is refused before clients do it", "[tls][pair]") {
    CHECK(verdict(make_certificate({"a.test", "DNS:a.test", MadeKey::weak_rsa})) ==
          "RSA key of 1024 bits is too weak, expected at least 2048");
    Wish old{"a.test", "DNS:a.test"};
    old.digest = "SHA1";
    CHECK_THAT(verdict(make_certificate(old, &authority())),
               Catch::Matchers::StartsWith("the certificate cannot be served: "));
}

TEST_CASE("pair: times, order of the chain and names are warnings", "[tls][pair]") {
    const MadeCertificate middle = make_certificate({"middle", "", MadeKey::p256, true}, &authority());
    const MadeCertificate leaf = make_certificate({"a.test", "DNS:a.test,DNS:*.b.test,IP:127.0.0.1"}, &middle);
    CHECK(warnings(leaf.certificate + middle.certificate, leaf.key,
                   {"a.test", "A.TEST.", "*.b.test", "x.b.test", "127.0.0.1", "*"}) == Names());
    CHECK(warnings(leaf.certificate + authority().certificate, leaf.key) ==
          Names{"certificate 2 of the chain did not issue the one before it"});
    CHECK(warnings(leaf.certificate + middle.certificate + leaf.certificate, leaf.key) ==
          Names{"certificate 3 of the chain did not issue the one before it"});
    CHECK(warnings(leaf.certificate, leaf.key, {"c.test", "*.a.test", "x.y.b.test", "*b.test"}) ==
          Names{"the certificate is not for c.test", "the certificate is not for *.a.test",
                "the certificate is not for x.y.b.test", "the certificate is not for *b.test"});
}

TEST_CASE("pair: a certificate out of its time says since when", "[tls][pair]") {
    Wish wish{"a.test", "DNS:a.test"};
    wish.begins = -7200, wish.ends = -3600;
    const MadeCertificate expired = make_certificate(wish);
    wish.begins = 3600, wish.ends = 7200;
    const MadeCertificate early = make_certificate(wish);
    CHECK(verdict(expired) == "");
    REQUIRE(warnings(expired.certificate, expired.key).size() == 1);
    CHECK_THAT(warnings(expired.certificate, expired.key)[0],
               Catch::Matchers::Matches("the certificate has expired: 20[0-9-]{8} [0-9:]{8} UTC"));
    REQUIRE(warnings(early.certificate, early.key).size() == 1);
    CHECK_THAT(warnings(early.certificate, early.key)[0],
               Catch::Matchers::StartsWith("the certificate is not valid before 20"));
}

TEST_CASE("pair: facts are those of the leaf", "[tls][pair]") {
    const MadeCertificate leaf = make_certificate({"a.test", "DNS:a.test"}, &authority());
    std::string problem;
    const auto pair = build_pair(read_pair(leaf.certificate, leaf.key, problem), problem);
    REQUIRE(pair);
    const CertificateFacts facts = facts_of(pair->chain.front().get());
    CHECK(facts.subject == "CN=a.test");
    CHECK(facts.issuer == "CN=authority");
    CHECK_THAT(facts.fingerprint, Catch::Matchers::Matches("[0-9a-f]{40}"));
    CHECK_THAT(facts.serial, Catch::Matchers::Matches("[0-9A-F]{4}"));
    CHECK(facts.not_after - facts.not_before == 3600 + 86400);
}

TEST_CASE("pair: authorities are certificates, all of them readable", "[tls][pair]") {
    CHECK(authorities_refusal(authority().certificate) == "");
    CHECK(authorities_refusal(authority().certificate + authority().certificate) == "");
    CHECK(authorities_refusal("") == certificate_refusal);
    CHECK(authorities_refusal(authority().certificate + cut(authority().certificate)) != "");
    CHECK(authorities_refusal("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") == certificate_refusal);
}
