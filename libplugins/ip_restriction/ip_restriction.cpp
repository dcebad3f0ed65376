#include <algorithm>
#include <string>
#include <vector>

#include "libgateway/base/strings.hpp"
#include "libgateway/plugin/registry.hpp"

namespace gateway::plugins {
namespace {

constexpr std::string_view matches_none = "object matches none of the required";

// Whether it has the letters of an IPv6 network; whether it is one is found out afterwards.
bool looks_like_v6(std::string_view text) noexcept {
    const std::size_t slash = text.find('/');
    const std::string_view address = text.substr(0, slash);
    const bool letters =
        std::all_of(address.begin(), address.end(), [](char c) { return hex_value(c) >= 0 || c == ':' || c == '.'; });
    const bool bits = slash == std::string_view::npos || parse_decimal<unsigned>(text.substr(slash + 1)).has_value();
    return letters && bits && address.find(':') != std::string_view::npos;
}

class IpRestriction final : public Plugin {
public:
    struct Settings {
        std::vector<std::string> whitelist, blacklist;
        std::string message = "Your IP address is not allowed";
        int response_code = 403;
    };
    static constexpr std::string_view name = "ip-restriction";
    static constexpr int priority = 3000;
    static constexpr OnError on_error = OnError::closed;
    static constexpr auto schema =
        config::fields(
            config::field("whitelist", &Settings::whitelist, "networks let through; all others are refused",
                          config::items(1)),
            config::field("blacklist", &Settings::blacklist, "networks refused; all others are let through",
                          config::items(1)),
            config::field("message", &Settings::message, "text of a refusal", config::length(1, 1024)),
            config::field("response_code", &Settings::response_code, "status of a refusal", config::range(403, 404)))
            .exactly_one("whitelist", "blacklist");

    static void check(const Settings& settings, config::Errors& errors) {
        check_networks("whitelist", settings.whitelist, errors);
        check_networks("blacklist", settings.blacklist, errors);
    }

    IpRestriction(Settings settings, BuildScope&)
        : settings_(std::move(settings)), white_(networks(settings_.whitelist)), black_(networks(settings_.blacklist)) {
        refusal_ = json::write(json::Value::object({{"message", settings_.message}}));
    }

    Step access(Exchange& exchange) const override {
        const bool refused =
            settings_.whitelist.empty() ? black_.contains(exchange.client) : !white_.contains(exchange.client);
        if (!refused) return Verdict::next;
        return exchange.respond_with(
            {static_cast<unsigned>(settings_.response_code), LocalReply::Body::json, refusal_});
    }

private:
    static void check_networks(std::string_view field, const std::vector<std::string>& list, config::Errors& errors) {
        const json::Value nowhere;
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (expr::parse_cidr(list[i])) continue;
            if (looks_like_v6(list[i])) {
                errors.add("invalid ip address: " + list[i]);
                continue;
            }
            const config::Errors::Scope scope(errors, config::Errors::Level::property, field, nowhere);
            const config::Errors::Scope item(errors, i, nowhere);
            errors.add(std::string(matches_none));
        }
    }
    static expr::CidrSet networks(const std::vector<std::string>& list) {
        std::vector<expr::Cidr> parsed;
        for (const std::string& text : list) parsed.push_back(expr::parse_cidr(text).value());
        return expr::CidrSet(parsed);
    }

    Settings settings_;
    expr::CidrSet white_, black_;
    std::string refusal_;
};
const Registration<IpRestriction> registration;

}  // namespace
}  // namespace gateway::plugins
