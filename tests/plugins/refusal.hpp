// What control says about a plugin entry, for tests of rejections.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libgateway/plugin/check.hpp"

namespace gateway::test {

// The text behind the prefix of the Admin API, for the first error; empty if the entry is fine.
inline std::string refusal_of(std::string_view plugin, const json::Value& config) {
    config::Errors errors;
    std::vector<std::string> warnings;
    check_plugin(plugin, config, errors, warnings);
    const std::string prefix = "failed to check the configuration of plugin " + std::string(plugin) + " err: ";
    const std::string text(errors.first());
    return text.rfind(prefix, 0) == 0 ? text.substr(prefix.size()) : text;
}
// The whole text about that entry on a consumer.
inline std::string credential_refusal(std::string_view plugin, const json::Value& config) {
    config::Errors errors;
    std::vector<std::string> warnings;
    check_plugin(plugin, config, errors, warnings, PluginPlace::consumer);
    return std::string(errors.first());
}
inline std::string refusal(std::string_view plugin, std::string_view json_text) {
    return refusal_of(plugin, json::parse(json_text));
}

}  // namespace gateway::test
