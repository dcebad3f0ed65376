#include "tests/plugins/refusal.hpp"
#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

std::string sent(std::string_view conf, std::string_view target) {
    FakeExchange exchange("GET", target);
    exchange.run(*chain_of("proxy-rewrite", conf));
    return exchange.upstream ? exchange.upstream->line.substr(4) : "(answered)";
}

}  // namespace

TEST_CASE("proxy-rewrite: nothing in a variable can end the path or break the request line",
          "[plugins][proxy_rewrite]") {
    CHECK(sent(R"~({"uri":"/$arg_p"})~", "/x?p=a%3Fb") == "/a%3Fb?p=a%3Fb");
    CHECK(sent(R"~({"uri":"/$arg_p"})~", "/x?p=a%0d%0aB%20%22%23%25%ff") ==
          "/a%0D%0AB%20%22%23%25%FF?p=a%0d%0aB%20%22%23%25%ff");
    CHECK(sent(R"~({"uri":"/r?v=$arg_p"})~", "/x?p=a%3Fb%0a") == "/r?v=a%3Fb%0A&p=a%3Fb%0a");
    CHECK(sent(R"~({"uri":"/r?v=$arg_p"})~", "/x?p=a+HTTP/1.0%20") == "/r?v=a%20HTTP/1.0%20&p=a+HTTP/1.0%20");
    CHECK(sent(R"~({"uri":"/$arg_p","use_real_request_uri_unsafe":true})~", "/x?p=a%20%0d%0ab") ==
          "/a%20%0D%0Ab?p=a%20%0d%0ab");
}

TEST_CASE("proxy-rewrite: a default text with a question mark does not split the target", "[plugins][proxy_rewrite]") {
    CHECK(sent(R"~({"uri":"/${arg_none ?? n}/y?q=1"})~", "/x") == "/n/y?q=1");
}

TEST_CASE("proxy-rewrite: without a new target the bytes of the client are sent on", "[plugins][proxy_rewrite]") {
    CHECK(sent(R"~({"method":"GET"})~", "/a%20%41?x=%31") == "/a%20%41?x=%31");
    CHECK(sent(R"~({"regex_uri":["^/none","/y"]})~", "/a%20%41?x=%31") == "/a%20%41?x=%31");
    CHECK(sent(R"~({"use_real_request_uri_unsafe":true})~", "/a%20//b/%2e?x") == "/a%20//b/%2e?x");
}

TEST_CASE("proxy-rewrite: expressions see the decoded path, their result is encoded", "[plugins][proxy_rewrite]") {
    CHECK(sent(R"~({"regex_uri":["^/a b/(.*)","/c d/$1"]})~", "/a%20b/%C3%A4?q=1") == "/c%20d/%C3%A4?q=1");
    CHECK(sent(R"~({"regex_uri":["b","$$"]})~", "/abcb") == "/a$cb");
    CHECK(sent(R"~({"regex_uri":["^/","x"]})~", "/a") == "/xa");
    CHECK(sent(R"~({"regex_uri":["^(.*)%20(.*)$","$1-$2"],"use_real_request_uri_unsafe":true})~", "/a%20b?q=1") ==
          "/a-b?q=1");
}

TEST_CASE("proxy-rewrite: an expression that gives up is answered with 500", "[plugins][proxy_rewrite]") {
    FakeExchange exchange("GET", "/" + std::string(60, 'a') + "b");
    const LogLines lines;
    const Seen& answer = exchange.run(*chain_of("proxy-rewrite", R"~({"regex_uri":["(*NO_JIT)(a+)+$","/x"]})~"));
    CHECK(answer.status == 500);
    CHECK(answer.body.rfind("{\"error_msg\":\"failed to match the uri /aaa", 0) == 0);
    CHECK_FALSE(exchange.upstream);
}

TEST_CASE("proxy-rewrite: variables keep their values for later plugins", "[plugins][proxy_rewrite]") {
    FakeExchange exchange("GET", "/old?a=1");
    exchange.run(*TestChain()
                      .add("proxy-rewrite", R"~({"uri":"/new?b=2"})~")
                      .add("redirect", R"~({"uri":"$uri?$args","ret_code":307})~")
                      .make());
    CHECK(exchange.answer.field("Location") == "/old?a=1");
}

TEST_CASE("proxy-rewrite: Host among the headers changes nothing, the setting does", "[plugins][proxy_rewrite]") {
    FakeExchange exchange;
    exchange.run(*chain_of("proxy-rewrite", R"~({"host":"h.test","headers":{"set":{"hOsT":"evil","X-A":"1"}}})~"));
    CHECK(exchange.upstream->host == "h.test");
    CHECK(exchange.upstream->field("Host") == "localhost");
    CHECK(exchange.upstream->field("X-A") == "1");
}

TEST_CASE("proxy-rewrite: an array sets several fields, framing fields are left alone", "[plugins][proxy_rewrite]") {
    FakeExchange exchange;
    exchange.with("x-a", "old").with("Content-Length", "5");
    exchange.run(
        *chain_of("proxy-rewrite",
                  R"~({"headers":{"set":{"x-a":["1","2"],"content-length":9,"Transfer-Encoding":"chunked"}}})~"));
    CHECK(exchange.upstream->field("x-a") == "1, 2");
    CHECK(exchange.upstream->field("content-length") == "5");
    CHECK(exchange.upstream->field("transfer-encoding") == "(none)");
}

TEST_CASE("proxy-rewrite: captures are empty when no expression matched", "[plugins][proxy_rewrite]") {
    FakeExchange exchange("GET", "/other");
    exchange.run(*chain_of("proxy-rewrite", R"~({"regex_uri":["^/t/(.*)","/$1"],"headers":{"set":{"x":"v-$1"}}})~"));
    CHECK(exchange.upstream->field("x") == "v-");
}

TEST_CASE("proxy-rewrite: the hot path allocates nothing outside the arena", "[plugins][proxy_rewrite]") {
    const auto chain = chain_of(
        "proxy-rewrite", R"~({"regex_uri":["^/t/(.*)","/$1"],"host":"a.b","headers":{"set":{"x":"v-$1-$arg_a"}}})~");
    FakeExchange warm("GET", "/t/x?a=1"), exchange("GET", "/t/x?a=1");
    (void)chain->run<Phase::rewrite>(warm);
    exchange.arena().take(1);
    const AllocCount count;
    (void)chain->run<Phase::rewrite>(exchange);
    CHECK(count.count() == 0);
    CHECK(exchange.upstream_uri == "/x?a=1");
}

TEST_CASE("proxy-rewrite: what cannot be configured", "[plugins][proxy_rewrite]") {
    CHECK(refusal("proxy-rewrite", "{}") == "expect object to have at least 1 properties");
    CHECK(refusal("proxy-rewrite", R"~({"regex_uri":["^/a","/b","^/c"]})~") ==
          "The length of regex_uri should be an even number");
    CHECK(refusal("proxy-rewrite", R"~({"regex_uri":["^/(a","/b"]})~").rfind("invalid regex_uri(^/(a, /b): ", 0) == 0);
    CHECK(refusal("proxy-rewrite", R"~({"method":"CONNECT"})~") ==
          "property \"method\" validation failed: matches none of the enum values");
    CHECK(refusal("proxy-rewrite", R"~({"host":"a_b"})~") ==
          "property \"host\" validation failed: failed to match pattern \"^[0-9a-zA-Z-.]+(:\\d{1,5})?$\" with \"a_b\"");
    CHECK(refusal("proxy-rewrite", R"~({"host":"a:123456"})~") != "");
    CHECK(refusal("proxy-rewrite", R"~({"uri":""})~") != "");
    CHECK(refusal("proxy-rewrite", R"~({"headers":{"X-A":true}})~") == "invalid type as header value");
    CHECK(refusal("proxy-rewrite", R"~({"headers":{"":"v"}})~") == "invalid field length in header");
    CHECK(refusal("proxy-rewrite", R"~({"headers":{"X A":"v"}})~") == "invalid field character in header");
    CHECK(refusal("proxy-rewrite", "{\"headers\":{\"X-A\":\"\\u00e4\"}}") == "invalid value character in header");
    CHECK(
        refusal("proxy-rewrite", R"~({"headers":{"set":{}}})~") ==
        "property \"headers\" validation failed: property \"set\" validation failed: expect object to have at least 1 "
        "properties");
    CHECK(refusal("proxy-rewrite", R"~({"headers":{"remove":["a:b"]}})~").find("failed to match pattern \"^[^:]+$\"") !=
          std::string::npos);
}
