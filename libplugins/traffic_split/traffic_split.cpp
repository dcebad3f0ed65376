#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libgateway/config/upstream_object.hpp"
#include "libgateway/expr/expression.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libgateway/plugin/upstream_choice.hpp"
#include "libplugins/traffic_split/weighted_round.hpp"

namespace gateway::plugins {
namespace {

struct Match {
    std::optional<json::Value> vars;
    static constexpr auto schema = config::fields(config::field("vars", &Match::vars, "expression on the request"));
};

struct Weighted {
    std::optional<config::ObjectId> upstream_id;
    std::optional<json::Value> upstream;
    std::uint32_t weight = 1;
    static constexpr auto schema =
        config::fields(config::field("upstream_id", &Weighted::upstream_id, "an upstream object"),
                       config::field("upstream", &Weighted::upstream, "an upstream written out"),
                       config::field("weight", &Weighted::weight, "share; without an upstream: of the route's own"));
};

struct Rule {
    std::vector<Match> match;
    std::vector<Weighted> weighted_upstreams = std::vector<Weighted>(1);
    static constexpr auto schema = config::fields(
        config::field("match", &Rule::match, "conditions of which one must hold"),
        config::field("weighted_upstreams", &Rule::weighted_upstreams, "who gets which share", config::items(1, 20)));
};

constexpr std::string_view bad_expression = "failed to validate the 'vars' expression: ";

void check_vars(const json::Value& vars, config::Errors& errors) {
    try {
        if (!vars.is_array()) throw expr::ExpressionError("rule should be wrapped inside brackets");
        const expr::Expression compiled(vars);
    } catch (const expr::ExpressionError& error) {
        errors.add(std::string(bad_expression) + error.what());
    }
}

class TrafficSplit final : public Plugin {
public:
    struct Settings {
        std::vector<Rule> rules;
    };
    static constexpr std::string_view name = "traffic-split";
    static constexpr int priority = 966;
    static constexpr OnError on_error = OnError::closed;
    static constexpr auto schema =
        config::fields(config::field("rules", &Settings::rules, "the first that matches decides"));

    static void check(const Settings& settings, config::Errors& errors) {
        for (const Rule& rule : settings.rules) {
            for (const Match& match : rule.match) {
                if (match.vars) check_vars(*match.vars, errors);
            }
            for (const Weighted& one : rule.weighted_upstreams) {
                if (!one.upstream) continue;
                const config::Errors::Scope scope(errors, "upstream", std::string(), *one.upstream);
                config::Upstream written;
                config::read(*one.upstream, written, errors);
            }
        }
    }

    TrafficSplit(const Settings& settings, BuildScope& scope) {
        for (const Rule& rule : settings.rules) rules_.push_back(compile(rule, scope));
    }

    Step access(Exchange& exchange) const override {
        for (const Compiled& rule : rules_) {
            if (holds(rule, exchange)) return choose(rule, exchange);
        }
        return Verdict::next;
    }

private:
    struct Compiled {
        std::vector<expr::Expression> match;
        bool always = false;
        std::vector<std::unique_ptr<const UpstreamChoice>> choices;  // null: the route's own
        WeightedRound round;
    };

    static Compiled compile(const Rule& rule, const BuildScope& scope) {
        Compiled made;
        made.always = rule.match.empty();
        for (const Match& match : rule.match) {
            made.always = made.always || !match.vars;
            if (match.vars) made.match.emplace_back(*match.vars);
        }
        for (const Weighted& one : rule.weighted_upstreams) {
            made.choices.push_back(choice_of(one, scope));
            made.round.add(one.weight);
        }
        return made;
    }

    // Of an upstream that is written out only what tells where and how to connect counts.
    static std::unique_ptr<const UpstreamChoice> choice_of(const Weighted& one, const BuildScope& scope) {
        if (!one.upstream_id && !one.upstream) return nullptr;
        auto choice = std::make_unique<UpstreamChoice>();
        if (one.upstream_id) {
            choice->id = one.upstream_id->text;
            choice->name = "upstreams/" + choice->id;
            return choice;
        }
        json::Value kept = json::Value::object();
        for (const json::Member& member : one.upstream->members()) {
            const bool left_out = member.key == "retries" || member.key == "retry_timeout" || member.key == "checks";
            if (!left_out) kept.set(member.key, member.value);
        }
        choice->json = json::write(kept);
        choice->name = std::string(scope.where) + "#traffic-split";
        return choice;
    }

    static bool holds(const Compiled& rule, Exchange& exchange) {
        if (rule.always) return true;
        for (const expr::Expression& expression : rule.match) {
            if (expression.evaluate(exchange)) return true;
        }
        return false;
    }

    static Verdict choose(const Compiled& rule, Exchange& exchange) {
        for (const auto& choice : rule.choices) {
            if (choice && !exchange.consumers().upstream_for(*choice)) return missing(*choice, exchange);
        }
        const std::size_t at = rule.round.next(exchange.services());
        const UpstreamChoice* choice = at < rule.choices.size() ? rule.choices[at].get() : nullptr;
        if (choice) exchange.use_upstream(exchange.consumers().upstream_for(*choice));
        return Verdict::next;
    }

    static Verdict missing(const UpstreamChoice& choice, Exchange& exchange) {
        if (choice.id.empty()) return exchange.respond_with({500, LocalReply::Body::page, {}});
        const std::string_view text =
            exchange.arena().join("failed to fetch upstream info by upstream id: ", choice.id);
        return exchange.respond_with({500, LocalReply::Body::bytes, text});
    }

    std::vector<Compiled> rules_;
};
const Registration<TrafficSplit> registration;

}  // namespace
}  // namespace gateway::plugins
