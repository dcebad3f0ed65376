#include "libgateway/plugin/shared_groups.hpp"

#include "libgateway/plugin/registry.hpp"

namespace gateway {

namespace {

// Calls `each(type, group, entry)` for every entry that names a group.
template <class Each>
void for_each_group(const json::Value& object, const Each& each) {
    const json::Value* plugins = object.find("plugins");
    if (!plugins || !plugins->is_object()) return;
    for (const json::Member& member : plugins->members()) {
        const PluginType* type = plugin_registry().find(member.key);
        if (!type || !type->group_of) continue;
        if (const std::string_view group = type->group_of(member.value); !group.empty())
            each(*type, group, member.value);
    }
}

std::string settings_of(const json::Value& entry) {
    json::Value own = entry;
    own.erase("_meta");
    return json::write_sorted(own);
}

}  // namespace

bool SharedGroups::concerns(const json::Value& object) {
    bool found = false;
    for_each_group(object, [&](const PluginType&, std::string_view, const json::Value&) { found = true; });
    return found;
}

SharedGroups::Mismatch SharedGroups::add(const json::Value& object) {
    Mismatch mismatch;
    for_each_group(object, [&](const PluginType& type, std::string_view group, const json::Value& entry) {
        const std::string settings = settings_of(entry);
        const auto [known, fresh] = entries_.try_emplace({type.name, std::string(group)}, settings);
        if (fresh || known->second == settings || !mismatch.plugin.empty()) return;
        mismatch.plugin = type.name;
        mismatch.text =
            "failed to check the configuration of plugin " + std::string(type.name) + " err: group conf mismatched";
    });
    return mismatch;
}

}  // namespace gateway
