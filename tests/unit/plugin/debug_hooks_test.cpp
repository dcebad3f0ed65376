// Advanced debug mode: which stages print, what, and for which requests.
#include "libgateway/plugin/debug_hooks.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/log_lines.hpp"
#include "tests/unit/plugin/probe.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

class Watched final : public Plugin {
public:
    struct Settings {
        int unused = 0;
    };
    static constexpr std::string_view name = "watched";
    static constexpr int priority = 77;
    static constexpr auto schema = config::fields(config::field("unused", &Settings::unused, "nothing"));
    Watched(Settings, BuildScope&) {}
    Step access(Exchange& exchange) const override {
        return exchange.respond_with({403, LocalReply::Body::bytes, "no"});
    }
    Step header_filter(Exchange& exchange) const override { return waiting(exchange); }

private:
    Task<Verdict> waiting(Exchange& exchange) const {
        Task<void> sleep = exchange.services().sleep(Milliseconds(10));
        co_await sleep;
        co_return Verdict::next;
    }
};
const Registration<Watched> registration;

config::DebugConfig hooks_of(config::Members<std::vector<std::string>> list) {
    config::DebugConfig config;
    config.hook_conf.enable = true;
    config.hooks = std::move(list);
    return config;
}

// What a request through `watched` prints.
std::vector<std::string> lines_of(const config::DebugConfig& config, std::string_view field = "X-Other") {
    std::vector<std::string> problems;
    const DebugHooks hooks(config, problems);
    BuildScope scope{"routes/1"};
    FakeExchange exchange;
    exchange.with(field, "1");
    if (hooks.concern(exchange)) exchange.hooks = &hooks;
    exchange.traced = exchange.hooks != nullptr;
    const LogLines lines;
    exchange.run(*Chain::make({make_instance(plugin_type<Watched>(), json::Value::object(), scope)}));
    std::vector<std::string> ours;
    for (const std::string& line : lines.all()) {
        if (line.find("call require") != std::string::npos) ours.push_back(line);
    }
    return ours;
}

}  // namespace

TEST_CASE("debug hooks: a phase of a plugin prints what comes in and what comes out, waiting or not",
          "[plugin][debug_hooks]") {
    const auto lines = lines_of(hooks_of({{"apisix.plugins.watched", {"access", "header_filter"}}}));
    REQUIRE(lines.size() == 4);
    CHECK(lines[0].find("warn: call require(\"apisix.plugins.watched\").access() args:{ conf: routes/1, method: GET, "
                        "uri: /hello, host: localhost, client: 127.0.0.1 } request_id: ") == 0);
    CHECK(lines[1].find("warn: call require(\"apisix.plugins.watched\").access() return:{ status: 403 }") == 0);
    CHECK(lines[3].find("warn: call require(\"apisix.plugins.watched\").header_filter() return:{}") == 0);
}

TEST_CASE("debug hooks: D10: args and results are switched apart, the level is chosen", "[plugin][debug_hooks]") {
    config::DebugConfig config = hooks_of({{"apisix.plugins.watched", {"access"}}});
    config.hook_conf.log_level = "error";
    config.hook_conf.is_print_input_args = false;
    auto lines = lines_of(config);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].find("error: call require(\"apisix.plugins.watched\").access() return:") == 0);
    config.hook_conf.is_print_return_value = false;
    CHECK(lines_of(config).empty());
}

TEST_CASE("debug hooks: D11: with the filter only requests that have the field are concerned",
          "[plugin][debug_hooks]") {
    config::DebugConfig config = hooks_of({{"apisix.plugins.watched", {"access"}}});
    config.http_filter.enable = true;
    CHECK(lines_of(config).empty());
    CHECK(lines_of(config, "x-apisix-dynamic-debug").size() == 2);
}

TEST_CASE("debug hooks: D12: what is not known is named, the others work", "[plugin][debug_hooks]") {
    std::vector<std::string> problems;
    const DebugHooks hooks(hooks_of({{"apisix", {"nothing", "http_log_phase", "stream_log_phase"}},
                                     {"apisix.nowhere", {"a", "b"}},
                                     {"apisix.plugins.nobody", {"access"}},
                                     {"apisix.plugins.watched", {"log"}}}),
                           problems);
    CHECK(problems == std::vector<std::string>{"failed to find function [nothing] in module:apisix",
                                               "failed to load module [apisix.nowhere]: not found",
                                               "failed to load module [apisix.plugins.nobody]: not found",
                                               "failed to find function [log] in module:apisix.plugins.watched"});
    CHECK(hooks.any());
}

TEST_CASE("debug hooks: no field of a request is printed, so no secret is", "[plugin][debug_hooks]") {
    const auto config = hooks_of({{"apisix.plugins.watched", {"access", "header_filter"}}});
    for (const std::string& line : lines_of(config, "Authorization"))
        CHECK(line.find("Authorization") == std::string::npos);
}
