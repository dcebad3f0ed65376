#include <optional>
#include <string>
#include <vector>

#include "libgateway/expr/variable.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libplugins/common/message.hpp"
#include "libplugins/common/regex_list.hpp"

namespace gateway::plugins {
namespace {

class UriBlocker final : public Plugin {
public:
    struct Settings {
        std::vector<std::string> block_rules;
        int rejected_code = 403;
        std::optional<std::string> rejected_msg;
        bool case_insensitive = false;
    };
    static constexpr std::string_view name = "uri-blocker";
    static constexpr int priority = 2900;
    static constexpr OnError on_error = OnError::closed;
    static constexpr auto schema = config::fields(
        config::field("block_rules", &Settings::block_rules, "expressions on path and query", config::required,
                      config::unique, config::each(config::length(1, 4096))),
        config::field("rejected_code", &Settings::rejected_code, "status of a refusal", config::at_least(200)),
        config::field("rejected_msg", &Settings::rejected_msg, "text of a refusal; without it the page of the status",
                      config::length(1)),
        config::field("case_insensitive", &Settings::case_insensitive, "letters of either case are equal"));

    static void check(const Settings& settings, config::Errors& errors) {
        RegexList::check(settings.block_rules, errors);
    }

    UriBlocker(Settings settings, BuildScope&)
        : rules_(settings.block_rules,
                 settings.case_insensitive ? expr::RegexCase::insensitive : expr::RegexCase::sensitive),
          status_(static_cast<unsigned>(settings.rejected_code)),
          target_(expr::compile_variable("request_uri")) {
        if (settings.rejected_msg) refusal_ = message_body("error_msg", *settings.rejected_msg);
    }

    Step rewrite(Exchange& exchange) const override {
        if (rules_.empty()) return Verdict::next;
        expr::VariableValue target;
        const bool known = exchange.read(target_, target);
        // A rule that gives up blocks: what cannot be judged does not pass.
        if (known && rules_.any(target.text) == expr::RegexResult::no_match) return Verdict::next;
        if (refusal_.empty()) return exchange.respond_with({status_, LocalReply::Body::page, {}});
        return exchange.respond_with({status_, LocalReply::Body::json, refusal_});
    }

private:
    RegexList rules_;
    unsigned status_;
    expr::Variable target_;
    std::string refusal_;
};
const Registration<UriBlocker> registration;

}  // namespace
}  // namespace gateway::plugins
