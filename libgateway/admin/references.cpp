#include "libgateway/admin/references.hpp"

namespace gateway::admin {

using config::Kind;
using sources::Use;

namespace {

std::string text_of(std::string_view what, std::string_view user_kind, const std::string& user) {
    std::string text = "can not delete this ";
    text.append(what).append(", ").append(user_kind).append(" [").append(user);
    return text.append("] is still using it now");
}

std::string upstream_used(std::string_view id, const Objects& objects) {
    for (const Kind kind : {Kind::route, Kind::service}) {
        const std::string user = objects.user_of(Kind::upstream, id, kind, Use::member);
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
        const std::string user = objects.user_of(Kind::upstream, id, kind, Use::split);
        if (!user.empty()) return text_of("upstream", "plugin in " + std::string(name), user);
    }
    return {};
}

}  // namespace

std::string still_used(Kind kind, std::string_view id, const Objects& objects) {
    const auto by = [&](std::string_view what, Kind user_kind) {
        const std::string user = objects.user_of(kind, id, user_kind, Use::member);
        return user.empty() ? std::string() : text_of(what, config::kind_name(user_kind), user);
    };
    switch (kind) {
        case Kind::upstream:
            return upstream_used(id, objects);
        case Kind::service:
            return by("service directly", Kind::route);
        case Kind::plugin_config:
            return by("plugin config", Kind::route);
        case Kind::consumer_group:
            return by("consumer group", Kind::consumer);
        default:
            return {};
    }
}

}  // namespace gateway::admin
