#include "libgateway/plugin/registry.hpp"

#include <cstdlib>

#include "libgateway/plugin/check.hpp"
#include "libgateway/plugin/instance.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"
#include "tests/unit/plugin/probe.hpp"

using namespace gateway;

namespace {

class Sample final : public Plugin {
public:
    struct Settings {
        int level = 3;
    };
    static constexpr std::string_view name = "sample";
    static constexpr int priority = 12;
    static constexpr OnError on_error = OnError::closed;
    static constexpr auto schema =
        config::fields(config::field("level", &Settings::level, "how much", config::range(1, 9))).closed_plugin();
    static void check(const Settings& settings, config::Errors& errors) {
        if (settings.level == 5) errors.add("five is not allowed");
    }
    Sample(Settings settings, BuildScope& scope) : settings_(settings), where_(scope.where) {}
    Step access(Exchange&) const override { return Verdict::next; }
    Step log(Exchange&) const override { return Verdict::next; }
    Settings settings_;
    std::string where_;
};
const Registration<Sample> registration;

std::string first_error(std::string_view name, std::string_view text) {
    config::Errors errors;
    std::vector<std::string> warnings;
    check_plugin(name, json::parse(text), errors, warnings);
    return std::string(errors.first());
}

PluginType named(std::string_view name, int priority) {
    PluginType type;
    type.name = name;
    type.priority = priority;
    return type;
}

}  // namespace

TEST_CASE("registry: a registered plugin is found with its phases and class constants", "[plugin][registry]") {
    const PluginType* type = plugin_registry().find("sample");
    REQUIRE(type);
    CHECK(type->phases == (test::only(Phase::access) | test::only(Phase::log)));
    CHECK(type->on_error == OnError::closed);
    CHECK(type->schema().rows().size() == 1);
    CHECK_FALSE(plugin_registry().find("Sample"));
}

TEST_CASE("registry: types are kept by priority", "[plugin][registry]") {
    PluginRegistry registry;
    for (const int priority : {5, 900, -3}) registry.add(named(priority == 5 ? "five" : "other", priority));
    CHECK(registry.types()[0].priority == 900);
    CHECK(registry.types()[2].priority == -3);
}

TEST_CASE("registry: a name or a priority taken twice is a problem to report at start", "[plugin][registry]") {
    PluginRegistry registry;
    registry.add(named("one", 1));
    registry.add(named("two", 2));
    CHECK(registry.problem() == "");
    registry.add(named("three", 2));
    CHECK(registry.problem() == "plugins three and two have the same priority 2");
    PluginRegistry twice;
    twice.add(named("one", 1));
    twice.add(named("one", 7));
    CHECK(twice.problem() == "plugin one is registered twice");
}

TEST_CASE("check: entries are judged in the words of the Admin API", "[plugin][check]") {
    const std::string prefix = "failed to check the configuration of plugin sample err: ";
    CHECK(first_error("sample", "{}") == "");
    CHECK(first_error("sample", "null") == "");
    CHECK(first_error("samples", "{}") == "unknown plugin [samples]");
    CHECK(first_error("sample", "[1]") == "invalid plugin conf [1] for plugin [sample]");
    CHECK(first_error("sample", R"({"level":10})") ==
          prefix + "property \"level\" validation failed: expected 10 to be at most 9");
    CHECK(first_error("sample", R"({"level":5})") == prefix + "five is not allowed");
    CHECK(first_error("sample", R"({"_meta":{"x":1}})") ==
          prefix + "property \"_meta\" validation failed: additional properties forbidden, found x");
    CHECK(first_error("sample", R"({"_meta":{"priority":1},"level":4})") == "");
}

TEST_CASE("check: a disabled entry is accepted with a warning", "[plugin][check]") {
    config::Errors errors;
    std::vector<std::string> warnings;
    check_plugin("sample", json::parse(R"({"level":10,"_meta":{"disable":true}})"), errors, warnings);
    CHECK(errors.empty());
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].find("expected 10 to be at most 9") != std::string::npos);
}

TEST_CASE("instance cache: the same entry of the same object is one instance while it is used", "[plugin][instance]") {
    InstanceCache cache;
    const json::Value config = json::parse(R"({"level":2})");
    auto first = cache.get("sample", config, "services/1");
    CHECK(cache.get("sample", json::parse(R"({"level":2})"), "services/1").get() == first.get());
    CHECK(cache.get("sample", json::parse(R"({"level":4})"), "services/1").get() != first.get());
    CHECK(cache.get("sample", config, "services/2").get() != first.get());
    CHECK(cache.size() == 1);
    CHECK(static_cast<const Sample&>(*first->plugin).where_ == "services/1");
    first = nullptr;
    CHECK(cache.size() == 0);
}

TEST_CASE("instance cache: what cannot be built throws and leaves nothing behind", "[plugin][instance]") {
    InstanceCache cache;
    CHECK_THROWS_AS(cache.get("nobody", json::parse("{}"), "routes/1"), config::Error);
    CHECK_THROWS_AS(cache.get("sample", json::parse(R"({"level":5})"), "routes/1"), config::Error);
    CHECK(cache.size() == 0);
}

TEST_CASE("instance cache: instances may outlive it", "[plugin][instance]") {
    Ref<const Instance> kept;
    {
        InstanceCache cache;
        kept = cache.get("sample", json::parse(R"({"_meta":{"priority":99}})"), "routes/1");
    }
    CHECK(kept->priority == 99);
    CHECK(kept->on_error == OnError::closed);
}

namespace {

class Badge final : public Plugin {
public:
    struct Settings {
        std::string token;
    };
    static constexpr std::string_view name = "badge";
    static constexpr int priority = 13;
    static constexpr auto schema =
        config::fields(config::field("token", &Settings::token, "a secret", config::encrypted));
    Badge(Settings settings, BuildScope&) : token_(std::move(settings.token)) {}
    Step access(Exchange& exchange) const override {
        return exchange.respond_with({200, LocalReply::Body::bytes, token_});
    }

private:
    std::string token_;
};

test::Seen answer_of_badge(OnError on_error, std::string_view token) {
    PluginType type = plugin_type<Badge>();
    type.on_error = on_error;
    BuildScope scope{"routes/1"};
    const json::Value config = json::Value::object({{"token", token}});
    test::FakeExchange exchange;
    return exchange.run(*Chain::make({make_instance(type, config, scope)}));
}

}  // namespace

TEST_CASE("instance: without its secret a plugin that protects something lets no request pass", "[plugin][registry]") {
    const test::LogLines lines;
    const std::string text = GENERATE(as<std::string>{}, "$env://GATEWAY_TEST_NOT_SET", "$secret://vault/1/a");
    CHECK(answer_of_badge(OnError::closed, text).status == 500);
    REQUIRE(lines.all().size() >= 2);
    CHECK(lines.all()[0].find("failed to resolve secret reference: " + text + ", field: token") != std::string::npos);
    CHECK(lines.all()[1].find("badge of routes/1 cannot be used without its secrets") != std::string::npos);
}

TEST_CASE("instance: a secret that resolves is used, by other plugins the text where it does not",
          "[plugin][registry]") {
    const test::LogLines lines;
    ::setenv("GATEWAY_TEST_BADGE", "s3cret", 1);
    CHECK(answer_of_badge(OnError::closed, "$env://GATEWAY_TEST_BADGE").body == "s3cret");
    ::unsetenv("GATEWAY_TEST_BADGE");
    CHECK(answer_of_badge(OnError::open, "$env://GATEWAY_TEST_NOT_SET").body == "$env://GATEWAY_TEST_NOT_SET");
}
