#include <string>
#include <vector>

#include "libgateway/base/strings.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libplugins/common/message.hpp"
#include "libplugins/common/regex_list.hpp"

namespace gateway::plugins {
namespace {

class UaRestriction final : public Plugin {
public:
    struct Settings {
        std::vector<std::string> allowlist, denylist;
        bool bypass_missing = false;
        std::string message = "Not allowed";
    };
    static constexpr std::string_view name = "ua-restriction";
    static constexpr int priority = 2999;
    static constexpr OnError on_error = OnError::closed;
    static constexpr auto schema =
        config::fields(
            config::field("allowlist", &Settings::allowlist, "expressions; who matches none is refused",
                          config::items(1), config::each(config::length(1))),
            config::field("denylist", &Settings::denylist, "expressions; who matches one is refused", config::items(1),
                          config::each(config::length(1))),
            config::field("bypass_missing", &Settings::bypass_missing, "let requests without User-Agent through"),
            config::field("message", &Settings::message, "text of a refusal", config::length(1, 1024)))
            .exactly_one("allowlist", "denylist");

    static void check(const Settings& settings, config::Errors& errors) {
        RegexList::check(settings.allowlist, errors);
        RegexList::check(settings.denylist, errors);
    }

    UaRestriction(Settings settings, BuildScope&)
        : bypass_missing_(settings.bypass_missing),
          allow_(settings.allowlist),
          deny_(settings.denylist),
          refusal_(message_body("message", settings.message)) {}

    Step access(Exchange& exchange) const override {
        if (may_pass(exchange.request.fields)) return Verdict::next;
        return exchange.respond_with({403, LocalReply::Body::json, refusal_});
    }

private:
    // An expression that gives up neither allows nor acquits.
    bool may_pass(const http::Fields& fields) const noexcept {
        bool any = false, allowed = false;
        for (const http::Field& field : fields) {
            if (field.id != http::FieldName::user_agent) continue;
            any = true;
            const std::string_view agent = trim(field.value);
            if (allow_.empty() && deny_.any(agent) != expr::RegexResult::no_match) return false;
            allowed = allowed || allow_.any(agent) == expr::RegexResult::match;
        }
        if (!any) return bypass_missing_;
        return allow_.empty() || allowed;
    }

    bool bypass_missing_;
    RegexList allow_, deny_;
    std::string refusal_;
};
const Registration<UaRestriction> registration;

}  // namespace
}  // namespace gateway::plugins
