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
    const std::string stream = objects.user_of(Kind::upstream, id, Kind::stream_route, Use::member);
    return stream.empty() ? std::string() : text_of("upstream", "stream_route", stream);
}

// Of a kind that objects of two others may name.
std::string used_by_either(Kind kind, std::string_view what, Kind first, Kind second, std::string_view id,
                           const Objects& objects) {
    for (const Kind user_kind : {first, second}) {
        const std::string user = objects.user_of(kind, id, user_kind, Use::member);
        if (!user.empty()) return text_of(what, config::kind_name(user_kind), user);
    }
    return {};
}

std::string stream_route_used(std::string_view id, const Objects& objects) {
    const std::string user = objects.user_of(Kind::stream_route, id, Kind::stream_route, Use::member);
    if (user.empty()) return {};
    return "can not delete this stream route directly, stream route [" + user + "] is still using it as superior_id";
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
            return used_by_either(kind, "service directly", Kind::route, Kind::stream_route, id, objects);
        case Kind::proto:
            return used_by_either(kind, "proto", Kind::route, Kind::service, id, objects);
        case Kind::stream_route:
            return stream_route_used(id, objects);
        case Kind::plugin_config:
            return by("plugin config", Kind::route);
        case Kind::consumer_group:
            return by("consumer group", Kind::consumer);
        default:
            return {};
    }
}

}  // namespace gateway::admin
