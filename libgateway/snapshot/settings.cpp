#include "libgateway/snapshot/settings.hpp"

#include <algorithm>

#include "libgateway/config/errors.hpp"
#include "libgateway/json/value.hpp"

namespace gateway {

namespace {

UpstreamDefaults defaults_of(const config::HttpSection& http) {
    UpstreamDefaults defaults;
    defaults.timeouts.connect = http.proxy_connect_timeout.value;
    defaults.timeouts.send = http.proxy_send_timeout.value;
    defaults.timeouts.read = http.proxy_read_timeout.value;
    defaults.pool.size = http.upstream.keepalive;
    defaults.pool.requests = http.upstream.keepalive_requests;
    defaults.pool.idle_timeout = http.upstream.keepalive_timeout.value;
    return defaults;
}

}  // namespace

Ref<const WorkerSettings> read_worker_settings(std::string_view json, const Hash128& hash) {
    Ref<WorkerSettings> settings = make_ref<WorkerSettings>();
    settings->written = !json.empty();
    settings->stamp.hash = hash;
    if (settings->written) settings->file = config::decode_static(json);
    const config::StaticConfig& file = settings->file;
    const auto router = route::router_kind(file.apisix.router.http);
    if (!router) throw config::Error("unknown router " + file.apisix.router.http);
    settings->router = *router;
    settings->plugin_config_overrides_route = file.apisix.compat.plugin_config_overrides_route;
    settings->upstream_defaults = defaults_of(file.nginx_config.http);
    if (file.plugins) settings->plugins = make_ref<PluginList>(*file.plugins);
    if (file.plugin_attr.value.is_object()) settings->node.plugin_attr = file.plugin_attr.value;
    return settings;
}

PluginList::PluginList(std::vector<std::string> names) : names_(std::move(names)) {
    std::sort(names_.begin(), names_.end());
}

PluginList PluginList::read(std::string_view json) {
    const json::Value list = json::parse(json);
    if (!list.is_array()) throw config::Error("plugins: expected an array");
    std::vector<std::string> names;
    for (const json::Value& item : list.items()) {
        const json::Value* stream = item.find("stream");
        if (stream && stream->boolean()) continue;
        const json::Value* name = item.is_object() ? item.find("name") : &item;
        if (name && name->is_string()) names.push_back(name->string());
    }
    return PluginList(std::move(names));
}

bool PluginList::has(std::string_view name) const noexcept {
    return std::binary_search(names_.begin(), names_.end(), name);
}

}  // namespace gateway
