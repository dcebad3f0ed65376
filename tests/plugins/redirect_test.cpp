#include "tests/plugins/refusal.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

Ref<const Chain> to_https(std::vector<std::uint16_t> tls_ports, const char* attributes = "{}") {
    TestChain chain;
    chain.node.tls_ports = std::move(tls_ports);
    chain.node.plugin_attr = json::parse(attributes);
    return chain.add("redirect", R"~({"http_to_https":true,"ret_code":302})~").make();
}

}  // namespace

TEST_CASE("redirect: http_to_https names the TLS port (RD5)", "[plugins][redirect]") {
    FakeExchange exchange("GET", "/hello?a=1");
    exchange.host = "foo.com";
    const Seen& answer = exchange.run(*to_https({9443}));
    CHECK(answer.status == 301);
    CHECK(answer.field("Location") == "https://foo.com:9443/hello?a=1");
    CHECK(answer.page);
}

TEST_CASE("redirect: other methods keep theirs by 308 (RD6)", "[plugins][redirect]") {
    const auto [method, status] =
        GENERATE(table<std::string, unsigned>({{"POST", 308}, {"PUT", 308}, {"HEAD", 301}, {"GET", 301}}));
    FakeExchange exchange(method, "/hello");
    CHECK(exchange.run(*to_https({9443})).status == status);
}

TEST_CASE("redirect: the port of https is the attribute, else one of the listeners, and 443 goes without saying",
          "[plugins][redirect]") {
    FakeExchange none, usual, attribute, other;
    CHECK(none.run(*to_https({})).field("Location") == "https://localhost/hello");
    CHECK(usual.run(*to_https({443})).field("Location") == "https://localhost/hello");
    CHECK(attribute.run(*to_https({9443}, R"~({"redirect":{"https_port":8443}})~")).field("Location") ==
          "https://localhost:8443/hello");
    other.own_services.next_random = 1;
    CHECK(other.run(*to_https({9443, 9444})).field("Location") == "https://localhost:9444/hello");
}

TEST_CASE("redirect: an encrypted request is let through", "[plugins][redirect]") {
    FakeExchange exchange;
    exchange.scheme = "https";
    CHECK(exchange.run(*to_https({9443})).status == 200);
    FakeExchange behind;
    behind.scheme = "https";
    behind.with("X-Forwarded-Proto", "http");
    CHECK(behind.run(*to_https({9443})).status == 301);
}

TEST_CASE("redirect: no variable can break the Location field", "[plugins][redirect]") {
    FakeExchange exchange("GET", "/a%0d%0aX-Evil:1");
    const Seen& answer = exchange.run(*chain_of("redirect", R"~({"uri":"$uri"})~"));
    CHECK(answer.field("Location") == "/a%0D%0AX-Evil:1");
    FakeExchange plain("GET", "/a%3Fb%20c?q");
    CHECK(plain.run(*to_https({})).field("Location") == "https://localhost/a%3Fb%20c?q");
}

TEST_CASE("redirect: names end where they cannot go on", "[plugins][redirect]") {
    const auto [uri, location] = GENERATE(table<std::string, std::string>({{"$uri.html", "/hello.html"},
                                                                           {"/${uri}x", "//hellox"},
                                                                           {"/$none/", "//"},
                                                                           {"/a$", "/a$"},
                                                                           {"/a$-b", "/a$-b"}}));
    FakeExchange exchange;
    const json::Value conf = json::Value::object({{"uri", uri}});
    CHECK(exchange.run(*chain_of("redirect", json::write(conf))).field("Location") == location);
}

TEST_CASE("redirect: ret_code and the query", "[plugins][redirect]") {
    FakeExchange none, plain("GET", "/hello?x=1"), created;
    CHECK(none.run(*chain_of("redirect", R"~({"uri":"/h","append_query_string":true})~")).field("Location") == "/h");
    CHECK(plain.run(*chain_of("redirect", R"~({"uri":"/h","append_query_string":true})~")).field("Location") ==
          "/h?x=1");
    CHECK(created.run(*chain_of("redirect", R"~({"uri":"/h","ret_code":201})~")).status == 201);
    FakeExchange off;
    CHECK(off.run(*chain_of("redirect", R"~({"http_to_https":false})~")).status == 200);
}

TEST_CASE("redirect: what cannot be configured", "[plugins][redirect]") {
    CHECK(refusal("redirect", R"~({"uri":"/a","http_to_https":true})~") ==
          "value should match only one schema, but matches both schemas 1 and 2");
    CHECK(refusal("redirect", R"~({"regex_uri":["(","/b"]})~").rfind("invalid regex_uri ((, /b), err:", 0) == 0);
    CHECK(refusal("redirect", R"~({"regex_uri":["^/a"]})~") ==
          "property \"regex_uri\" validation failed: expect array to have at least 2 items");
    CHECK(refusal("redirect", R"~({"uri":"/"})~") ==
          "property \"uri\" validation failed: string too short, expected at least 2, got 1");
    CHECK(refusal("redirect", R"~({"uri":"/a","ret_code":199})~") ==
          "property \"ret_code\" validation failed: expected 199 to be at least 200");
}
