#include "libgateway/plugin/merge.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/plugin/probe.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

// "name=where:json" of every entry that runs; a disabled winner as "name=where:off".
std::vector<std::string> told(const std::vector<PluginEntry>& list) {
    std::vector<std::string> lines;
    for (const PluginEntry& entry : list) {
        lines.push_back(std::string(entry.name) + "=" + std::string(entry.where) + ":" +
                        (entry.enabled ? json::write(*entry.config) : "off"));
    }
    return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("merge: the plugin config beats the route by default, both beat the service", "[plugin][merge]") {
    const json::Value service = json::parse(R"({"a":{"v":1},"b":{"v":1},"c":{"v":1}})");
    const json::Value shared = json::parse(R"({"b":{"v":2},"d":{"v":2}})");
    const json::Value route = json::parse(R"({"b":{"v":3},"c":{"v":3},"e":{"v":3}})");
    const RoutePlugins sources{{"services/1", &service}, {"plugin_configs/1", &shared}, {"routes/1", &route}};
    CHECK(told(merge_route_plugins(sources, true)) == Lines{R"(a=services/1:{"v":1})", R"(b=plugin_configs/1:{"v":2})",
                                                            R"(c=routes/1:{"v":3})", R"(e=routes/1:{"v":3})",
                                                            R"(d=plugin_configs/1:{"v":2})"});
    CHECK(told(merge_route_plugins(sources, false))[1] == R"(b=routes/1:{"v":3})");
}

TEST_CASE("merge: entries are replaced whole, never field by field", "[plugin][merge]") {
    const json::Value service = json::parse(R"({"a":{"x":1,"y":1}})");
    const json::Value route = json::parse(R"({"a":{"y":2}})");
    CHECK(told(merge_route_plugins({{"services/1", &service}, {}, {"routes/1", &route}}, true)) ==
          Lines{R"(a=routes/1:{"y":2})"});
}

TEST_CASE("merge: a disabled winner switches the plugin off and nothing lower comes back", "[plugin][merge]") {
    const json::Value service = json::parse(R"({"a":{"x":1}})");
    const auto text = GENERATE(R"({"a":{"_meta":{"disable":true}}})", R"({"a":{"disable":true}})", R"({"a":7})");
    const json::Value route = json::parse(text);
    CHECK(told(merge_route_plugins({{"services/1", &service}, {}, {"routes/1", &route}}, true)) ==
          Lines{"a=routes/1:off"});
}

TEST_CASE("merge: null stands for an empty object", "[plugin][merge]") {
    const json::Value route = json::parse(R"({"a":null})");
    CHECK(told(merge_route_plugins({{}, {}, {"routes/1", &route}}, true)) == Lines{"a=routes/1:{}"});
}

TEST_CASE("merge: a plugin in two global rules runs in neither", "[plugin][merge]") {
    const json::Value one = json::parse(R"({"a":{},"b":{}})");
    const json::Value two = json::parse(R"({"b":{},"c":{}})");
    const json::Value three = json::parse(R"({"b":{}})");
    const std::vector<PluginSource> rules{
        {"global_rules/1", &one}, {"global_rules/2", &two}, {"global_rules/3", &three}, {"global_rules/4", nullptr}};
    std::vector<std::string> duplicates;
    const LogLines lines;
    CHECK(told(merge_global_rules(rules, &duplicates)) == Lines{"a=global_rules/1:{}", "c=global_rules/2:{}"});
    CHECK(duplicates == Lines{"b"});
    CHECK(lines.all() ==
          Lines{"error: Found b configured across different global rules. Removing it from execution list"});
}
