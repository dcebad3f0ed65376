#include "libgateway/snapshot/settings.hpp"

#include <algorithm>

#include "libgateway/config/errors.hpp"
#include "libgateway/json/value.hpp"

namespace gateway {

Ref<const WorkerSettings> read_worker_settings(std::string_view json, const Hash128& hash) {
    const Ref<WorkerSettings> settings = make_ref<WorkerSettings>();
    if (!json.empty()) {
        settings->written = true;
        settings->stamp.hash = hash;
        const auto v = json::parse(json);
        if (auto* r = v.find("router")) settings->file.router_http = r->string();
        if (auto* r = v.find("override")) settings->file.plugin_config_overrides_route = r->boolean();
    }
    settings->router = *route::router_kind(settings->file.router_http);
    settings->plugin_config_overrides_route = settings->file.plugin_config_overrides_route;
    return settings;
}

PluginList::PluginList(std::string_view json, const Hash128& hash) {
    stamp.hash = hash;
    const json::Value list = json::parse(json);
    for (const json::Value& item : list.items()) {
        const json::Value* stream = item.find("stream");
        if (stream && stream->boolean()) continue;
        const json::Value* name = item.is_object() ? item.find("name") : &item;
        if (name && name->is_string()) names_.push_back(name->string());
    }
    std::sort(names_.begin(), names_.end());
}

bool PluginList::has(std::string_view name) const noexcept {
    return std::binary_search(names_.begin(), names_.end(), name);
}

}  // namespace gateway
