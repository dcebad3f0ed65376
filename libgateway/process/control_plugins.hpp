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

// Names of the plugins that an object has entries of, or that its entries would run, and that are not in the list, with
// commas; empty: none. Such entries do not run.
std::string idle_plugins(const sources::Object& object, const std::vector<std::string>& enabled);

// `what` is "list" or "show"; `name` is needed by the latter. Rows and descriptions as in plugin/describe.hpp, each
// with `enabled`.
control::Answer answer_about_plugins(std::string_view what, std::string_view name, const PluginNames& enabled);

}  // namespace gateway::process
