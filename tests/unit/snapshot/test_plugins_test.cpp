#include "tests/unit/snapshot/test_plugins.hpp"

#include "libgateway/plugin/registry.hpp"
#include "tests/support/catch.hpp"

namespace gateway::test {

namespace {

int built = 0;

class Mark : public Plugin {
public:
    struct Settings {
        std::string text;
        int body = 0;
    };
    static constexpr auto schema = config::fields(config::field("text", &Settings::text, "tells instances apart"),
                                                  config::field("body", &Settings::body, "bytes of body needed"));
    static void check(const Settings& settings, config::Errors& errors) {
        if (settings.text == "bad") errors.add("text must not be bad");
    }
    Mark(Settings settings, BuildScope&) : settings_(std::move(settings)) { ++built; }
    Step access(Exchange&) const override { return Verdict::next; }
    BodyNeeds body_needs() const noexcept override { return {static_cast<std::uint64_t>(settings_.body), 0}; }
    const std::string& text() const noexcept { return settings_.text; }

private:
    Settings settings_;
};

struct MarkA final : Mark {
    static constexpr std::string_view name = "mark-a";
    static constexpr int priority = 90001;
    using Mark::Mark;
};
struct MarkB final : Mark {
    static constexpr std::string_view name = "mark-b";
    static constexpr int priority = 90000;
    using Mark::Mark;
};

const Registration<MarkA> mark_a;
const Registration<MarkB> mark_b;

}  // namespace

std::string plugins_of(const Chain& chain) {
    std::string text;
    for (const auto& instance : chain.instances()) {
        if (!text.empty()) text += ' ';
        text.append(instance->name).append("=").append(static_cast<const Mark&>(*instance->plugin).text());
    }
    return text;
}

int instances_built() noexcept {
    return built;
}

TEST_CASE("test plugins: both are registered", "[snapshot][test_plugins]") {
    REQUIRE(plugin_registry().find("mark-a"));
    REQUIRE(plugin_registry().find("mark-b"));
}

}  // namespace gateway::test
