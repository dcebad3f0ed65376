#include "libgateway/plugin/check.hpp"

#include "libgateway/base/strings.hpp"
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

void check_settings(const PluginType& type, const json::Value& config, config::Errors& errors) {
    const config::Errors::Scope scope(
        errors, std::string_view(),
        "failed to check the configuration of plugin " + std::string(type.name) + " err: ", config);
    check_meta(type.name, config, errors);
    type.check(config, errors);
}

}  // namespace

void check_plugin(std::string_view name, const json::Value& config, config::Errors& errors,
                  std::vector<std::string>& warnings) {
    const PluginType* type = plugin_registry().find(name);
    if (!type) return unknown_plugin(name, errors);
    static const json::Value empty = json::Value::object();
    const json::Value& written = config.is_null() ? empty : config;
    if (!written.is_object()) {
        return errors.add("invalid plugin conf " + json::write(written) + " for plugin [" + std::string(name) + "]");
    }
    if (!is_disabled(written)) return check_settings(*type, written, errors);
    config::Errors tolerated;
    check_settings(*type, written, tolerated);
    for (const config::Finding& finding : tolerated.findings())
        warnings.push_back(finding.text + " (entry is disabled)");
}

}  // namespace gateway
