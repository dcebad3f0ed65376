#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "libgateway/base/log.hpp"
#include "libgateway/expr/expression.hpp"
#include "libgateway/expr/template.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libplugins/common/escape.hpp"
#include "libplugins/common/header_rules.hpp"

namespace gateway::plugins {
namespace {

// Tells which requests are hit: a share of them, and any of the expressions.
struct Abort {
    int http_status = 0;
    std::optional<std::string> body;
    config::Members<json::Value> headers;
    std::optional<int> percentage;
    std::vector<json::Value> vars;
    static constexpr auto schema = config::fields(
        config::field("http_status", &Abort::http_status, "status of the answer", config::required,
                      config::at_least(200)),
        config::field("body", &Abort::body, "template of the body; none: the built-in page"),
        config::field("headers", &Abort::headers, "fields of the answer, values are templates", config::items(1)),
        config::field("percentage", &Abort::percentage, "share of requests that are hit; all without it",
                      config::range(0, 100)),
        config::field("vars", &Abort::vars, "list of expressions of which one must hold", config::items(0, 20)));
};

struct Delay {
    double duration = 0;
    std::optional<int> percentage;
    std::vector<json::Value> vars;
    static constexpr auto schema = config::fields(
        config::field("duration", &Delay::duration, "seconds to wait", config::required, config::at_least(0)),
        config::field("percentage", &Delay::percentage, "share of requests that are hit; all without it",
                      config::range(0, 100)),
        config::field("vars", &Delay::vars, "list of expressions of which one must hold", config::items(0, 20)));
};

template <class Rule>
void check_vars(std::string_view which, const Rule& rule, config::Errors& errors) {
    for (const json::Value& vars : rule.vars) {
        const config::Errors::Scope scope(errors, which, std::string(), vars);
        try {
            if (!vars.is_array()) throw expr::ExpressionError("rule should be wrapped inside brackets");
            const expr::Expression compiled(vars);
        } catch (const expr::ExpressionError& error) {
            errors.add(error.what());
        }
    }
}

class FaultInjection final : public Plugin {
public:
    struct Settings {
        std::optional<Abort> abort;
        std::optional<Delay> delay;
    };
    static constexpr std::string_view name = "fault-injection";
    static constexpr int priority = 11000;
    static constexpr auto schema =
        config::fields(config::field("abort", &Settings::abort, "answer instead of the upstream"),
                       config::field("delay", &Settings::delay, "wait before going on"));

    static void check(const Settings& settings, config::Errors& errors) {
        if (!settings.abort && !settings.delay) errors.add("expect object to have at least 1 properties");
        if (settings.delay) check_vars("delay", *settings.delay, errors);
        if (!settings.abort) return;
        check_vars("abort", *settings.abort, errors);
        for (const auto& [field, value] : settings.abort->headers) {
            const config::Errors::Scope scope(errors, "abort", std::string(), value);
            if (!is_field_name(field)) errors.add("invalid field character in header");
            if (!is_scalar(value)) errors.add("invalid type as header value");
        }
    }

    FaultInjection(Settings settings, BuildScope&) : settings_(std::move(settings)) {
        if (settings_.delay) delay_vars_ = compile(settings_.delay->vars);
        if (!settings_.abort) return;
        abort_vars_ = compile(settings_.abort->vars);
        if (settings_.abort->body) body_ = expr::Template(*settings_.abort->body);
        for (const auto& [field, value] : settings_.abort->headers) {
            headers_.emplace_back(field, expr::Template(scalar_text(value)));
        }
    }

    Step rewrite(Exchange& exchange) const override {
        const bool delays = settings_.delay && hits(*settings_.delay, delay_vars_, exchange);
        const bool aborts = settings_.abort && hits(*settings_.abort, abort_vars_, exchange);
        if (delays && settings_.delay->duration > 0) return wait(exchange, aborts);
        return aborts ? answer(exchange) : Verdict::next;
    }

private:
    using Expressions = std::vector<expr::Expression>;

    static Expressions compile(const std::vector<json::Value>& list) {
        Expressions out;
        for (const json::Value& vars : list) out.emplace_back(vars);
        return out;
    }

    template <class Rule>
    static bool hits(const Rule& rule, const Expressions& vars, Exchange& exchange) {
        if (rule.percentage && static_cast<int>(exchange.services().random() % 100) + 1 > *rule.percentage)
            return false;
        if (vars.empty()) return true;
        for (const expr::Expression& expression : vars) {
            if (expression.evaluate(exchange)) return true;
        }
        return false;
    }

    Task<Verdict> wait(Exchange& exchange, bool then_abort) const {
        constexpr double longest = 86'400'000;
        const double duration = std::min(std::ceil(settings_.delay->duration * 1000), longest);
        Task<void> pause = exchange.services().sleep(Milliseconds(static_cast<std::int64_t>(duration)));
        co_await pause;
        co_return then_abort ? answer(exchange) : Verdict::next;
    }

    Verdict answer(Exchange& exchange) const {
        Arena& arena = exchange.arena();
        for (const auto& [field, value] : headers_) {
            set_field(exchange.response.fields, field, field_value(value.expand(exchange, arena).text, arena));
        }
        const auto status = static_cast<unsigned>(settings_.abort->http_status);
        if (!settings_.abort->body) return exchange.respond_with({status, LocalReply::Body::page, {}});
        return exchange.respond_with({status, LocalReply::Body::bytes, body_.expand(exchange, arena).text});
    }

    Settings settings_;
    Expressions delay_vars_, abort_vars_;
    expr::Template body_;
    std::vector<std::pair<std::string, expr::Template>> headers_;
};
const Registration<FaultInjection> registration;

}  // namespace
}  // namespace gateway::plugins
