#include "libgateway/plugin/meta.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/plugin/probe.hpp"

using namespace gateway;

namespace {

std::string first_error(std::string_view text) {
    config::Errors errors;
    check_meta("echo", json::parse(text), errors);
    return std::string(errors.first());
}

}  // namespace

TEST_CASE("meta: every known key is accepted", "[plugin][meta]") {
    CHECK(first_error(R"({})") == "");
    CHECK(first_error(R"({"_meta":{}})") == "");
    CHECK(first_error(
              R"({"_meta":{"disable":false,"priority":-5,"error_response":{"a":1},"filter":[["arg_a","==","1"]]}})") ==
          "");
    CHECK(first_error(R"({"_meta":{"error_response":"text"}})") == "");
}

TEST_CASE("meta: what is wrong is told in the words of the reference", "[plugin][meta]") {
    const std::string at = "property \"_meta\" validation failed: ";
    CHECK(first_error(R"({"_meta":{"unknown":1}})") == at + "additional properties forbidden, found unknown");
    CHECK(first_error(R"({"_meta":1})") == at + "wrong type: expected object, got number");
    CHECK(first_error(R"({"_meta":{"disable":"yes"}})") ==
          at + "property \"disable\" validation failed: wrong type: expected boolean, got string");
    CHECK(
        first_error(R"({"_meta":{"error_response":1}})") ==
        at + "property \"error_response\" validation failed: wrong type: expected one of <string, object>, got number");
    CHECK(first_error(R"({"_meta":{"filter":["arg_a","==","1"]}})")
              .find("failed to validate the 'vars' expression: rule should be wrapped inside brackets") !=
          std::string::npos);
}

TEST_CASE("meta: pre_function is refused by name", "[plugin][meta]") {
    CHECK(first_error(R"({"_meta":{"pre_function":"return function() end"}})")
              .find("failed to load _meta.pre_function in plugin echo: scripting is disabled (not supported by this "
                    "build)") != std::string::npos);
}

TEST_CASE("meta: compiling keeps what the chain needs", "[plugin][meta]") {
    const Meta meta = compile_meta(json::parse(
        R"({"_meta":{"priority":7,"error_response":{"n":12345678901234567890},"filter":[["arg_a","==","1"]]}})"));
    CHECK(meta.priority == 7);
    CHECK(meta.error_response_is_json);
    CHECK(meta.error_response == R"({"n":12345678901234567890})");
    CHECK(meta.filter);
    CHECK_FALSE(compile_meta(json::parse(R"({"_meta":{"filter":[]}})")).filter);
}

TEST_CASE("meta: a filter that does not compile is left out with a warning", "[plugin][meta]") {
    const test::LogLines lines;
    CHECK_FALSE(compile_meta(json::parse(R"({"_meta":{"filter":[["a","bad op","1"]]}})")).filter);
    REQUIRE(lines.all().size() == 1);
    CHECK(lines.all()[0] == "warn: failed to validate the 'vars' expression: invalid operator 'bad op'");
}

TEST_CASE("meta: old documents disable at the top level", "[plugin][meta]") {
    CHECK(is_disabled(json::parse(R"({"disable":true})")));
    CHECK(is_disabled(json::parse(R"({"_meta":{"disable":true}})")));
    CHECK_FALSE(is_disabled(json::parse(R"({"_meta":{"disable":false}})")));
    CHECK_FALSE(is_disabled(json::parse(R"({"_meta":"disable"})")));
    CHECK_FALSE(is_disabled(json::parse("[]")));
}
