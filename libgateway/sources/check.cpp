#include "libgateway/sources/check.hpp"

#include <algorithm>
#include <map>

#include "libgateway/base/clock.hpp"
#include "libgateway/config/consumer_objects.hpp"
#include "libgateway/config/idle_objects.hpp"
#include "libgateway/config/objects.hpp"
#include "libgateway/route/pattern.hpp"
#include "libgateway/sources/certificates.hpp"
#include "libgateway/sources/proto_content.hpp"

namespace gateway::sources {

namespace {

using config::Errors;
using config::Kind;
using json::Value;

bool has(const std::vector<std::string>& list, std::string_view name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

// Plugins that an entry runs itself are as unknown as others if they may not be used.
void check_children(const json::Member& entry, const CheckRules& rules, Errors& errors) {
    if (!rules.enabled_plugins || !rules.children) return;
    for (const std::string_view child : rules.children(entry.key, entry.value)) {
        if (has(*rules.enabled_plugins, child)) continue;
        errors.add("failed to check the configuration of plugin " + entry.key + " err: " + std::string(child) +
                   " plugin did not found");
    }
}

void check_plugins(const Value& object, const CheckRules& rules, const CheckRules::PluginCheck& check, Errors& errors,
                   Errors& warnings) {
    const Value* plugins = object.find("plugins");
    if (!plugins || !plugins->is_object()) return;
    for (const json::Member& member : plugins->members()) {
        const std::string path = "plugins." + member.key;
        const Errors::Scope scope(errors, path, "", member.value);
        const Errors::Scope same(warnings, path, "", member.value);
        if (rules.enabled_plugins && !has(*rules.enabled_plugins, member.key)) {
            errors.add_member({}, member.where, "unknown plugin [" + member.key + "]");
            continue;
        }
        std::vector<std::string> notes;
        if (check) check(member.key, member.value, errors, notes);
        check_children(member, rules, errors);
        for (std::string& note : notes) warnings.add(std::move(note));
    }
}

void check_vars(const Value& route, const CheckRules& rules, Errors& errors) {
    const Value* vars = route.find("vars");
    if (!vars || !rules.expression) return;
    const std::string why = rules.expression(*vars);
    if (!why.empty()) errors.add_member("vars", vars->where, "failed to validate the 'vars' expression: " + why);
}

// A name that the specification does not know is no error: one node is served without a balancer (upstream.md 1.1).
void check_balancer(const Value& upstream, const CheckRules& rules, Errors& errors, Errors& warnings) {
    const Value* type = upstream.find("type");
    if (!type || !type->is_string() || has(rules.balancers, type->string())) return;
    if (has(rules.unbuilt_balancers, type->string())) {
        errors.add_member("type", type->where, "balancer \"" + type->string() + "\" is not supported by this build");
        return;
    }
    warnings.add_member("type", type->where,
                        "unknown balancer \"" + type->string() + "\": with more than one node requests get 502");
}

void check_pattern(std::string_view member, const Value& pattern, Errors& warnings) {
    if (!pattern.is_string() || !route::Pattern::parse(pattern.string(), false).ignores_rest()) return;
    const std::string& text = pattern.string();
    warnings.add_member(member, pattern.where,
                        "what follows the * is ignored: the same as \"" + text.substr(0, text.find('*') + 1) + "\"");
}

void check_patterns(const Value& route, Errors& warnings) {
    if (const Value* uri = route.find("uri")) check_pattern("uri", *uri, warnings);
    const Value* uris = route.find("uris");
    if (!uris || !uris->is_array()) return;
    for (const Value& pattern : uris->items()) check_pattern("uris", pattern, warnings);
}

void check_abilities(const Value& upstream, const CheckRules& rules, Errors& errors, Errors& warnings) {
    const Value* scheme = upstream.find("scheme");
    if (scheme && scheme->is_string() && !has(rules.schemes, scheme->string())) {
        errors.add_member("scheme", scheme->where,
                          "scheme \"" + scheme->string() + "\" is not supported by this build");
    }
    check_balancer(upstream, rules, errors, warnings);
    if (const Value* discovery = upstream.find("discovery_type")) {
        errors.add_member("discovery_type", discovery->where, "'discovery_type' is not supported by this build");
    }
    if (const Value* checks = upstream.find("checks")) {
        warnings.add_member("checks", checks->where, "health checks have no effect in this build");
    }
    if (const Value* tls = upstream.find("tls")) {
        warnings.add_member("tls", tls->where, "TLS to upstreams has no effect in this build");
    }
}

struct Reference {
    std::string_view member;
    Kind kind;
    std::string_view effect;
};
constexpr Reference references[] = {
    {"service_id", Kind::service, "its requests get 404"},
    {"upstream_id", Kind::upstream, "its requests get 502"},
    {"plugin_config_id", Kind::plugin_config, "its requests get 503"},
    {"group_id", Kind::consumer_group, "its requests get 503"},
};

const CheckRules::PluginCheck& plugin_check(Kind kind, const Value& value, const CheckRules& rules) {
    if (kind != Kind::consumer) return rules.plugin;
    return config::is_credential_object(value) ? rules.credential_plugin : rules.consumer_plugin;
}

void check_metadata(std::string_view id, const Value& value, const CheckRules& rules, Errors& errors) {
    const bool enabled = !rules.enabled_plugins || has(*rules.enabled_plugins, id);
    if (!enabled) return errors.add("invalid plugin name");
    if (rules.metadata) rules.metadata(id, value, errors);
}

// Its name tells the manager, whether or not the object repeats it.
void check_secret(std::string_view id, const Value& value, Errors& errors) {
    const auto name = config::secret_name(id);
    if (!name) return errors.add("invalid secret id: " + std::string(id));
    config::secret_schema(name->manager).check(value, errors);
}

void check_proto(const Value& value, Errors& errors) {
    const std::size_t before = errors.size();
    config::check_object(Kind::proto, value, errors);
    if (errors.size() != before) return;
    if (std::string problem = proto_problem(value.find("content")->string()); !problem.empty())
        errors.add("invalid content: " + problem);
}

}  // namespace

std::string reference_of(const Value& value, std::string_view member) {
    const Value* found = value.find(member);
    if (!found) return {};
    return found->is_number() ? found->number() : found->string();
}

void check_item(Kind kind, std::string_view id, const Value& value, const CheckRules& rules, Errors& errors,
                Errors& warnings) {
    if (kind == Kind::plugin_metadata) return check_metadata(id, value, rules, errors);
    if (kind == Kind::secret) return check_secret(id, value, errors);
    if (kind == Kind::proto) return check_proto(value, errors);
    if (kind == Kind::stream_route) return config::check_object(kind, value, errors);
    const std::size_t before = errors.size();
    config::check_object(kind, value, errors);
    if (kind == Kind::ssl) {
        if (errors.size() != before) return;
        return check_certificates(value, rules.check_key_match, wall_ms() / 1000,
                                  rules.keep_broken_certificates ? warnings : errors, warnings);
    }
    const Value* upstream = kind == Kind::upstream ? &value : value.find("upstream");
    if (upstream && kind == Kind::upstream) {
        check_abilities(value, rules, errors, warnings);
    } else if (upstream && upstream->is_object()) {
        const Errors::Scope scope(errors, Errors::Level::property, "upstream", *upstream);
        const Errors::Scope same(warnings, Errors::Level::property, "upstream", *upstream);
        check_abilities(*upstream, rules, errors, warnings);
    }
    check_plugins(value, rules, plugin_check(kind, value, rules), errors, warnings);
    if (kind != Kind::route) return;
    check_patterns(value, warnings);
    check_vars(value, rules, errors);
}

void check_references(Kind kind, const Value& value, const Exists& exists, Errors& warnings) {
    if (kind != Kind::route && kind != Kind::service && kind != Kind::consumer) return;
    for (const Reference& reference : references) {
        const std::string id = reference_of(value, reference.member);
        if (id.empty() || exists(reference.kind, id)) continue;
        std::string text = "there is no ";
        text.append(config::kind_name(reference.kind)).append(" [").append(id).append("]: ").append(reference.effect);
        warnings.add_member(reference.member, value.find(reference.member)->where, text);
    }
    if (kind != Kind::consumer || !config::is_credential_object(value)) return;
    const auto name = config::credential_name(value.find("id")->string());
    if (!name || exists(Kind::consumer, name->username)) return;
    warnings.add_member("id", value.find("id")->where,
                        "there is no consumer [" + std::string(name->username) + "]: nobody can log in with it");
}

std::string dangling_consumer(std::string_view id, const Value& value, const Exists& exists) {
    const auto credential = config::credential_name(id);
    if (credential && !exists(Kind::consumer, credential->username)) return "consumer not found";
    const std::string group = reference_of(value, "group_id");
    if (group.empty() || exists(Kind::consumer_group, group)) return {};
    return "failed to fetch consumer group info by consumer group id [" + group + "], response code: 404";
}

void CrossCheck::add(Kind kind, std::string_view id, const Value& value) {
    if (SharedGroups::Mismatch found = groups_.add(value); !found.plugin.empty()) {
        mismatches_.push_back({std::string(config::list_name(kind)).append("/").append(id),
                               "plugins." + std::string(found.plugin), std::move(found.text),
                               value.find("plugins")->find(found.plugin)->where});
    }
    if (kind == Kind::route && value.find("plugin_config_id") && value.find("plugins")) {
        routes_.push_back({std::string(id), &value});
    }
    if (kind == Kind::plugin_config) plugin_configs_.push_back({std::string(id), &value});
    if (kind == Kind::global_rule) global_rules_.push_back({std::string(id), &value});
    if (kind == Kind::consumer) add_consumer(id, value);
}

void CrossCheck::add_consumer(std::string_view id, const Value& value) {
    std::string text = credentials_.conflict(id, value);
    if (!text.empty()) repeated_keys_.push_back({{std::string(id), &value}, std::move(text)});
    credentials_.add(id, value);
}

void CrossCheck::report(std::string_view file, config::Diagnostics& diagnostics) const {
    for (const Mismatch& mismatch : mismatches_) {
        diagnostics.add({config::Severity::error,
                         std::string(file),
                         mismatch.where,
                         mismatch.object,
                         mismatch.field,
                         mismatch.text,
                         {}});
    }
    report_overrides(file, diagnostics);
    report_global_rules(file, diagnostics);
    for (const auto& [consumer, text] : repeated_keys_) {
        diagnostics.warning(file, consumer.value->where, "consumers/" + consumer.id, text + "; the last one is used");
    }
}

void CrossCheck::report_overrides(std::string_view file, config::Diagnostics& diagnostics) const {
    std::map<std::string_view, const Value*> configs;
    for (const Named& named : plugin_configs_) configs[named.id] = named.value->find("plugins");
    for (const Named& route : routes_) {
        const std::string id = reference_of(*route.value, "plugin_config_id");
        const auto found = configs.find(id);
        if (found == configs.end() || !found->second) continue;
        for (const json::Member& member : route.value->find("plugins")->members()) {
            if (!found->second->find(member.key)) continue;
            const std::string_view winner = rules_.plugin_config_overrides_route ? "the plugin config" : "the route";
            std::string text = "the plugin stands in plugin_configs/" + id + " too: ";
            text.append(winner).append(" wins (apisix.compat.plugin_config_overrides_route)");
            diagnostics.add({config::Severity::warning,
                             std::string(file),
                             member.where,
                             "routes/" + route.id,
                             "plugins." + member.key,
                             text,
                             {}});
        }
    }
}

void CrossCheck::report_global_rules(std::string_view file, config::Diagnostics& diagnostics) const {
    std::map<std::string_view, std::string_view> first;
    for (const Named& rule : global_rules_) {
        const Value* plugins = rule.value->find("plugins");
        if (!plugins) continue;
        for (const json::Member& member : plugins->members()) {
            const auto [found, fresh] = first.emplace(member.key, rule.id);
            if (fresh) continue;
            std::string text = "the plugin stands in global_rules/";
            text.append(found->second).append(" too: it runs in neither");
            diagnostics.add({config::Severity::warning,
                             std::string(file),
                             member.where,
                             "global_rules/" + rule.id,
                             "plugins." + member.key,
                             text,
                             {}});
        }
    }
}

}  // namespace gateway::sources
