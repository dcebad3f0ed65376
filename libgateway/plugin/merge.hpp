// Which plugin entries count for a route, and where each comes from: objects.md 4.1 of the specification.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/json/value.hpp"

namespace gateway {

// The `plugins` member of one object; null if it has none. Must outlive what is merged from it.
struct PluginSource {
    std::string_view where;  // "routes/12"
    const json::Value* plugins = nullptr;
};

// One plugin of a merged list. Views into the sources.
struct PluginEntry {
    std::string_view name;
    const json::Value* config = nullptr;
    std::string_view where;  // the object whose entry won
    bool enabled = true;     // false: the winner is disabled (or no object), so that the plugin does not run here
};

struct RoutePlugins {
    PluginSource service, plugin_config, route;
};

// Whole entries, never field by field; highest rank first: route, plugin config, service, or with
// `plugin_config_overrides_route` plugin config, route, service. In the order of first appearance; a chain sorts.
std::vector<PluginEntry> merge_route_plugins(const RoutePlugins& sources, bool plugin_config_overrides_route);

// Entries of a group, then of a consumer, over a merged list: whole entries, without those of auth plugins, which are
// credentials there. For people; workers merge built chains (Chain::merge) by the same rule.
void merge_consumer_plugins(const PluginSource& group, const PluginSource& consumer, std::vector<PluginEntry>& list);

// All global rules as one list. A plugin in two of them is taken out of both and logged as an error; its name is added
// to `duplicates` if that is given.
std::vector<PluginEntry> merge_global_rules(std::span<const PluginSource> rules,
                                            std::vector<std::string>* duplicates = nullptr);

}  // namespace gateway
