// The secret texts of plugin entries: those that the schemas of their types mark.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "libgateway/json/value.hpp"
#include "libgateway/plugin/check.hpp"

namespace gateway {

// `path` is dotted, below the entry; `text` is a string, and may be replaced by another one.
using SecretVisitor = std::function<void(const std::string& path, json::Value& text)>;

// Every secret text of the entry of a plugin at that place; none of an unknown plugin. References to secrets, which are
// no secrets, are left out.
void each_secret(std::string_view plugin, PluginPlace place, json::Value& entry, const SecretVisitor& visit);
// The same of the metadata of a plugin.
void each_metadata_secret(std::string_view plugin, json::Value& metadata, const SecretVisitor& visit);

// What is shown instead of a secret.
inline constexpr std::string_view secret_mask = "***";
// For people: every secret that the plugin has anywhere is masked; an entry that is a mere text is one.
void mask_secrets(std::string_view plugin, json::Value& entry);

}  // namespace gateway
