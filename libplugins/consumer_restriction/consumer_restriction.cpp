#include <algorithm>
#include <string>
#include <vector>

#include "libgateway/plugin/registry.hpp"

namespace gateway::plugins {
namespace {

enum class Subject : std::uint8_t { consumer_name, consumer_group_id, service_id, route_id };
constexpr auto enum_names(Subject) {
    using Pair = std::pair<std::string_view, Subject>;
    return std::array{Pair{"consumer_name", Subject::consumer_name},
                      Pair{"consumer_group_id", Subject::consumer_group_id}, Pair{"service_id", Subject::service_id},
                      Pair{"route_id", Subject::route_id}};
}

struct MethodRule {
    std::string user;
    std::vector<std::string> methods;
    static constexpr auto schema =
        config::fields(config::field("user", &MethodRule::user, "the value that the rule is for"),
                       config::field("methods", &MethodRule::methods, "what it may do", config::items(1),
                                     config::each(config::one_of("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD",
                                                                 "OPTIONS", "CONNECT", "TRACE", "PURGE"))));
};

class ConsumerRestriction final : public Plugin {
public:
    struct Settings {
        Subject type = Subject::consumer_name;
        std::vector<std::string> whitelist, blacklist;
        std::vector<MethodRule> allowed_by_methods;
        int rejected_code = 403;
        std::optional<std::string> rejected_msg;
    };
    static constexpr std::string_view name = "consumer-restriction";
    static constexpr int priority = 2400;
    static constexpr OnError on_error = OnError::closed;
    static constexpr auto schema =
        config::fields(
            config::field("type", &Settings::type, "what is judged"),
            config::field("blacklist", &Settings::blacklist, "values refused", config::items(1)),
            config::field("whitelist", &Settings::whitelist, "values let through; all others are refused",
                          config::items(1)),
            config::field("allowed_by_methods", &Settings::allowed_by_methods, "methods by value; others are free"),
            config::field("rejected_code", &Settings::rejected_code, "status of a refusal", config::at_least(200)),
            config::field("rejected_msg", &Settings::rejected_msg, "text of a refusal"))
            .any_of("blacklist", "whitelist", "allowed_by_methods");

    ConsumerRestriction(Settings settings, BuildScope&) : settings_(std::move(settings)) {
        const std::string type(config::Codec<Subject>::write(settings_.type).string());
        subject_ = expr::compile_variable(type);
        std::sort(settings_.whitelist.begin(), settings_.whitelist.end());
        std::sort(settings_.blacklist.begin(), settings_.blacklist.end());
        unknown_ = body_of("The request is rejected, please check the " + type + " for this request");
        refusal_ = body_of(settings_.rejected_msg.value_or("The " + type + " is forbidden."));
    }

    Step access(Exchange& exchange) const override {
        expr::VariableValue value;
        if (!exchange.read(subject_, value)) {
            return exchange.respond_with({401, LocalReply::Body::json, unknown_});
        }
        if (!refused(value.plain(), exchange.request.method_text)) return Verdict::next;
        return exchange.respond_with(
            {static_cast<unsigned>(settings_.rejected_code), LocalReply::Body::json, refusal_});
    }

private:
    static std::string body_of(const std::string& message) {
        return json::write(json::Value::object({{"message", json::Value(message)}}));
    }
    static bool holds(const std::vector<std::string>& sorted, std::string_view value) noexcept {
        return std::binary_search(sorted.begin(), sorted.end(), value);
    }
    bool refused(std::string_view value, std::string_view method) const noexcept {
        if (holds(settings_.blacklist, value)) return true;
        if (!settings_.whitelist.empty()) return !holds(settings_.whitelist, value);
        for (const MethodRule& rule : settings_.allowed_by_methods) {
            if (rule.user != value) continue;
            return std::find(rule.methods.begin(), rule.methods.end(), method) == rule.methods.end();
        }
        return false;
    }

    Settings settings_;
    expr::Variable subject_;
    std::string unknown_, refusal_;
};
const Registration<ConsumerRestriction> registration;

}  // namespace
}  // namespace gateway::plugins
