#include "tests/plugins/refusal.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"

using namespace gateway;
using namespace gateway::test;

TEST_CASE("echo: each text appears once, however the body comes", "[plugins][echo]") {
    const auto chain = chain_of("echo", R"({"before_body":"<","body":"x","after_body":">"})");
    const auto chunks =
        GENERATE(std::vector<std::string>{}, std::vector<std::string>{"a"}, std::vector<std::string>{"a", "b", "c"});
    const bool end_apart = GENERATE(false, true);
    FakeExchange exchange;
    CHECK(exchange.run(*chain, {200, {}, chunks, end_apart}).body == "<x>");
}

TEST_CASE("echo: without a body of its own the upstream's pieces pass between", "[plugins][echo]") {
    FakeExchange exchange;
    CHECK(
        exchange.run(*chain_of("echo", R"({"before_body":"<","after_body":">"})"), {200, {}, {"a", "b"}, true}).body ==
        "<ab>");
}

TEST_CASE("echo: headers are set as written, empty text removes", "[plugins][echo]") {
    FakeExchange exchange;
    const Seen& answer = exchange.run(*chain_of("echo", R"({"body":"x","headers":{"X-A":"$uri","X-N":1,"X-Gone":""}})"),
                                      {200, {{"X-A", "old"}, {"X-Gone", "1"}}, {"y"}});
    CHECK(answer.field("X-A") == "$uri");
    CHECK(answer.field("X-N") == "1");
    CHECK(answer.field("X-Gone") == "(none)");
}

TEST_CASE("echo: what cannot be configured", "[plugins][echo]") {
    CHECK(refusal("echo", R"({"body":"x","headers":{}})") ==
          "property \"headers\" validation failed: expect object to have at least 1 properties");
    CHECK(refusal("echo", R"({"body":"x","headers":{"A":[1]}})") == "invalid type as header value");
    CHECK(refusal("echo", R"({"body":"x","headers":{"A B":"1"}})") == "invalid field character in header");
}
