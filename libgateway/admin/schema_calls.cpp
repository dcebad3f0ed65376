#include "libgateway/admin/schema_calls.hpp"

#include <algorithm>

#include "libgateway/admin/draft.hpp"
#include "libgateway/admin/object_check.hpp"
#include "libgateway/admin/resource.hpp"
#include "libgateway/config/consumer_objects.hpp"
#include "libgateway/config/objects.hpp"
#include "libgateway/plugin/describe.hpp"

namespace gateway::admin {

using config::Kind;
using json::Value;
using PluginNames = std::optional<std::vector<std::string>>;

namespace {

constexpr std::string_view described_network = "IPv4 or IPv6 address or network";

Value text_form(std::string_view pattern) {
    return Value::object({{"type", "string"}, {"pattern", pattern}});
}

// Our tables describe some forms in words; a JSON Schema needs patterns.
void make_real(Value& schema) {
    const Value* pattern = schema.find("pattern");
    if (pattern && pattern->string() == described_network) {
        schema.erase("pattern");
        schema.set("anyOf",
                   Value::array({text_form(R"(^([0-9]{1,3}\.){3}[0-9]{1,3}(/([12]?[0-9]|3[0-2]))?$)"),
                                 text_form(R"(^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(/([0-9]{1,2}|1[01][0-9]|12[0-8]))?$)")}));
    }
    if (schema.is_array()) {
        for (Value& item : schema.make_array()) make_real(item);
    } else if (schema.is_object()) {
        for (json::Member& member : schema.make_object()) make_real(member.value);
    }
}

Value schema_of_kind(std::string_view name) {
    constexpr std::string_view names[] = {"route",         "service",     "upstream", "consumer",     "consumer_group",
                                          "plugin_config", "global_rule", "proto",    "stream_route", "ssl"};
    Kind kind{};
    if (std::find(std::begin(names), std::end(names), name) == std::end(names)) return {};
    return config::parse_kind(name, kind) ? config::schema_of(kind).json_schema() : Value();
}

Reply document(const Value& value) {
    return json_reply(200, json::write(value));
}

bool is_enabled(const PluginNames& enabled, std::string_view name) {
    return !enabled || std::find(enabled->begin(), enabled->end(), name) != enabled->end();
}

Value description(const PluginType& type) {
    Value all = description_of(type);
    Value out = Value::object();
    for (const std::string_view member :
         {"version", "priority", "schema", "metadata_schema", "consumer_schema", "type", "scope"}) {
        if (Value* found = all.find(member)) {
            make_real(*found);
            out.set(member, std::move(*found));
        }
    }
    return out;
}

Reply plugin_schema(const PluginNames& enabled, const std::string& name, const Target& target) {
    const std::string* subsystem = target.parameter("subsystem");
    if (subsystem && *subsystem != "http" && *subsystem != "stream")
        return refuse(400, "unsupported subsystem: " + *subsystem);
    const bool http = !subsystem || *subsystem == "http";
    const PluginType* type = http && is_enabled(enabled, name) ? plugin_registry().find(name) : nullptr;
    if (!type) return refuse(404, std::string("plugin not found in subsystem ") + (http ? "http" : "stream"));
    const std::string* which = target.parameter("schema_type");
    const bool of_consumer = which && *which == "consumer";
    const Value all = description(*type);
    const Value* schema = all.find(of_consumer ? "consumer_schema" : "schema");
    return schema ? document(*schema) : refuse(400, "not found schema");
}

Reply plugin_list(const PluginNames& enabled, const Target& target) {
    const std::string* subsystem = target.parameter("subsystem");
    if (subsystem && *subsystem != "http" && *subsystem != "stream") return text_reply(400, "invalid subsystem passed");
    std::vector<const PluginType*> types;
    for (const PluginType& type : plugin_registry().types()) {
        if (is_enabled(enabled, type.name) && (!subsystem || *subsystem == "http")) types.push_back(&type);
    }
    std::stable_sort(types.begin(), types.end(), [](auto* a, auto* b) { return a->priority > b->priority; });
    Value names = Value::array();
    for (const PluginType* type : types) names.push(type->name);
    return document(names);
}

Reply plugins(const PluginNames& enabled, const std::vector<std::string>& segments, const Target& target) {
    if (segments.size() == 1) {
        const std::string* all = target.parameter("all");
        const std::string* subsystem = target.parameter("subsystem");
        if (!all || *all != "true") return refuse(400, "not found plugin name");
        return document(subsystem && *subsystem == "stream" ? Value::object() : all_plugins(enabled));
    }
    if (segments.size() > 2) return refuse(404, "not found");
    return segments[1] == "list" ? plugin_list(enabled, target) : plugin_schema(enabled, segments[1], target);
}

Reply validate(const std::vector<std::string>& segments, const std::string& body) {
    const std::string name = segments.size() == 3 ? segments[2] : std::string();
    const Resource* resource = find_resource(name);
    if (!resource) return refuse(404, "Unsupported resource type: " + name);
    if (!resource->kind) return refuse(400, "not supported by this build");
    Value value;
    if (body.empty()) return refuse(400, "missing configurations");
    if (auto refusal = parse_body(body, value)) return *refusal;
    const std::string refusal = schema_refusal(*resource->kind, value);
    return refusal.empty() ? Reply{} : refuse(400, refusal);
}

}  // namespace

Value schema_document(std::string_view name) {
    Value schema = schema_of_kind(name);
    if (name == "credential") schema = config::table_of(config::ConsumerCredential::schema).json_schema();
    if (name == "plugins") schema = Value::object({{"type", "object"}});
    if (name == "upstream_hash_vars_schema") schema = text_form(config::hash_vars_pattern);
    if (name == "upstream_hash_header_schema") schema = text_form(config::hash_header_pattern);
    if (name == "id_schema") schema = config::Codec<config::ObjectId>::describe({});
    make_real(schema);
    return schema;
}

Value all_plugins(const PluginNames& enabled) {
    Value all = Value::object();
    for (const PluginType& type : plugin_registry().types()) {
        if (is_enabled(enabled, type.name)) all.set(type.name, description(type));
    }
    return all;
}

Reply answer_about_schemas(const Objects& objects, std::string_view method, const std::string& body,
                           const std::vector<std::string>& segments, const Target& target) {
    const bool schema = segments[0] == "schema";
    if (schema && method == "POST" && segments.size() >= 2 && segments[1] == "validate")
        return validate(segments, body);
    if (method != "GET") return refuse(404, "not found");
    const PluginNames enabled = objects.rules().enabled_plugins;
    if (!schema) return plugins(enabled, segments, target);
    if (segments.size() == 3 && segments[1] == "plugins") return plugin_schema(enabled, segments[2], target);
    const std::string name = segments.size() == 2 ? segments[1] : std::string();
    const Value found = schema_document(name);
    return found.is_null() ? refuse(400, "not found schema: " + name) : document(found);
}

}  // namespace gateway::admin
