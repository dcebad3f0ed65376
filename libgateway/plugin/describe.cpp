#include "libgateway/plugin/describe.hpp"

#include <vector>

#include "libgateway/base/strings.hpp"

namespace gateway {
namespace {

json::Value phases_of_type(const PluginType& type) {
    json::Value list = json::Value::array();
    for (std::size_t phase = 0; phase < phase_count; ++phase) {
        if (type.phases >> phase & 1) list.push(name_of(Phase(phase)));
    }
    return list;
}

// Entries of auth plugins on consumers are credentials; those without credentials would never run there.
json::Value places_of(const PluginType& type) {
    json::Value list = json::Value::array({"route", "service", "plugin_config", "global_rule"});
    if (!type.is_auth || type.check_credential) list.push("consumer");
    if (!type.is_auth) list.push("consumer_group");
    if (type.check_credential) list.push("credential");
    return list;
}

json::Value meta_schema() {
    const auto of_type = [](std::string_view name) { return json::Value::object({{"type", name}}); };
    json::Value properties = json::Value::object();
    properties.set("disable", of_type("boolean"));
    properties.set("priority", of_type("integer"));
    properties.set("filter", of_type("array"));
    properties.set("error_response", json::Value::object({{"type", json::Value::array({"string", "object"})}}));
    return json::Value::object(
        {{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}});
}

json::Value row_of(const config::Row& row) {
    return json::Value::object({{"field", json::Value(row.name)},
                                {"type", json::Value(row.type)},
                                {"limits", json::Value(row.limits)},
                                {"default", json::Value(row.required ? "required" : row.default_text)},
                                {"encrypted", row.encrypted},
                                {"effect", json::Value(row.doc)}});
}

// One schema of a plugin under its name, with its rows and its secrets.
void add_schema(json::Value& out, std::string_view name, json::Value schema) {
    json::Value rows = json::Value::array(), secrets = json::Value::array();
    for (const config::Row& row : config::rows_of(schema)) rows.push(row_of(row));
    for (const std::string& path : config::encrypted_paths(schema)) secrets.push(json::Value(path));
    out.find("fields")->set(name, std::move(rows));
    out.find("encrypt_fields")->set(name, std::move(secrets));
    out.set(name, std::move(schema));
}

}  // namespace

json::Value summary_of(const PluginType& type) {
    return json::Value::object({{"name", type.name},
                                {"type", type.is_auth ? "auth" : ""},
                                {"priority", type.priority},
                                {"version", type.version},
                                {"scope", "http"},
                                {"phases", phases_of_type(type)},
                                {"places", places_of(type)},
                                {"on_error", type.on_error == OnError::closed ? "closed" : "open"}});
}

json::Value description_of(const PluginType& type) {
    json::Value out = summary_of(type);
    out.set("fields", json::Value::object());
    out.set("encrypt_fields", json::Value::object());
    add_schema(out, "schema", type.schema().json_schema());
    out.find("schema")->find("properties")->set("_meta", meta_schema());
    if (type.credential_schema) add_schema(out, "consumer_schema", type.credential_schema().json_schema());
    if (type.metadata_schema) add_schema(out, "metadata_schema", type.metadata_schema().json_schema());
    return out;
}

std::string_view nearest_plugin(std::string_view name) {
    std::vector<std::string_view> names;
    for (const PluginType& type : plugin_registry().types()) names.push_back(type.name);
    return nearest(name, names);
}

}  // namespace gateway
