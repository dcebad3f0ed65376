#include <string>
#include <vector>

#include "libgateway/base/log.hpp"
#include "libgateway/plugin/instance.hpp"
#include "libgateway/plugin/registry.hpp"

namespace gateway::plugins {
namespace {

constexpr std::string_view refusal = R"({"message":"Authorization Failed"})";

class MultiAuth final : public Plugin {
public:
    struct Settings {
        std::vector<json::Value> auth_plugins;
    };
    static constexpr std::string_view name = "multi-auth";
    static constexpr int priority = 2600;
    static constexpr OnError on_error = OnError::closed;
    static constexpr bool is_auth = true;
    static constexpr auto schema = config::fields(config::field("auth_plugins", &Settings::auth_plugins,
                                                                "objects of one auth plugin each, tried in this order",
                                                                config::required, config::items(2)));

    static void check(const Settings& settings, config::Errors& errors) {
        for (const json::Value& choice : settings.auth_plugins) {
            if (!choice.is_object()) return config::wrong_type("object", choice, errors);
            for (const json::Member& child : choice.members()) check_child(child, errors);
        }
    }

    static std::vector<std::string_view> children(const json::Value& settings) {
        std::vector<std::string_view> names;
        const json::Value* choices = settings.find("auth_plugins");
        if (!choices) return names;
        for (const json::Value& choice : choices->items()) {
            for (const json::Member& child : choice.members()) names.push_back(child.key);
        }
        return names;
    }

    MultiAuth(Settings settings, BuildScope& scope) {
        for (const json::Value& choice : settings.auth_plugins) {
            for (const json::Member& child : choice.members()) {
                children_.push_back(make_instance(*plugin_registry().find(child.key), child.value, scope));
            }
        }
    }

    Step rewrite(Exchange& exchange) const override {
        for (std::size_t i = 0; i < children_.size(); ++i) {
            Step step = try_child(*children_[i], exchange);
            if (!step.ready()) return finish(exchange, i, std::move(step).wait());
            if (passed(*children_[i], exchange, step.verdict())) return Verdict::next;
        }
        return turn_away(exchange);
    }
    BodyNeeds body_needs() const noexcept override {
        BodyNeeds needs;
        for (const auto& child : children_)
            needs.request = std::max(needs.request, child->plugin->body_needs().request);
        return needs;
    }

private:
    static void check_child(const json::Member& child, config::Errors& errors) {
        const PluginType* type = plugin_registry().find(child.key);
        if (!type) return errors.add(child.key + " plugin did not found");
        if (!type->is_auth) return errors.add(child.key + " plugin is not supported");
        const config::Errors::Scope scope(errors, std::string_view(),
                                          "plugin " + child.key + " check schema failed: ", child.value);
        type->check(child.value, errors);
    }
    static Step try_child(const Instance& child, Exchange& exchange) {
        exchange.auth_failure = {};
        return child.plugin->rewrite(exchange);
    }
    // The challenge of a child that failed before another one succeeded does not reach the client.
    static bool passed(const Instance& child, Exchange& exchange, Verdict verdict) {
        if (verdict == Verdict::next) {
            exchange.response.fields.remove(http::FieldName::www_authenticate);
            return true;
        }
        const unsigned code = verdict == Verdict::respond ? exchange.reply().status : 500;
        log::warn("{} failed to authenticate the request, code: {}. error: {}", child.name, code,
                  exchange.auth_failure);
        return false;
    }
    static Verdict turn_away(Exchange& exchange) {
        return exchange.respond_with({401, LocalReply::Body::json, refusal});
    }

    Task<Verdict> finish(Exchange& exchange, std::size_t at, Task<Verdict> first) const {
        Verdict verdict = co_await first;
        while (!passed(*children_[at], exchange, verdict)) {
            if (++at == children_.size()) co_return turn_away(exchange);
            Step step = try_child(*children_[at], exchange);
            verdict = step.verdict();
            if (step.ready()) continue;
            Task<Verdict> pending = std::move(step).wait();
            verdict = co_await pending;
        }
        co_return Verdict::next;
    }

    std::vector<Ref<const Instance>> children_;
};
const Registration<MultiAuth> registration;

}  // namespace
}  // namespace gateway::plugins
