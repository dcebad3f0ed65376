#include "libgateway/config/environment.hpp"

#include <map>

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::config;

namespace {
Environment some() {
    return [](const std::string& name) -> std::optional<std::string> {
        static const std::map<std::string, std::string> known{
            {"PORT", "9081"}, {"NAME", "text"}, {"YES", "true"}, {"EMPTY", ""}};
        const auto found = known.find(name);
        return found == known.end() ? std::nullopt : std::optional(found->second);
    };
}
std::string text_of(std::string_view text, Errors& errors) {
    return substitute_text(text, some(), errors);
}
std::string values_of(std::string_view text, Errors& errors) {
    json::Value value = json::parse(text);
    substitute_values(value, some(), errors);
    return json::write(value);
}
}  // namespace

TEST_CASE("environment: references in text are replaced before parsing", "[config][environment]") {
    Errors errors;
    REQUIRE(text_of("a: ${{PORT}} ${{ NAME }} ${{X:=d e}} ${{X := }}|${{EMPTY:=x}}", errors) == "a: 9081 text d e |");
    REQUIRE(text_of("${{PORT", errors) == "${{PORT");
    REQUIRE(text_of("$${{PORT}}", errors) == "$9081");
    REQUIRE(text_of("${{not a name}}", errors) == "${{not a name}}");
    REQUIRE(errors.empty());
}

TEST_CASE("environment: a missing variable is an error at its place, not in comments", "[config][environment]") {
    Errors errors;
    text_of("a: 1\n  # ${{GONE}}\nb: ${{GONE}}\n", errors);
    REQUIRE(errors.size() == 1);
    REQUIRE(errors.first() == "failed to handle configuration: can't find environment variable GONE");
    REQUIRE(errors.findings()[0].where == json::Position{3, 4});
}

TEST_CASE("environment: values that were replaced take the type they look like", "[config][environment]") {
    Errors errors;
    REQUIRE(values_of(R"({"a":"${{PORT}}","b":["${{YES}}","x${{PORT}}","9081"],"${{NAME}}":"${{X:=1.50}}"})", errors) ==
            R"({"a":9081,"b":[true,"x9081","9081"],"text":1.50})");
    REQUIRE(errors.empty());
    values_of(R"({"a":"${{GONE}}"})", errors);
    REQUIRE(errors.size() == 1);
}
