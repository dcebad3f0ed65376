#include "libgateway/plugin/encrypted_fields.hpp"

#include <span>

#include "libgateway/config/secret_reference.hpp"
#include "libgateway/plugin/registry.hpp"

namespace gateway {
namespace {

using Paths = std::span<const std::string>;

void visit_text(const std::string& path, json::Value& value, const SecretVisitor& visit) {
    if (value.is_string() && !config::is_secret_reference(value.string())) visit(path, value);
}

// What a path leads to: a text, texts in an array, texts in a map.
void visit_leaf(const std::string& path, json::Value& value, const SecretVisitor& visit) {
    if (value.is_array()) {
        std::size_t at = 0;
        for (json::Value& item : value.make_array()) visit_text(path + "[" + std::to_string(at++) + "]", item, visit);
    } else if (value.is_object()) {
        for (json::Member& member : value.make_object()) visit_text(path + "." + member.key, member.value, visit);
    } else {
        visit_text(path, value, visit);
    }
}

void follow(std::string_view rest, const std::string& path, json::Value& value, const SecretVisitor& visit) {
    if (rest.empty()) return visit_leaf(path, value, visit);
    if (value.is_array()) {
        std::size_t at = 0;
        for (json::Value& item : value.make_array()) follow(rest, path + "[" + std::to_string(at++) + "]", item, visit);
        return;
    }
    const std::size_t dot = rest.find('.');
    const std::string_view name = rest.substr(0, dot);
    json::Value* member = value.is_object() ? value.find(name) : nullptr;
    if (!member) return;
    const std::string below = path.empty() ? std::string(name) : path + "." + std::string(name);
    follow(dot == rest.npos ? std::string_view() : rest.substr(dot + 1), below, *member, visit);
}

void follow_all(Paths paths, json::Value& value, const SecretVisitor& visit) {
    for (const std::string_view path : paths) follow(path, {}, value, visit);
}

}  // namespace

void each_secret(std::string_view plugin, PluginPlace place, json::Value& entry, const SecretVisitor& visit) {
    const PluginType* type = plugin_registry().find(plugin);
    if (!type) return;
    const bool credential = place != PluginPlace::ordinary && type->check_credential;
    follow_all(credential ? type->credential_encrypt_fields : type->encrypt_fields, entry, visit);
}

void each_metadata_secret(std::string_view plugin, json::Value& metadata, const SecretVisitor& visit) {
    if (const PluginType* type = plugin_registry().find(plugin))
        follow_all(type->metadata_encrypt_fields, metadata, visit);
}

void mask_secrets(std::string_view plugin, json::Value& entry) {
    const PluginType* type = plugin_registry().find(plugin);
    if (!type) return;
    const SecretVisitor mask = [](const std::string&, json::Value& text) { text = json::Value(secret_mask); };
    const Paths all[] = {type->encrypt_fields, type->credential_encrypt_fields, type->metadata_encrypt_fields};
    for (const Paths paths : all) {
        if (!paths.empty() && entry.is_string()) entry = json::Value(secret_mask);
        follow_all(paths, entry, mask);
    }
}

}  // namespace gateway
