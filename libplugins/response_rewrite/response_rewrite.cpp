#include <array>
#include <optional>
#include <string>
#include <vector>

#include "libgateway/base/log.hpp"
#include "libgateway/expr/expression.hpp"
#include "libgateway/expr/regex.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libplugins/common/base64.hpp"
#include "libplugins/common/decompress.hpp"
#include "libplugins/common/header_rules.hpp"
#include "libplugins/common/substitution.hpp"

namespace gateway::plugins {

constexpr auto enum_names(Substitution::Scope) {
    return std::array{std::pair{std::string_view("once"), Substitution::Scope::once},
                      std::pair{std::string_view("global"), Substitution::Scope::global}};
}

namespace {

struct Filter {
    std::string regex, replace;
    Substitution::Scope scope = Substitution::Scope::once;
    std::string options = "jo";
    static constexpr auto schema =
        config::fields(config::field("regex", &Filter::regex, "what to replace", config::required, config::length(1)),
                       config::field("replace", &Filter::replace, "by what; $1 … are groups", config::required),
                       config::field("scope", &Filter::scope, "the first match or all"),
                       config::field("options", &Filter::options, "letters: i m s x u; j and o mean nothing"));
    Substitution compile() const { return Substitution(regex, replace, options, scope); }
};

class ResponseRewrite final : public Plugin {
public:
    struct Settings {
        std::optional<int> status_code;
        std::optional<std::string> body;
        bool body_base64 = false;
        json::Value headers, vars;
        std::vector<Filter> filters;
        std::uint64_t max_resp_body_size = 64 << 20;
    };
    static constexpr std::string_view name = "response-rewrite";
    static constexpr int priority = 899;
    // What was to be taken out of an answer must not slip through when taking it out fails.
    static constexpr OnError on_error = OnError::closed;
    static constexpr auto schema = config::fields(
        config::field("status_code", &Settings::status_code, "new status", config::range(200, 598)),
        config::field("body", &Settings::body, "new body; not together with filters"),
        config::field("body_base64", &Settings::body_base64, "`body` is base64"),
        config::field("headers", &Settings::headers, "response fields: {add, set, remove}, or a plain object to set"),
        config::field("vars", &Settings::vars,
                      "expression under which the plugin acts, evaluated at the response head"),
        config::field("filters", &Settings::filters, "replacements in the body", config::items(1)),
        config::field("max_resp_body_size", &Settings::max_resp_body_size, "for filters: where the body is cut off",
                      config::at_least(1)));

    static void check(const Settings& settings, config::Errors& errors) {
        if (settings.body && !settings.filters.empty()) {
            errors.add("failed to validate dependent schema for \"body\": value wasn't supposed to match schema");
        }
        if (settings.body && settings.body_base64 && (settings.body->empty() || !decode_base64(*settings.body))) {
            errors.add("invalid base64 content");
        }
        check_vars(settings.vars, errors);
        HeaderRules::check(settings.headers, AddForm::lines, errors);
        for (const Filter& filter : settings.filters) {
            try {
                (void)filter.compile();
            } catch (const expr::RegexError& error) {
                errors.add("regex \"" + filter.regex + "\" validation failed: " + error.what());
            }
        }
    }

    ResponseRewrite(Settings settings, BuildScope&)
        : settings_(std::move(settings)), headers_(settings_.headers, AddForm::lines) {
        if (settings_.body && settings_.body_base64) settings_.body = decode_base64(*settings_.body).value_or("");
        if (settings_.vars.is_array()) vars_ = expr::Expression(settings_.vars);
        for (const Filter& filter : settings_.filters) substitutions_.push_back(filter.compile());
    }

    BodyNeeds body_needs() const noexcept override {
        return {0, substitutions_.empty() ? 0 : settings_.max_resp_body_size};
    }

    Step header_filter(Exchange& exchange) const override {
        if (!vars_.evaluate(exchange)) return Verdict::next;
        if (settings_.status_code) {
            exchange.response.status = static_cast<unsigned>(*settings_.status_code);
            exchange.response.reason = {};
        }
        if (settings_.body || !substitutions_.empty()) prepare_body(exchange);
        headers_.apply(exchange.response.fields, exchange, exchange.arena());
        return Verdict::next;
    }

    Step body_filter(Exchange& exchange, BodyChunk& chunk) const override {
        State& state = exchange.slot<State>(*this);
        if (state.work == Work::none) return Verdict::next;
        const bool first = !state.begun;
        state.begun = true;
        if (!first) {
            chunk.bytes = {};
            return Verdict::next;
        }
        if (state.work == Work::replace) {
            chunk.bytes = *settings_.body;
            return Verdict::next;
        }
        return filter(state, chunk);
    }

private:
    enum class Work : std::uint8_t { none, replace, filter };
    struct State {
        Work work;
        Coding coding;
        bool begun;
    };

    static void check_vars(const json::Value& vars, config::Errors& errors) {
        if (vars.is_null()) return;
        try {
            if (!vars.is_array()) throw expr::ExpressionError("rule should be wrapped inside brackets");
            const expr::Expression compiled(vars);
        } catch (const expr::ExpressionError& error) {
            const config::Errors::Scope scope(errors, "vars", std::string(), vars);
            errors.add(std::string("failed to validate the 'vars' expression: ") + error.what());
        }
    }

    void prepare_body(Exchange& exchange) const {
        State& state = exchange.slot<State>(*this);
        state.coding = coding_of(exchange.response.fields.get(http::FieldName::content_encoding));
        if (!settings_.body && state.coding == Coding::other) {
            log::error("response-rewrite leaves a body alone whose Content-Encoding it cannot decode: {}",
                       exchange.response.fields.get(http::FieldName::content_encoding));
            return;
        }
        state.work = settings_.body ? Work::replace : Work::filter;
        exchange.body_will_be_replaced();
    }

    Verdict filter(const State& state, BodyChunk& chunk) const {
        const std::size_t limit = settings_.max_resp_body_size;
        const bool may_be_cut = !chunk.last;
        const auto plain = decompress(state.coding, chunk.bytes, limit, may_be_cut, chunk.scratch);
        if (!plain) {
            log::error("response-rewrite cannot decode the body that it should filter");
            return Verdict::fail;
        }
        chunk.bytes = *plain;
        for (const Substitution& substitution : substitutions_) {
            const auto changed = substitution.apply(chunk.bytes, chunk.scratch);
            if (!changed) {
                log::error("response-rewrite: an expression of filters gave up");
                return Verdict::fail;
            }
            chunk.bytes = *changed;
        }
        return Verdict::next;
    }

    Settings settings_;
    HeaderRules headers_;
    expr::Expression vars_;
    std::vector<Substitution> substitutions_;
};
const Registration<ResponseRewrite> registration;

}  // namespace
}  // namespace gateway::plugins
