// Certificates over the Admin API: what is checked, and that private keys stay where they are.
#include "tests/support/admin_client.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/made_certificate.hpp"

using namespace gateway;
using namespace gateway::test;
using config::Kind;

namespace {

const MadeCertificate& made() {
    static const MadeCertificate one = make_certificate({"a.test", "DNS:a.test"});
    return one;
}

json::Value ssl(const MadeCertificate& from = made(), std::string_view sni = "a.test") {
    return json::Value::object({{"cert", json::Value(from.certificate)},
                                {"key", json::Value(from.key)},
                                {"sni", json::Value(std::string(sni))}});
}

std::string refusal(const json::Value& body) {
    AdminClient client;
    const admin::Reply reply = client.ask("PUT", "/ssls/1", json::write(body));
    const json::Value answer = json::parse(reply.body);
    const json::Value* error = answer.find("error_msg");
    CHECK(reply.status == (error ? 400u : 201u));
    return error ? error->string() : std::string();
}

std::string stored_key(AdminClient& client) {
    return json::parse(client.objects.find(Kind::ssl, "1")->json).find("key")->string();
}

}  // namespace

TEST_CASE("ssl: no answer holds a private key, and the store holds it encrypted", "[admin][ssl]") {
    AdminClient client;
    json::Value body = ssl();
    body.set("certs", json::Value::array({json::Value(made().certificate)}));
    body.set("keys", json::Value::array({json::Value(made().key)}));
    const std::string text = json::write(body);
    for (const auto& [method, target, sent] :
         std::vector<std::tuple<std::string, std::string, std::string>>{{"PUT", "/ssls/1", text},
                                                                        {"GET", "/ssls/1", ""},
                                                                        {"GET", "/ssls", ""},
                                                                        {"POST", "/ssls", text},
                                                                        {"PATCH", "/ssls/1", R"({"desc":"x"})"},
                                                                        {"PATCH", "/ssls/1/status", "0"},
                                                                        {"PUT", "/ssls/1", text}}) {
        const admin::Reply reply = client.ask(method, target, sent);
        INFO(method << " " << target << ": " << reply.body);
        CHECK(reply.status < 300);
        CHECK(reply.body.find("PRIVATE KEY") == std::string::npos);
        CHECK(reply.body.find("\"key\":\"v2:") == std::string::npos);
        CHECK(reply.body.find("\"keys\"") == std::string::npos);
    }
    CHECK(stored_key(client).starts_with("v2:"));
}

TEST_CASE("ssl: a PATCH keeps the key that it does not name", "[admin][ssl]") {
    AdminClient client;
    REQUIRE(client.ask("PUT", "/ssls/1", json::write(ssl())).status == 201);
    REQUIRE(client.ask("PATCH", "/ssls/1", R"({"labels":{"a":"b"}})").status == 200);
    const auto opened = client.objects.keyring()->decrypt(stored_key(client), keyring::is_private_key);
    REQUIRE(opened);
    CHECK(opened->text == made().key);
    client.objects.forget_keys();
    const admin::Reply lost = client.ask("PATCH", "/ssls/1", R"({"labels":{"a":"c"}})");
    CHECK(lost.status == 400);
    CHECK_THAT(lost.body, contains("failed to decrypt previous encrypted key"));
    CHECK(client.ask("PUT", "/ssls/1", json::write(ssl())).status == 200);
}

TEST_CASE("ssl: mistakes are told in the words of the reference", "[admin][ssl]") {
    const auto with = [](std::string_view member, json::Value value) {
        json::Value body = ssl();
        body.set(member, std::move(value));
        return refusal(body);
    };
    const auto without = [](std::string_view member) {
        json::Value body = ssl();
        body.erase(member);
        return refusal(body);
    };
    const json::Value filler = std::string(200, 'x');
    CHECK(without("sni") == "invalid configuration: then clause did not match");
    CHECK(without("key") == "invalid configuration: then clause did not match");
    CHECK(without("cert") == "invalid configuration: then clause did not match");
    CHECK(with("snis", json::Value::array({json::Value("b.test")})) ==
          "invalid configuration: then clause did not match");
    CHECK(with("certs", json::Value::array({json::Value(std::string(29, 'x'))})) ==
          "invalid configuration: property \"certs\" validation failed: failed to validate item 1: string too short, "
          "expected at least 128, got 29");
    CHECK(with("name", json::Value("x")) == "invalid configuration: additional properties forbidden, found name");
    CHECK(with("cert", filler) == "failed to parse cert: PEM_read_bio_X509_AUX() failed");
    CHECK(with("key", filler) == "failed to decrypt previous encrypted key");
    CHECK(with("key", json::Value("---" + std::string(100, 'x'))) ==
          "failed to parse key: PEM_read_bio_PrivateKey() failed");
    CHECK(with("certs", json::Value::array({json::Value(made().certificate)})) ==
          "mismatched number of certs and keys");
    CHECK(with("client", json::Value::object({{"ca", filler}})) ==
          "failed to validate client_cert: failed to parse cert: PEM_read_bio_X509_AUX() failed");
    const MadeCertificate other = make_certificate({"a.test", "DNS:a.test"});
    CHECK(with("key", json::Value(other.key)) == "certificate and key do not match");
    json::Value two = ssl();
    two.set("certs", json::Value::array({json::Value(made().certificate)}));
    two.set("keys", json::Value::array({json::Value(other.key)}));
    CHECK(refusal(two) == "failed to handle cert-key pair[1]: certificate and key do not match");
}

TEST_CASE("ssl: a client's object needs no name", "[admin][ssl]") {
    json::Value body = ssl();
    body.set("type", json::Value("client"));
    body.erase("sni");
    CHECK(refusal(body) == "");
    body.erase("key");
    CHECK(refusal(body) == "invalid configuration: else clause did not match");
}

TEST_CASE("ssl: what a reference to a secret stands for is not looked at", "[admin][ssl]") {
    json::Value body = ssl();
    body.set("key", json::Value("$env://KEY_OF_A"));
    CHECK(refusal(body) == "");
}
