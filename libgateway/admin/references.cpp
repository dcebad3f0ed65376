#include "libgateway/admin/references.hpp"

#include "libgateway/json/value.hpp"

namespace gateway::admin {

using config::Kind;
using json::Value;

namespace {

constexpr std::string_view splitter = "traffic-split";

// Whether a rule of traffic-split names the upstream.
bool splits_to(const Value& object, std::string_view id) {
    const Value* plugins = object.find("plugins");
    const Value* split = plugins ? plugins->find(splitter) : nullptr;
    const Value* rules = split ? split->find("rules") : nullptr;
    if (!rules) return false;
    for (const Value& rule : rules->items()) {
        const Value* targets = rule.find("weighted_upstreams");
        if (!targets) continue;
        for (const Value& target : targets->items()) {
            if (sources::reference_of(target, "upstream_id") == id) return true;
        }
    }
    return false;
}

// The id of the first object that refers to `id`, or nothing. Most texts do not name it and need no parsing.
template <class Refers>
std::string first_user(Kind kind, std::string_view id, const Objects& objects, Refers refers) {
    std::string user;
    objects.each(kind, [&](const store::StoredPtr& object) {
        if (object->json.find(id) == std::string::npos) return true;
        if (!refers(json::parse(object->json, {.positions = false}))) return true;
        user = object->id;
        return false;
    });
    return user;
}

std::string user_by_member(Kind kind, std::string_view member, std::string_view id, const Objects& objects) {
    return first_user(kind, id, objects,
                      [&](const Value& object) { return sources::reference_of(object, member) == id; });
}

std::string text_of(std::string_view what, std::string_view user_kind, const std::string& user) {
    std::string text = "can not delete this ";
    text.append(what).append(", ").append(user_kind).append(" [").append(user);
    return text.append("] is still using it now");
}

std::string upstream_used(std::string_view id, const Objects& objects) {
    for (const Kind kind : {Kind::route, Kind::service}) {
        const std::string user = user_by_member(kind, "upstream_id", id, objects);
        if (!user.empty()) return text_of("upstream", config::kind_name(kind), user);
    }
    constexpr std::pair<Kind, std::string_view> holders[] = {
        {Kind::route, "route"},
        {Kind::service, "service"},
        {Kind::plugin_config, "plugin_config"},
        {Kind::consumer, "consumer"},
        {Kind::consumer_group, "consumer_group"},
        {Kind::global_rule, "global_rules"},
    };
    for (const auto& [kind, name] : holders) {
        const std::string user =
            first_user(kind, id, objects, [&](const Value& object) { return splits_to(object, id); });
        if (!user.empty()) return text_of("upstream", "plugin in " + std::string(name), user);
    }
    return {};
}

}  // namespace

std::string still_used(Kind kind, std::string_view id, const Objects& objects) {
    const auto by = [&](std::string_view what, Kind user_kind, std::string_view member, std::string_view name) {
        const std::string user = user_by_member(user_kind, member, id, objects);
        return user.empty() ? std::string() : text_of(what, name, user);
    };
    switch (kind) {
        case Kind::upstream:
            return upstream_used(id, objects);
        case Kind::service:
            return by("service directly", Kind::route, "service_id", "route");
        case Kind::plugin_config:
            return by("plugin config", Kind::route, "plugin_config_id", "route");
        case Kind::consumer_group:
            return by("consumer group", Kind::consumer, "group_id", "consumer");
        default:
            return {};
    }
}

}  // namespace gateway::admin
