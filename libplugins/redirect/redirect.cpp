#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "libgateway/base/log.hpp"
#include "libgateway/expr/regex.hpp"
#include "libgateway/expr/template.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libplugins/common/escape.hpp"

namespace gateway::plugins {
namespace {

constexpr bool is_name_char(char c) noexcept {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '_';
}

// The target's own notation in that of templates: names end at a dot here ("$uri.html"), so they are put into braces.
std::string as_template(std::string_view target) {
    std::string out;
    for (std::size_t i = 0; i < target.size(); ++i) {
        std::size_t end = i + 1;
        while (end < target.size() && is_name_char(target[end])) ++end;
        const bool reference = target[i] == '$' && end > i + 1 && (out.empty() || out.back() != '\\');
        if (!reference) {
            out += target[i];
            continue;
        }
        out.append("${").append(target.substr(i + 1, end - i - 1)).append("}");
        i = end - 1;
    }
    return out;
}

class Redirect final : public Plugin {
public:
    struct Settings {
        std::optional<bool> http_to_https;
        std::optional<std::string> uri;
        std::vector<std::string> regex_uri;
        int ret_code = 302;
        bool encode_uri = false, append_query_string = false;
    };
    static constexpr std::string_view name = "redirect";
    static constexpr int priority = 900;
    static constexpr auto schema =
        config::fields(
            config::field("http_to_https", &Settings::http_to_https, "send plain requests to https"),
            config::field("uri", &Settings::uri, "target; variables as $name or ${name}", config::length(2)),
            config::field("regex_uri", &Settings::regex_uri, "expression on the path and the target made of its groups",
                          config::items(2, 2)),
            config::field("ret_code", &Settings::ret_code, "status", config::at_least(200)),
            config::field("encode_uri", &Settings::encode_uri, "percent-encode the path of the target"),
            config::field("append_query_string", &Settings::append_query_string, "add the query of the request"))
            .exactly_one("http_to_https", "uri", "regex_uri");

    static void check(const Settings& settings, config::Errors& errors) {
        if (settings.http_to_https.value_or(false) && settings.append_query_string) {
            errors.add("only one of `http_to_https` and `append_query_string` can be configured.");
        }
        if (settings.regex_uri.empty()) return;
        const std::string& pattern = settings.regex_uri[0];
        const std::string& target = settings.regex_uri[1];
        try {
            const expr::Regex regex(pattern);
            const expr::Replacement replacement(target);
        } catch (const expr::RegexError& error) {
            errors.add("invalid regex_uri (" + pattern + ", " + target + "), err:" + error.what());
        }
    }

    Redirect(Settings settings, BuildScope& scope) : settings_(std::move(settings)) {
        if (settings_.uri) target_ = expr::Template(as_template(*settings_.uri));
        if (!settings_.regex_uri.empty()) {
            regex_.emplace(settings_.regex_uri[0]);
            replacement_.emplace(settings_.regex_uri[1]);
        }
        const json::Value* port = scope.attribute(name, "https_port");
        const auto number = port ? port->as_int64() : std::nullopt;
        if (number && *number > 0 && *number < 65536) ports_.push_back(port_suffix(*number));
        if (!ports_.empty()) return;
        for (const std::uint16_t open : scope.node.tls_ports) ports_.push_back(port_suffix(open));
    }

    Step rewrite(Exchange& exchange) const override {
        if (settings_.http_to_https.value_or(false)) return to_https(exchange);
        Arena& arena = exchange.arena();
        std::string_view target;
        if (regex_) {
            const auto made = expr::replace_first(*regex_, *replacement_, exchange.uri, arena);
            if (!made) return Verdict::next;
            target = *made;
        } else if (settings_.uri) {
            target = target_.expand(exchange, arena).text;
        } else {
            return Verdict::next;
        }
        if (settings_.encode_uri) target = encode_path(target, arena);
        if (settings_.append_query_string && !exchange.args.empty()) {
            target = arena.join(target, target.find('?') == std::string_view::npos ? "?" : "&", exchange.args);
        }
        return send_to(target, static_cast<unsigned>(settings_.ret_code), exchange);
    }

private:
    static std::string port_suffix(std::int64_t port) {
        return port == 443 ? std::string() : ":" + std::to_string(port);
    }

    static std::string_view encode_path(std::string_view target, Arena& arena) {
        const std::size_t query = std::min(target.find('?'), target.size());
        return arena.join(escape(target.substr(0, query), Escape::path, arena), target.substr(query));
    }

    static Verdict send_to(std::string_view target, unsigned status, Exchange& exchange) {
        if (!exchange.response.fields.set(http::FieldName::location, field_value(target, exchange.arena()))) {
            log::error("no room for the Location of redirect");
        }
        return exchange.respond_with({status, LocalReply::Body::page, {}});
    }

    Verdict to_https(Exchange& exchange) const {
        const http::Field* forwarded = exchange.request.fields.find("X-Forwarded-Proto");
        if ((forwarded ? forwarded->value : exchange.scheme) == "https") return Verdict::next;
        Arena& arena = exchange.arena();
        const std::string_view port = ports_.empty()
                                          ? std::string_view()
                                          : std::string_view(ports_[exchange.services().random() % ports_.size()]);
        std::string_view target = escape(exchange.uri, Escape::path, arena);
        if (exchange.has_args) target = arena.join(target, "?", exchange.args);
        target = arena.join(arena.join("https://", exchange.host, port), target);
        const bool plain = exchange.request.method == http::Verb::get || exchange.request.method == http::Verb::head;
        return send_to(target, plain ? 301 : 308, exchange);
    }

    Settings settings_;
    expr::Template target_;
    std::optional<expr::Regex> regex_;
    std::optional<expr::Replacement> replacement_;
    std::vector<std::string> ports_;  // ":9443", "" for 443
};
const Registration<Redirect> registration;

}  // namespace
}  // namespace gateway::plugins
