#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libgateway/base/log.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libplugins/common/regex_list.hpp"
#include "libplugins/cors/origins.hpp"

namespace gateway::plugins {
namespace {

constexpr std::string_view all_methods = "GET,POST,PUT,DELETE,PATCH,HEAD,OPTIONS,CONNECT,TRACE";
constexpr std::string_view patterns_of_origins = "^(\\*|\\*\\*|null|\\w+://[^,]+(,\\w+://[^,]+)*)$";

class Cors final : public Plugin {
public:
    struct Settings {
        std::string allow_origins = "*", allow_methods = "*", allow_headers = "*";
        std::optional<std::string> expose_headers;
        int max_age = 5;
        bool allow_credential = false;
        std::vector<std::string> allow_origins_by_regex, allow_origins_by_metadata;
        std::optional<std::string> timing_allow_origins;
        std::vector<std::string> timing_allow_origins_by_regex;
    };
    static constexpr std::string_view name = "cors";
    static constexpr int priority = 4000;
    static constexpr bool before_auth = true;
    static constexpr OnError on_error = OnError::closed;
    static constexpr auto origins_pattern = config::pattern(patterns_of_origins, is_origins);
    struct Metadata {
        config::Members<std::string> allow_origins;
        static constexpr auto schema = config::fields(config::field("allow_origins", &Metadata::allow_origins,
                                                                    "sets of origins by name, each as `allow_origins`",
                                                                    config::each(origins_pattern)));
    };
    static constexpr auto schema = config::fields(
        config::field("allow_origins", &Settings::allow_origins,
                      "`*`, `**` (any, named in the answer), `null`, or origins with commas", origins_pattern),
        config::field("allow_methods", &Settings::allow_methods, "`*`, `**` (all, listed), or methods with commas"),
        config::field("allow_headers", &Settings::allow_headers,
                      "`*`, `**` (what the client asks for), or names with commas"),
        config::field("expose_headers", &Settings::expose_headers, "names with commas; empty: not sent"),
        config::field("max_age", &Settings::max_age, "seconds that a preflight answer may be kept; -1: not at all"),
        config::field("allow_credential", &Settings::allow_credential, "requests may carry cookies and the like"),
        config::field("allow_origins_by_regex", &Settings::allow_origins_by_regex,
                      "expressions on the origin, in place of allow_origins", config::items(1), config::unique,
                      config::each(config::length(1, 4096))),
        config::field("allow_origins_by_metadata", &Settings::allow_origins_by_metadata,
                      "names of origin sets in the plugin metadata, asked first", config::items(1), config::unique,
                      config::each(config::length(1, 4096))),
        config::field("timing_allow_origins", &Settings::timing_allow_origins, "who may read timings", origins_pattern),
        config::field("timing_allow_origins_by_regex", &Settings::timing_allow_origins_by_regex,
                      "the same as expressions", config::items(1), config::unique));

    static void check(const Settings& settings, config::Errors& errors) {
        const bool star = settings.allow_origins == "*" || settings.allow_methods == "*" ||
                          settings.allow_headers == "*" || settings.expose_headers == "*" ||
                          settings.timing_allow_origins == "*";
        if (settings.allow_credential && star) {
            return errors.add("you can not set '*' for other option when 'allow_credential' is true");
        }
        RegexList::check(settings.allow_origins_by_regex, errors);
        RegexList::check(settings.timing_allow_origins_by_regex, errors);
    }

    Cors(Settings settings, BuildScope& scope)
        : settings_(std::move(settings)),
          origins_(settings_.allow_origins, settings_.allow_origins_by_regex),
          timing_(settings_.timing_allow_origins.value_or(""), settings_.timing_allow_origins_by_regex),
          max_age_(std::to_string(settings_.max_age)) {
        const json::Value* sets = scope.metadata ? scope.metadata->find("allow_origins") : nullptr;
        for (const std::string& set : settings_.allow_origins_by_metadata) {
            const json::Value* origins = sets ? sets->find(set) : nullptr;
            if (origins && is_origins(origins->string())) named_.emplace_back(origins->string());
        }
    }

    Step rewrite(Exchange& exchange) const override {
        (void)origin(exchange);
        if (exchange.request.method != http::Verb::options) return Verdict::next;
        return exchange.respond_with({200, LocalReply::Body::bytes, {}});
    }

    Step header_filter(Exchange& exchange) const override {
        const std::string_view from = origin(exchange);
        http::Fields& fields = exchange.response.fields;
        bool room = true;
        if (settings_.allow_origins != "*") room = fields.add(http::FieldName::vary, "Origin");
        const std::string_view allowed = choose(from);
        if (!allowed.empty()) room = set_fields(exchange, allowed) && room;
        const std::string_view timing = timing_.choose(from);
        if (!timing.empty()) room = fields.set("Timing-Allow-Origin", timing) && room;
        if (!room) log::error("no room for the fields of cors");
        return Verdict::next;
    }

private:
    struct State {
        std::string_view origin;
        bool known;
    };
    // As the client sent it: later changes of the request do not matter.
    std::string_view origin(Exchange& exchange) const {
        State& state = exchange.slot<State>(*this);
        if (!state.known) state = {exchange.request.fields.get(http::FieldName::origin), true};
        return state.origin;
    }

    std::string_view choose(std::string_view from) const noexcept {
        const bool named = !from.empty() && std::any_of(named_.begin(), named_.end(), [from](const Origins& set) {
            return !set.choose(from).empty();
        });
        if (named) return from;
        if (!settings_.allow_origins_by_metadata.empty() && settings_.allow_origins == "*") return {};
        return origins_.choose(from);
    }

    bool set_fields(Exchange& exchange, std::string_view allowed) const {
        using http::FieldName;
        http::Fields& fields = exchange.response.fields;
        const bool all = settings_.allow_methods == "**", asked = settings_.allow_headers == "**";
        const std::string_view headers = asked ? exchange.request.fields.get(FieldName::access_control_request_headers)
                                               : std::string_view(settings_.allow_headers);
        const std::string_view methods = all ? all_methods : std::string_view(settings_.allow_methods);
        bool room = fields.set(FieldName::access_control_allow_origin, allowed) &&
                    fields.set(FieldName::access_control_max_age, max_age_);
        if (methods.empty()) {
            fields.remove(FieldName::access_control_allow_methods);
        } else {
            room = fields.set(FieldName::access_control_allow_methods, methods) && room;
        }
        if (settings_.expose_headers && !settings_.expose_headers->empty()) {
            room = fields.set(FieldName::access_control_expose_headers, *settings_.expose_headers) && room;
        }
        if (headers.empty()) {
            fields.remove(FieldName::access_control_allow_headers);
        } else {
            room = fields.set(FieldName::access_control_allow_headers, headers) && room;
        }
        if (settings_.allow_credential) {
            room = fields.set(FieldName::access_control_allow_credentials, "true") && room;
        }
        return room;
    }

    Settings settings_;
    Origins origins_, timing_;
    std::vector<Origins> named_;
    std::string max_age_;
};
const Registration<Cors> registration;

}  // namespace
}  // namespace gateway::plugins
