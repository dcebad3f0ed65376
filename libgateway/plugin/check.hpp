// Checks of plugin entries while a document is read: control's side, nothing is built for traffic.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/errors.hpp"
#include "libgateway/json/value.hpp"

namespace gateway {

// Where an entry stands. On consumers and in credential objects entries of auth plugins are credentials.
enum class PluginPlace : std::uint8_t { ordinary, consumer, credential };

// Checks one entry of a `plugins` object: known name, an object (or null), `_meta`, then the plugin's settings. The
// innermost scope of `errors` is the entry. The texts are those of the Admin API: "unknown plugin [x]", "failed to
// check the configuration of plugin x err: …". What is wrong with a disabled entry goes into `warnings` instead.
void check_plugin(std::string_view name, const json::Value& config, config::Errors& errors,
                  std::vector<std::string>& warnings, PluginPlace place = PluginPlace::ordinary);

// Checks the body of a plugin_metadata object: "invalid plugin name" if the plugin is unknown or has no metadata.
void check_plugin_metadata(std::string_view name, const json::Value& metadata, config::Errors& errors);

// The member and the text in it by which a credential of that plugin is found; nothing if the entry is none, or the
// text is a reference to a secret.
struct CredentialKey {
    std::string_view attribute, value;
};
std::optional<CredentialKey> credential_key_of(std::string_view plugin, const json::Value& config) noexcept;

}  // namespace gateway
