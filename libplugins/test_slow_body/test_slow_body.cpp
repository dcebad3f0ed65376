#include "libplugins/test_slow_body/test_slow_body.hpp"

#include <cstdlib>
#include <string_view>

namespace gateway::plugins {
namespace {

class TestSlowBody final : public Plugin {
public:
    struct Settings {
        int delay_ms = 30;
    };
    static constexpr std::string_view name = "test-slow-body";
    static constexpr int priority = -9000;
    static constexpr auto schema = config::fields(
        config::field("delay_ms", &Settings::delay_ms, "milliseconds to hold each piece", config::range(1, 60000)));

    TestSlowBody(Settings settings, BuildScope&) : settings_(settings) {}

    Step body_filter(Exchange& exchange, BodyChunk& chunk) const override {
        if (chunk.bytes.empty()) return Verdict::next;
        return hold(exchange);
    }

private:
    Task<Verdict> hold(Exchange& exchange) const {
        Task<void> pause = exchange.services().sleep(Milliseconds(settings_.delay_ms));
        co_await pause;
        co_return Verdict::next;
    }
    Settings settings_;
};

const bool registered = [] {
    if (test_plugins_wanted()) plugin_registry().add(test_slow_body_type());
    return true;
}();

}  // namespace

PluginType test_slow_body_type() {
    return plugin_type<TestSlowBody>();
}

bool test_plugins_wanted() noexcept {
    const char* value = std::getenv("GATEWAY_TEST_PLUGINS");
    return value && std::string_view(value) == "1";
}

}  // namespace gateway::plugins
