#include <algorithm>
#include <string>
#include <vector>

#include "libgateway/base/strings.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libplugins/common/message.hpp"

namespace gateway::plugins {
namespace {

constexpr bool is_letter(char c) noexcept {
    return to_lower(c) >= 'a' && to_lower(c) <= 'z';
}

bool is_host_text(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return is_digit(c) || is_letter(c) || std::string_view("-._[]:").find(c) != std::string_view::npos;
    });
}

bool is_host_pattern(std::string_view text) {
    if (text == "*") return true;
    if (text.starts_with('*')) text.remove_prefix(1);
    return is_host_text(text);
}

// Host of `scheme://host…` or `//host…` without port and user; empty if the text is no such URL.
std::string_view host_of(std::string_view url) noexcept {
    const std::size_t slashes = url.find("//");
    if (slashes == std::string_view::npos) return {};
    const std::string_view scheme = url.substr(0, slashes);
    const bool named = scheme.empty() || (scheme.size() > 1 && scheme.ends_with(':') && is_letter(scheme.front()));
    const bool clean = std::all_of(scheme.begin(), scheme.end(), [](char c) {
        return is_digit(c) || is_letter(c) || std::string_view("+-.:").find(c) != std::string_view::npos;
    });
    if (!named || !clean || std::count(scheme.begin(), scheme.end(), ':') > 1) return {};
    std::string_view authority = url.substr(slashes + 2);
    authority = authority.substr(0, authority.find_first_of("/?#"));
    if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
    const std::size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
    if (bracket == std::string_view::npos) return {};
    const std::string_view host = authority.substr(0, authority.find(':', bracket));
    return is_host_text(host) ? host : std::string_view();
}

// Hosts, and suffixes that begin with a star.
class HostPatterns {
public:
    explicit HostPatterns(const std::vector<std::string>& patterns) {
        for (const std::string& pattern : patterns) {
            if (pattern.starts_with('*')) {
                suffixes_.push_back(pattern.substr(1));
            } else {
                hosts_.push_back(pattern);
            }
        }
        std::sort(hosts_.begin(), hosts_.end());
    }
    bool empty() const noexcept { return hosts_.empty() && suffixes_.empty(); }
    bool match(std::string_view host) const noexcept {
        return std::binary_search(hosts_.begin(), hosts_.end(), host, std::less<>()) ||
               std::any_of(suffixes_.begin(), suffixes_.end(),
                           [host](const std::string& suffix) { return host.ends_with(suffix); });
    }

private:
    std::vector<std::string> hosts_, suffixes_;
};

class RefererRestriction final : public Plugin {
public:
    struct Settings {
        std::vector<std::string> whitelist, blacklist;
        bool bypass_missing = false;
        std::string message = "Your referer host is not allowed";
    };
    static constexpr std::string_view name = "referer-restriction";
    static constexpr int priority = 2990;
    static constexpr OnError on_error = OnError::closed;
    static constexpr auto host_pattern = config::pattern("^\\*$|^\\*?[0-9a-zA-Z-._\\[\\]:]+$", is_host_pattern);
    static constexpr auto schema =
        config::fields(config::field("whitelist", &Settings::whitelist, "hosts let through; all others are refused",
                                     config::items(1), config::each(host_pattern)),
                       config::field("blacklist", &Settings::blacklist, "hosts refused; all others are let through",
                                     config::items(1), config::each(host_pattern)),
                       config::field("bypass_missing", &Settings::bypass_missing,
                                     "let requests through whose Referer is missing or no URL"),
                       config::field("message", &Settings::message, "text of a refusal", config::length(1, 1024)))
            .exactly_one("whitelist", "blacklist");

    RefererRestriction(Settings settings, BuildScope&)
        : bypass_missing_(settings.bypass_missing),
          white_(settings.whitelist),
          black_(settings.blacklist),
          refusal_(message_body("message", settings.message)) {}

    Step access(Exchange& exchange) const override {
        const std::string_view host = host_of(exchange.request.fields.get(http::FieldName::referer));
        const bool listed = white_.empty() ? !black_.match(host) : white_.match(host);
        if (host.empty() ? bypass_missing_ : listed) return Verdict::next;
        return exchange.respond_with({403, LocalReply::Body::json, refusal_});
    }

private:
    bool bypass_missing_;
    HostPatterns white_, black_;
    std::string refusal_;
};
const Registration<RefererRestriction> registration;

}  // namespace
}  // namespace gateway::plugins
