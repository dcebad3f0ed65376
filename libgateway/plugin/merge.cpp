#include "libgateway/plugin/merge.hpp"

#include <algorithm>

#include "libgateway/base/log.hpp"
#include "libgateway/plugin/meta.hpp"
#include "libgateway/plugin/registry.hpp"

namespace gateway {
namespace {

const json::Value& empty_config() {
    static const json::Value empty = json::Value::object();
    return empty;
}

PluginEntry entry_of(const json::Member& member, std::string_view where) {
    // Written `name:` without a value in YAML.
    if (member.value.is_null()) return {member.key, &empty_config(), where, true};
    return {member.key, &member.value, where, member.value.is_object() && !is_disabled(member.value)};
}

PluginEntry* find(std::vector<PluginEntry>& list, std::string_view name) {
    const auto found =
        std::find_if(list.begin(), list.end(), [&](const PluginEntry& entry) { return entry.name == name; });
    return found == list.end() ? nullptr : &*found;
}

// Entries of `source` replace those of the same name.
using Leave = bool (*)(std::string_view plugin);
bool nothing(std::string_view) noexcept {
    return false;
}

void overlay(const PluginSource& source, std::vector<PluginEntry>& list, Leave leave = nothing) {
    if (!source.plugins) return;
    for (const json::Member& member : source.plugins->members()) {
        if (leave(member.key)) continue;
        const PluginEntry entry = entry_of(member, source.where);
        if (PluginEntry* lower = find(list, entry.name)) {
            *lower = entry;
        } else {
            list.push_back(entry);
        }
    }
}

}  // namespace

std::vector<PluginEntry> merge_route_plugins(const RoutePlugins& sources, bool plugin_config_overrides_route) {
    std::vector<PluginEntry> list;
    overlay(sources.service, list);
    overlay(plugin_config_overrides_route ? sources.route : sources.plugin_config, list);
    overlay(plugin_config_overrides_route ? sources.plugin_config : sources.route, list);
    return list;
}

void merge_consumer_plugins(const PluginSource& group, const PluginSource& consumer, std::vector<PluginEntry>& list) {
    overlay(group, list, is_auth_plugin);
    overlay(consumer, list, is_auth_plugin);
}

std::vector<PluginEntry> merge_global_rules(std::span<const PluginSource> rules, std::vector<std::string>* duplicates) {
    std::vector<PluginEntry> list;
    std::vector<std::string> twice;
    for (const PluginSource& rule : rules) {
        if (!rule.plugins) continue;
        for (const json::Member& member : rule.plugins->members()) {
            if (!find(list, member.key)) {
                list.push_back(entry_of(member, rule.where));
            } else if (std::find(twice.begin(), twice.end(), member.key) == twice.end()) {
                twice.push_back(member.key);
            }
        }
    }
    for (const std::string& name : twice) {
        log::error("Found {} configured across different global rules. Removing it from execution list", name);
        list.erase(
            std::remove_if(list.begin(), list.end(), [&](const PluginEntry& entry) { return entry.name == name; }),
            list.end());
    }
    if (duplicates) *duplicates = std::move(twice);
    return list;
}

}  // namespace gateway
