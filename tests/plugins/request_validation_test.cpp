#include "tests/plugins/refusal.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

Seen post(std::string_view conf, std::string_view body, std::string_view type = "application/json") {
    FakeExchange exchange("POST");
    exchange.with("Content-Type", type).with_body(body);
    const LogLines lines;
    Seen seen = exchange.run(*chain_of("request-validation", conf));
    if (exchange.upstream) seen.body = exchange.upstream->body;
    return seen;
}

}  // namespace

TEST_CASE("request-validation: forms are documents of strings, true and arrays", "[plugins][request_validation]") {
    const std::string conf = R"({"body_schema":{"properties":{"a":{"type":"array"},"b":{"enum":[true]},
                                 "c d":{"enum":["x y"]}},"required":["a","b","c d"]}})";
    const std::string form = "APPLICATION/x-www-form-urlencoded; charset=utf-8";
    const Seen good = post(conf, "a=1&b&a=2&&c+d=x%20y", form);
    CHECK(good.status == 200);
    CHECK(good.body == "a=1&b&a=2&&c+d=x%20y");
    CHECK(post(conf, "a=1&b&c+d=x%20y", form).body ==
          "property \"a\" validation failed: wrong type: expected array, got string");
}

TEST_CASE("request-validation: repeated fields are an array of strings", "[plugins][request_validation]") {
    FakeExchange exchange;
    exchange.with("X-A", "1").with("x-a", "2");
    const LogLines lines;
    const Seen& answer = exchange.run(
        *chain_of("request-validation", R"({"header_schema":{"properties":{"x-a":{"type":"array","maxItems":1}}}})"));
    CHECK(answer.body == "property \"x-a\" validation failed: expect array to have at most 1 items");
}

TEST_CASE("request-validation: what is no JSON is refused with the place", "[plugins][request_validation]") {
    const std::string conf = R"({"body_schema":{"type":"object"}})";
    CHECK(post(conf, "{\"a\":x}").body == "Expected value but found invalid token at character 6");
    CHECK(post(conf, "{").status == 400);
    CHECK(post(conf, "").page);
    CHECK(post(R"({"body_schema":{},"max_req_body_size":3})", "[11]").page);
    CHECK(post(R"({"body_schema":{},"max_req_body_size":4})", "[11]").body == "[11]");
}

TEST_CASE("request-validation: schemas that are none are refused", "[plugins][request_validation]") {
    CHECK(refusal("request-validation", "{}") ==
          R"(object matches none of the required: ["header_schema"] or ["body_schema"])");
    CHECK(refusal("request-validation", R"({"body_schema":{"properties":{"a":{"type":"test"}}}})") ==
          "invalid JSON type: test");
    CHECK(refusal("request-validation", R"({"body_schema":"x"})") ==
          "property \"body_schema\" validation failed: wrong type: expected object, got string");
    CHECK(refusal("request-validation", R"({"body_schema":{},"rejected_code":199})") ==
          "property \"rejected_code\" validation failed: expected 199 to be at least 200");
}
