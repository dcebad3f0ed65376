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

// Of type auth; its credentials are found by `key`.
struct MarkAuth final : Mark {
    struct Credential {
        std::string key, secret;
        static constexpr auto schema =
            config::fields(config::field("key", &Credential::key, "by which it is found", config::required),
                           config::field("secret", &Credential::secret, "anything"));
    };
    static constexpr std::string_view name = "mark-auth";
    static constexpr int priority = 90005;
    static constexpr bool is_auth = true;
    static constexpr std::string_view credential_key = "key";
    using Mark::Mark;
    Step rewrite(Exchange&) const override { return Verdict::next; }
};
// Its text comes from its metadata, unless the settings have one.
struct MarkMeta final : Mark {
    struct Metadata {
        std::string text = "default";
        static constexpr auto schema = config::fields(config::field("text", &Metadata::text, "for all instances"));
    };
    static constexpr std::string_view name = "mark-meta";
    static constexpr int priority = 90006;
    MarkMeta(Settings settings, BuildScope& scope) : Mark(filled(std::move(settings), scope), scope) {}
    static Settings filled(Settings settings, const BuildScope& scope) {
        if (settings.text.empty()) settings.text = read_metadata<MarkMeta>(scope).text;
        return settings;
    }
};

const Registration<MarkA> mark_a;
const Registration<MarkAuth> mark_auth;
const Registration<MarkMeta> mark_meta;
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

std::uint8_t mark_auth_slot() noexcept {
    return auth_slot<MarkAuth>();
}

int instances_built() noexcept {
    return built;
}

TEST_CASE("test plugins: both are registered", "[snapshot][test_plugins]") {
    REQUIRE(plugin_registry().find("mark-a"));
    REQUIRE(plugin_registry().find("mark-b"));
}

}  // namespace gateway::test
