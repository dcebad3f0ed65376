#include "libgateway/config/idle_objects.hpp"

#include "libgateway/config/consumer_objects.hpp"
#include "libgateway/config/objects.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using config::Kind;

namespace {

std::string refusal(Kind kind, const std::string& text) {
    config::Errors errors;
    config::check_object(kind, json::parse(text), errors);
    return std::string(errors.first());
}

}  // namespace

TEST_CASE("idle objects: a secret's name tells its manager", "[config][idle_objects]") {
    for (const char* good : {"vault/1", "aws/a-b_c.d", "gcp/x"}) CHECK(config::is_id_of(Kind::secret, good));
    for (const char* bad : {"vault", "vault/", "kms/1", "vault/a b", "vault/a/b", "/1", ""})
        CHECK_FALSE(config::is_id_of(Kind::secret, bad));
    CHECK(config::secret_name("aws/key")->manager == "aws");
    CHECK(config::secret_name("aws/key")->id == "key");
}

TEST_CASE("idle objects: managers of secrets are checked by their tables, and keep more", "[config][idle_objects]") {
    const auto [text, expected] = GENERATE(table<std::string, std::string>({
        {R"({"id":"vault/1","uri":"https://[::1]:8200/x","prefix":"kv","token":"t","more":1})", ""},
        {R"({"id":"vault/1","prefix":"kv","token":"t"})", "property \"uri\" is required"},
        {R"({"id":"aws/1","access_key_id":"a","secret_access_key":"s","endpoint_url":"http://x"})", ""},
        {R"({"id":"aws/1","secret_access_key":"s"})", "property \"access_key_id\" is required"},
        {R"({"id":"gcp/1","auth_config":{"client_email":"e","private_key":"k","project_id":"p","scope":["a"]}})", ""},
        {R"({"id":"gcp/1","auth_file":"f","auth_config":{"client_email":"e","private_key":"k","project_id":"p"}})",
         "value should match only one schema, but matches both schemas 1 and 2"},
        {R"({"id":"gcp/1","auth_file":"f","ssl_verify":1})",
         "property \"ssl_verify\" validation failed: wrong type: expected boolean, got number"},
        {R"({"id":"1"})", "invalid secret id: 1"},
    }));
    INFO(text);
    CHECK(refusal(Kind::secret, text) == expected);
}

TEST_CASE("idle objects: URIs of managers", "[config][idle_objects]") {
    for (const char* good : {"http://v:8200", "https://a.b-c/x y", "http://[::1]", "vault://1"})
        CHECK(config::is_manager_uri(good));
    for (const char* bad :
         {"", "v:8200", "http:/v", "://v", "http://", "http://[", "http://[]", "http://[g]", "http://_"})
        CHECK_FALSE(config::is_manager_uri(bad));
}

TEST_CASE("idle objects: stream routes and protos are checked by their tables", "[config][idle_objects]") {
    const auto [kind, text, expected] = GENERATE(table<Kind, std::string, std::string>({
        {Kind::stream_route,
         R"({"id":1,"name":"n","labels":{"a":"b"},"remote_addr":"10.0.0.0/8","server_addr":"::1","server_port":9100,
             "sni":"*.a.com","upstream":{"scheme":"tls","nodes":{"127.0.0.1:1":1}},"plugins":{"mqtt-proxy":{}},
             "protocol":{"name":"redis","superior_id":2,"conf":{},"logger":[{"name":"syslog","filter":[],"conf":{}}]}})",
         ""},
        {Kind::stream_route, "{}", ""},
        {Kind::stream_route, R"({"server_port":0})",
         "property \"server_port\" validation failed: expected 0 to be at least 1"},
        {Kind::stream_route, R"({"remote_addr":"x"})",
         "property \"remote_addr\" validation failed: failed to match pattern \"IPv4 or IPv6 address or network\" with "
         "\"x\""},
        {Kind::stream_route, R"({"protocol":{}})",
         "property \"protocol\" validation failed: property \"name\" is required"},
        {Kind::stream_route, R"({"protocol":{"name":"a","logger":[{"name":"syslog"}]}})",
         "property \"protocol\" validation failed: property \"logger\" validation failed: failed to validate item 1: "
         "property \"conf\" is required when \"name\" is set"},
        {Kind::stream_route, R"({"uri":"/"})", "additional properties forbidden, found uri"},
        {Kind::proto, R"({"content":"x","name":"n","desc":"d","labels":{}})", ""},
        {Kind::proto, "{}", "property \"content\" is required"},
        {Kind::proto, R"({"content":"x","more":1})", "additional properties forbidden, found more"},
    }));
    INFO(text);
    CHECK(refusal(kind, text) == expected);
}
