#include "libgateway/sources/certificates.hpp"

#include <ctime>

#include "libgateway/sources/check.hpp"
#include "libgateway/sources/secrets.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/made_certificate.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

const MadeCertificate& made() {
    static const MadeCertificate one = make_certificate({"a.test", "DNS:a.test"});
    return one;
}

json::Value ssl(std::string key = made().key) {
    return json::Value::object({{"cert", json::Value(made().certificate)},
                                {"key", json::Value(std::move(key))},
                                {"sni", json::Value("a.test")}});
}

struct Found {
    std::string error, warning;
};
Found check(const json::Value& value, bool match = true) {
    config::Errors errors, warnings;
    sources::check_certificates(value, match, std::time(nullptr), errors, warnings);
    return {std::string(errors.first()), std::string(warnings.first())};
}

keyring::Keyring ring_of(std::string_view key) {
    keyring::Keyring ring;
    ring.add(key, keyring::Keyring::Use::both, "test");
    return ring;
}

}  // namespace

TEST_CASE("certificates: a good object has nothing to say", "[sources][certificates]") {
    CHECK(check(ssl()).error == "");
    CHECK(check(ssl()).warning == "");
}

TEST_CASE("certificates: a name that the certificate is not for is a warning", "[sources][certificates]") {
    json::Value value = ssl();
    value.set("sni", json::Value("b.test"));
    CHECK(check(value).error == "");
    CHECK(check(value).warning == "the certificate is not for b.test");
}

TEST_CASE("certificates: whether key and certificate must match can be chosen", "[sources][certificates]") {
    const json::Value mixed = ssl(make_certificate({"a.test", "DNS:a.test"}).key);
    CHECK(check(mixed).error == "certificate and key do not match");
    CHECK(check(mixed, false).error == "");
}

TEST_CASE("certificates: a key that no key reads is a warning and stays as it was", "[sources][certificates]") {
    const keyring::Keyring mine = ring_of("AAAAAAAAAAAAAAAA"), other = ring_of("BBBBBBBBBBBBBBBB");
    json::Value value = ssl();
    sources::seal_item(config::Kind::ssl, "1", value, mine);
    const std::string sealed = value.find("key")->string();
    CHECK(sources::is_sealed_key(sealed));
    config::Errors warnings;
    sources::open_item(config::Kind::ssl, "1", value, other, warnings);
    CHECK(value.find("key")->string() == sealed);
    CHECK(check(value).error == "");
    CHECK_THAT(check(value).warning,
               Catch::Matchers::StartsWith("it is encrypted, and no key of the keyring reads it"));
    sources::open_item(config::Kind::ssl, "1", value, mine, warnings);
    CHECK(value.find("key")->string() == made().key);
}

TEST_CASE("certificates: keys of the reference's form are opened, and never encrypted twice",
          "[sources][certificates]") {
    keyring::Keyring mine = ring_of("AAAAAAAAAAAAAAAA");
    mine.form = keyring::Form::reference;
    json::Value value = ssl();
    sources::seal_item(config::Kind::ssl, "1", value, mine);
    const std::string sealed = value.find("key")->string();
    sources::seal_item(config::Kind::ssl, "1", value, ring_of("BBBBBBBBBBBBBBBB"));
    CHECK(value.find("key")->string() == sealed);
    config::Errors warnings;
    sources::open_item(config::Kind::ssl, "1", value, mine, warnings);
    CHECK(value.find("key")->string() == made().key);
}

TEST_CASE("certificates: a pattern of open paths must compile", "[sources][certificates]") {
    json::Value value = ssl();
    value.set("client", json::Value::object({{"ca", json::Value(made().certificate)},
                                             {"skip_mtls_uri_regex", json::Value::array({json::Value("^/(")})}}));
    CHECK_THAT(check(value).error, Catch::Matchers::StartsWith("failed to compile the regular expression \"^/(\": "));
}

TEST_CASE("certificates: what is stored already keeps its names, broken or not", "[sources][certificates]") {
    const json::Value mixed = ssl(make_certificate({"a.test", "DNS:a.test"}).key);
    sources::CheckRules rules;
    config::Errors errors, warnings;
    sources::check_item(config::Kind::ssl, "1", mixed, rules, errors, warnings);
    CHECK(errors.first() == "certificate and key do not match");
    errors.clear();
    warnings.clear();
    rules.keep_broken_certificates = true;
    sources::check_item(config::Kind::ssl, "1", mixed, rules, errors, warnings);
    CHECK(errors.empty());
    CHECK(warnings.first() == "certificate and key do not match");
}
