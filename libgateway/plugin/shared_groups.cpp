#include "libgateway/plugin/shared_groups.hpp"

#include <algorithm>

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

std::string text_of(const json::Value& entry) {
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

SharedGroups SharedGroups::over(const SharedGroups& base) {
    SharedGroups groups;
    groups.base_ = &base;
    return groups;
}

bool SharedGroups::may_concern(std::string_view text) {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> list;
        for (const PluginType& type : plugin_registry().types()) {
            if (type.group_of) list.push_back("\"" + std::string(type.name) + "\"");
        }
        return list;
    }();
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return text.find(name) != text.npos; });
}

SharedGroups::Settings& SharedGroups::settings_of(const Key& key) {
    const auto [own, fresh] = entries_.try_emplace(key);
    if (!fresh || !base_) return own->second;
    const auto known = base_->entries_.find(key);
    if (known != base_->entries_.end()) own->second = known->second;
    return own->second;
}

SharedGroups::Mismatch SharedGroups::add(const json::Value& object) {
    Mismatch mismatch;
    for_each_group(object, [&](const PluginType& type, std::string_view group, const json::Value& entry) {
        Settings& all = settings_of({type.name, std::string(group)});
        const std::string text = text_of(entry);
        const auto known = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.first == text; });
        if (known == all.end())
            all.emplace_back(text, 1);
        else
            ++known->second;
        if (all.front().first == text || !mismatch.plugin.empty()) return;
        mismatch.plugin = type.name;
        mismatch.text =
            "failed to check the configuration of plugin " + std::string(type.name) + " err: group conf mismatched";
    });
    return mismatch;
}

void SharedGroups::remove(const json::Value& object) {
    for_each_group(object, [&](const PluginType& type, std::string_view group, const json::Value& entry) {
        const Key key{type.name, std::string(group)};
        Settings& all = settings_of(key);
        const std::string text = text_of(entry);
        std::erase_if(all, [&](auto& one) { return one.first == text && --one.second == 0; });
        if (all.empty() && !base_) entries_.erase(key);
    });
}

}  // namespace gateway
