#include "libgateway/admin/object_check.hpp"

#include "libgateway/admin/error_text.hpp"
#include "libgateway/admin/secret_fields.hpp"
#include "libgateway/config/forms.hpp"
#include "libgateway/config/idle_objects.hpp"
#include "libgateway/config/objects.hpp"

namespace gateway::admin {

using config::Kind;
using json::Value;

namespace {

// Files may leave the brackets out.
bool has_bare_ipv6(Kind kind, const Value& value) {
    const Value* upstream = kind == Kind::upstream ? &value : value.find("upstream");
    const Value* nodes = upstream ? upstream->find("nodes") : nullptr;
    if (!nodes) return false;
    for (const Value& node : nodes->items()) {
        const Value* host = node.find("host");
        if (host && config::is_ipv6(host->string())) return true;
    }
    return false;
}

std::string first_of(const config::Errors& errors, std::string (*text)(const config::Finding&)) {
    return errors.empty() ? std::string() : text(errors.findings().front());
}

struct Reference {
    std::string_view member;
    Kind kind;
    std::string_view name;  // "upstream" of "failed to fetch upstream info by upstream id"
};
constexpr Reference references[] = {
    {"upstream_id", Kind::upstream, "upstream"},
    {"service_id", Kind::service, "service"},
    {"plugin_config_id", Kind::plugin_config, "plugin config"},
    {"group_id", Kind::consumer_group, "consumer group"},
};

std::string dangling_reference(Kind kind, const Value& value, const Objects& objects) {
    if (kind != Kind::route && kind != Kind::service && kind != Kind::consumer && kind != Kind::stream_route) return {};
    for (const Reference& one : references) {
        const std::string id = sources::reference_of(value, one.member);
        if (id.empty() || objects.find(one.kind, id)) continue;
        std::string text = "failed to fetch ";
        text.append(one.name).append(" info by ").append(one.name).append(" id [").append(id);
        return text.append("], response code: 404");
    }
    return {};
}

std::string protocol_of(const Value& stream_route) {
    return json::member(json::member(stream_route, "protocol"), "name").string();
}

// A subordinate needs another stream route, of the same protocol.
std::string superior_refusal(std::string_view id, const Value& route, const Objects& objects) {
    const Value* protocol = route.find("protocol");
    const std::string superior = protocol ? sources::reference_of(*protocol, "superior_id") : "";
    if (superior.empty()) return {};
    if (superior == id) return "stream route can not set itself as superior_id";
    const store::StoredPtr found = objects.find(Kind::stream_route, superior);
    if (!found) return "failed to fetch stream routes[" + superior + "]: response code: 404";
    const std::string mine = protocol_of(route), theirs = protocol_of(json::parse(found->json));
    if (mine == theirs) return {};
    return "protocol mismatch: subordinate protocol [" + mine + "] does not match superior protocol [" + theirs + "]";
}

// One plugin may stand in one global rule only.
std::string repeated_rule(std::string_view id, const Value& rule, const Objects& objects) {
    const Value* mine = rule.find("plugins");
    std::string refusal;
    objects.each(Kind::global_rule, [&](const store::StoredPtr& other) {
        if (other->id == id || !mine) return true;
        const Value known = json::parse(other->json);
        const Value* theirs = known.find("plugins");
        for (const json::Member& entry : mine->members()) {
            if (!theirs || !theirs->find(entry.key)) continue;
            refusal = "plugin '" + entry.key + "' already exists in global rule with id '" + other->id + "'";
            return false;
        }
        return true;
    });
    return refusal;
}

std::string secret_refusal(std::string_view id, const Value& value) {
    const auto name = config::secret_name(id);
    if (!name) return "invalid secret id: " + std::string(id);
    config::Errors errors;
    config::secret_schema(name->manager).check(value, errors);
    return first_of(errors, write_text);
}

// By the schema; what an object says about plugins and expressions comes later.
std::string form_refusal(Kind kind, std::string_view id, const Value& value) {
    if (kind == Kind::plugin_metadata) return {};
    if (kind == Kind::secret) return secret_refusal(id, value);
    if (has_bare_ipv6(kind, value)) return "invalid configuration: IPv6 address must be enclosed with '[' and ']'";
    config::Errors errors;
    config::check_object(kind, value, errors);
    return first_of(errors, write_text);
}

std::string content_refusal(Kind kind, std::string_view id, const Value& value, const sources::CheckRules& rules) {
    config::Errors errors, warnings;
    sources::check_item(kind, id, value, rules, errors, warnings);
    if (errors.empty())
        return kind == Kind::ssl && has_sealed_key(value) ? "failed to decrypt previous encrypted key" : std::string();
    const config::Finding& first = errors.findings().front();
    return first.message.ends_with("is not supported by this build") ? first.message : first.text;
}

}  // namespace

std::string object_refusal(Kind kind, std::string_view id, const Value& value, const sources::CheckRules& rules) {
    std::string refusal = form_refusal(kind, id, value);
    if (refusal.empty()) refusal = content_refusal(kind, id, value, rules);
    return refusal;
}

std::string write_refusal(Kind kind, std::string_view id, const Value& value, const Objects& objects) {
    std::string refusal = form_refusal(kind, id, value);
    if (refusal.empty() && kind != Kind::consumer) refusal = dangling_reference(kind, value, objects);
    if (refusal.empty()) refusal = content_refusal(kind, id, value, objects.rules());
    if (refusal.empty() && kind == Kind::consumer) refusal = objects.credential_conflict(id, value);
    if (refusal.empty() && kind == Kind::consumer) refusal = dangling_reference(kind, value, objects);
    if (refusal.empty() && kind == Kind::stream_route) refusal = superior_refusal(id, value, objects);
    if (refusal.empty() && kind == Kind::global_rule) refusal = repeated_rule(id, value, objects);
    return refusal;
}

std::string schema_refusal(Kind kind, const Value& value) {
    const bool hosts = value.find("host") && value.find("hosts");
    const bool addresses = value.find("remote_addr") && value.find("remote_addrs");
    config::Errors errors;
    config::check_object(kind, value, errors);
    for (const config::Finding& finding : errors.findings()) {
        if (finding.message.starts_with("only one of ") && kind == Kind::route) continue;
        return schema_text(finding);
    }
    if (kind != Kind::route || (!hosts && !addresses)) return {};
    return std::string("allOf ") + (hosts ? "2" : "3") +
           " failed: value should match only one schema, but matches both schemas 2 and 3";
}

}  // namespace gateway::admin
