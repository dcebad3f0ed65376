// Plugins that an entry runs itself, as multi-auth does, under the list of plugins that may be used.
#include "tests/support/catch.hpp"
#include "tests/unit/sources/rules_of_tests.hpp"

using namespace gateway;
using namespace gateway::sources;

namespace {

std::vector<std::string> errors_of(const CheckRules& rules, std::string_view entry) {
    const json::Value route = json::parse(R"({"uri":"/","plugins":{"echo":)" + std::string(entry) + "}}");
    config::Errors errors, warnings;
    check_item(config::Kind::route, "1", route, rules, errors, warnings);
    std::vector<std::string> texts;
    for (const config::Finding& finding : errors.findings()) texts.push_back(finding.message);
    return texts;
}

}  // namespace

TEST_CASE("check: a plugin inside another one must be on the list too", "[sources][check]") {
    CheckRules rules = testing::rules();
    rules.children = [](std::string_view, const json::Value& entry) {
        const json::Value* body = entry.find("body");
        return std::vector<std::string_view>{body ? std::string_view(body->string()) : "other"};
    };
    CHECK(errors_of(rules, "{}").empty());
    rules.enabled_plugins = std::vector<std::string>{"echo", "other"};
    CHECK(errors_of(rules, "{}").empty());
    CHECK(errors_of(rules, R"({"body":"third"})") ==
          std::vector<std::string>{"failed to check the configuration of plugin echo err: third plugin did not found"});
    rules.enabled_plugins = std::vector<std::string>{"other"};
    CHECK(errors_of(rules, "{}") == std::vector<std::string>{"unknown plugin [echo]"});
}
