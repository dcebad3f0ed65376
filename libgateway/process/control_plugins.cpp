#include "libgateway/process/control_plugins.hpp"

#include <algorithm>

#include "libgateway/plugin/check.hpp"
#include "libgateway/plugin/describe.hpp"

namespace gateway::process {

using control::Answer;
using control::Status;

namespace {

bool is_enabled(const PluginType& type, const PluginNames& enabled) {
    return !enabled || std::find(enabled->begin(), enabled->end(), type.name) != enabled->end();
}

Answer list(const PluginNames& enabled) {
    json::Value rows = json::Value::array();
    for (const PluginType& type : plugin_registry().types())
        rows.push(summary_of(type)).set("enabled", is_enabled(type, enabled));
    Answer answer;
    answer.result = json::write(rows);
    return answer;
}

Answer show(std::string_view name, const PluginNames& enabled) {
    const PluginType* type = plugin_registry().find(name);
    if (!type) {
        const std::string_view near = nearest_plugin(name);
        std::string text = "unknown plugin [" + std::string(name.substr(0, 64)) + "]";
        if (!near.empty()) text.append(", did you mean \"").append(near).append("\"?");
        return control::refuse(Status::refused, text);
    }
    json::Value description = description_of(*type);
    description.set("enabled", is_enabled(*type, enabled));
    Answer answer;
    answer.result = json::write(description);
    return answer;
}

}  // namespace

PluginNames enabled_plugins(const sources::Document& document, const config::StaticConfig& settings) {
    const sources::ObjectPtr object = document.find(config::Kind::plugins, "list");
    if (!object) return settings.plugins;
    PluginNames names(std::in_place);
    const json::Value list = json::parse(object->json);
    for (const json::Value& item : list.items()) names->push_back(item.string());
    return names;
}

std::string idle_plugins(const sources::Object& object, const std::vector<std::string>& enabled) {
    if (object.json.find("\"plugins\"") == std::string::npos) return {};
    json::Limits limits;
    limits.positions = false;
    const json::Value parsed = json::parse(object.json, limits);
    const json::Value* plugins = parsed.find("plugins");
    std::string names;
    if (!plugins) return names;
    const auto look_at = [&](std::string_view name) {
        if (std::find(enabled.begin(), enabled.end(), name) != enabled.end()) return;
        names.append(names.empty() ? "" : ", ").append(name);
    };
    for (const json::Member& entry : plugins->members()) {
        look_at(entry.key);
        for (const std::string_view child : children_of(entry.key, entry.value)) look_at(child);
    }
    return names;
}

Answer answer_about_plugins(std::string_view what, std::string_view name, const PluginNames& enabled) {
    if (what == "list" && name.empty()) return list(enabled);
    if (what == "show" && !name.empty()) return show(name, enabled);
    return control::refuse(Status::usage, "usage: plugin list|show NAME");
}

}  // namespace gateway::process
