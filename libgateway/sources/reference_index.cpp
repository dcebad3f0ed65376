#include "libgateway/sources/reference_index.hpp"

#include "libgateway/sources/check.hpp"

namespace gateway::sources {

using config::Kind;
using json::Value;

namespace {

struct Member {
    Kind user;
    std::string_view name;
    Kind kind;
};
constexpr Member members[] = {
    {Kind::route, "upstream_id", Kind::upstream},       {Kind::service, "upstream_id", Kind::upstream},
    {Kind::route, "service_id", Kind::service},         {Kind::route, "plugin_config_id", Kind::plugin_config},
    {Kind::consumer, "group_id", Kind::consumer_group}, {Kind::stream_route, "upstream_id", Kind::upstream},
    {Kind::stream_route, "service_id", Kind::service},
};

// Calls `each(id)` for every upstream that a rule of traffic-split names.
template <class Each>
void each_split(const Value& object, const Each& each) {
    const Value* plugins = object.find("plugins");
    const Value* split = plugins ? plugins->find("traffic-split") : nullptr;
    const Value* rules = split ? split->find("rules") : nullptr;
    if (!rules) return;
    for (const Value& rule : rules->items()) {
        const Value* targets = rule.find("weighted_upstreams");
        if (!targets) continue;
        for (const Value& target : targets->items()) each(reference_of(target, "upstream_id"));
    }
}

// Calls `each(kind, id, use)` for every object that this one names.
template <class Each>
void each_reference(Kind kind, const Value& object, const Each& each) {
    for (const Member& member : members) {
        if (member.user == kind) each(member.kind, reference_of(object, member.name), Use::member);
    }
    if (kind == Kind::stream_route)
        each(kind, reference_of(json::member(object, "protocol"), "superior_id"), Use::member);
    const Value& transcode = json::member(json::member(object, "plugins"), "grpc-transcode");
    each(Kind::proto, reference_of(transcode, "proto_id"), Use::member);
    each_split(object, [&](std::string id) { each(Kind::upstream, std::move(id), Use::split); });
}

}  // namespace

void ReferenceIndex::add(Kind kind, const std::string& id, const Value& object) {
    each_reference(kind, object, [&](Kind named, std::string name, Use use) {
        if (!name.empty()) users_[{named, std::move(name)}].emplace(kind, use, id);
    });
}

void ReferenceIndex::remove(Kind kind, const std::string& id, const Value& object) {
    each_reference(kind, object, [&](Kind named, std::string name, Use use) {
        const auto found = users_.find({named, std::move(name)});
        if (found == users_.end()) return;
        found->second.erase({kind, use, id});
        if (found->second.empty()) users_.erase(found);
    });
}

std::string ReferenceIndex::first_user(Kind kind, std::string_view id, Kind user, Use use) const {
    const auto found = users_.find({kind, std::string(id)});
    if (found == users_.end()) return {};
    const auto first = found->second.lower_bound({user, use, std::string()});
    const bool is_one = first != found->second.end() && std::get<0>(*first) == user && std::get<1>(*first) == use;
    return is_one ? std::get<2>(*first) : std::string();
}

}  // namespace gateway::sources
