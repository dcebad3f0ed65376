// What is known of a type of plugin, as JSON: for gatewayctl, and for whoever else has to tell people about plugins.
#pragma once

#include "libgateway/json/value.hpp"
#include "libgateway/plugin/registry.hpp"

namespace gateway {

// name, type ("auth" or ""), priority, version, scope ("http": exchanges), phases, places (kinds of objects that may
// hold an entry), on_error ("open" or "closed").
json::Value summary_of(const PluginType& type);

// The same, and: `schema`, `consumer_schema`, `metadata_schema` (JSON Schema; the latter two only if the plugin has
// them), `encrypt_fields` (paths of secrets, by the schema that has them), `fields` (rows for a table, by the same
// names).
json::Value description_of(const PluginType& type);

// Name that was meant by one that is unknown; empty if none is near.
std::string_view nearest_plugin(std::string_view name);

}  // namespace gateway
