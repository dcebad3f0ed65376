#include "libgateway/plugin/check.hpp"

#include "libgateway/base/strings.hpp"
#include "libgateway/config/secret_reference.hpp"
#include "libgateway/plugin/encrypted_fields.hpp"
#include "libgateway/plugin/meta.hpp"
#include "libgateway/plugin/registry.hpp"

namespace gateway {
namespace {

void unknown_plugin(std::string_view name, config::Errors& errors) {
    std::vector<std::string_view> names;
    for (const PluginType& type : plugin_registry().types()) names.push_back(type.name);
    const std::string_view meant = nearest(name, names);
    errors.add("unknown plugin [" + std::string(name) + "]",
               meant.empty() ? std::string() : "did you mean \"" + std::string(meant) + "\"?");
}

// Entries of auth plugins that have credentials are such where consumers are.
bool is_credential(const PluginType& type, PluginPlace place) noexcept {
    return place != PluginPlace::ordinary && type.check_credential;
}

void check_settings(const PluginType& type, const json::Value& config, PluginPlace place, config::Errors& errors) {
    const std::string_view prefix = place == PluginPlace::ordinary ? "" : "invalid plugins configuration: ";
    const config::Errors::Scope scope(
        errors, std::string_view(),
        std::string(prefix) + "failed to check the configuration of plugin " + std::string(type.name) + " err: ",
        config);
    errors.allow_references();
    check_meta(type.name, config, errors);
    (is_credential(type, place) ? type.check_credential : type.check)(config, errors);
    errors.allow_references(false);
}

}  // namespace

void check_plugin(std::string_view name, const json::Value& config, config::Errors& errors,
                  std::vector<std::string>& warnings, PluginPlace place) {
    const PluginType* type = plugin_registry().find(name);
    if (!type) return unknown_plugin(name, errors);
    if (place == PluginPlace::credential && !type->check_credential) {
        return errors.add("only supports auth type plugins in consumer credential");
    }
    static const json::Value empty = json::Value::object();
    const json::Value& written = config.is_null() ? empty : config;
    if (!written.is_object()) {
        json::Value shown = written;
        mask_secrets(name, shown);
        return errors.add("invalid plugin conf " + json::write(shown) + " for plugin [" + std::string(name) + "]");
    }
    if (!is_disabled(written)) return check_settings(*type, written, place, errors);
    config::Errors tolerated;
    check_settings(*type, written, place, tolerated);
    for (const config::Finding& finding : tolerated.findings())
        warnings.push_back(finding.text + " (entry is disabled)");
}

std::vector<std::string_view> children_of(std::string_view name, const json::Value& config) {
    const PluginType* type = plugin_registry().find(name);
    if (!type || !type->children || is_disabled(config)) return {};
    return type->children(config);
}

void check_plugin_metadata(std::string_view name, const json::Value& metadata, config::Errors& errors) {
    const PluginType* type = plugin_registry().find(name);
    if (!type || !type->check_metadata) return errors.add("invalid plugin name");
    const config::Errors::Scope scope(errors, std::string_view(), "invalid configuration: ", metadata);
    type->check_metadata(metadata, errors);
}

std::optional<CredentialKey> credential_key_of(std::string_view plugin, const json::Value& config) noexcept {
    const PluginType* type = plugin_registry().find(plugin);
    const json::Value* key = type && type->check_credential ? config.find(type->credential_key) : nullptr;
    if (!key || !key->is_string() || config::is_secret_reference(key->string())) return std::nullopt;
    return CredentialKey{type->credential_key, key->string()};
}

}  // namespace gateway
