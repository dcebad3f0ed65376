// Answers about the plugins that this program has: `gatewayctl plugin list|show NAME`, with and without a gateway.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/static_config.hpp"
#include "libgateway/control/wire.hpp"
#include "libgateway/sources/document.hpp"

namespace gateway::process {

// Names that may be used; nothing: all.
using PluginNames = std::optional<std::vector<std::string>>;
// The list in force: that of the document, else that of the static file.
PluginNames enabled_plugins(const sources::Document& document, const config::StaticConfig& settings);

// `what` is "list" or "show"; `name` is needed by the latter. Rows and descriptions as in plugin/describe.hpp, each
// with `enabled`.
control::Answer answer_about_plugins(std::string_view what, std::string_view name, const PluginNames& enabled);

}  // namespace gateway::process
