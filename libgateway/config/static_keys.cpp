#include "libgateway/config/static_keys.hpp"

#include <array>
#include <string>
#include <vector>

#include "libgateway/base/strings.hpp"

namespace gateway::config {

namespace {

// Known to the reference, without a meaning here or not yet.
constexpr std::array without_effect{"apisix.disable_sync_configuration_during_start",
                                    "apisix.worker_startup_time_threshold",
                                    "apisix.lru",
                                    "apisix.extra_lua_path",
                                    "apisix.extra_lua_cpath",
                                    "apisix.proxy_cache",
                                    "apisix.ssl.listen_port",
                                    "apisix.ssl.enable_http2",
                                    "apisix.ssl.enable_http3",
                                    "apisix.ssl.ssl_cert",
                                    "apisix.ssl.ssl_cert_key",
                                    "apisix.tracing",
                                    "apisix.stream_proxy",
                                    "apisix.events",
                                    "apisix.id",
                                    "apisix.enable_heartbeat",
                                    "apisix.config_center",
                                    "apisix.port_admin",
                                    "apisix.allow_admin",
                                    "apisix.admin_key",
                                    "apisix.admin_listen",
                                    "apisix.https_admin",
                                    "apisix.admin_api_mtls",
                                    "apisix.admin_api_version",
                                    "apisix.enable_admin_cors",
                                    "nginx_config.max_pending_timers",
                                    "nginx_config.max_running_timers",
                                    "nginx_config.variables_hash_max_size",
                                    "nginx_config.metrics_zone_size",
                                    "nginx_config.envs",
                                    "nginx_config.stream",
                                    "nginx_config.meta",
                                    "nginx_config.http.custom_lua_shared_dict",
                                    "deployment.etcd.use_grpc",
                                    "deployment.etcd.health_check_retry",
                                    "deployment.certs",
                                    "stream_plugins",
                                    "lua",
                                    "ext-plugin"};

constexpr std::array not_built{"apisix.lua_module_hook",       "discovery", "wasm", "xrpc", "certificatesResolvers",
                               "certificatesResolversDefaults"};

constexpr std::array snippets{
    "nginx_config.main_configuration_snippet",        "nginx_config.http_configuration_snippet",
    "nginx_config.http_server_configuration_snippet", "nginx_config.http_server_location_configuration_snippet",
    "nginx_config.http_admin_configuration_snippet",  "nginx_config.http_end_configuration_snippet",
    "nginx_config.stream_configuration_snippet"};

struct Found {
    json::Value value;
    json::Position where;
};

// Removes the value at a dotted path; nothing if it is not there.
std::optional<Found> take(json::Value& file, std::string_view path) {
    json::Value* at = &file;
    for (std::size_t dot; (dot = path.find('.')) != path.npos; path.remove_prefix(dot + 1)) {
        at = at->find(path.substr(0, dot));
        if (!at || !at->is_object()) return std::nullopt;
    }
    for (json::Member& member : at->make_object()) {
        if (member.key != path) continue;
        Found found{std::move(member.value), member.where};
        at->erase(path);
        return found;
    }
    return std::nullopt;
}

void add(Diagnostics& diagnostics, Severity severity, std::string_view file, json::Position where, std::string_view key,
         std::string message) {
    diagnostics.add({severity, std::string(file), where, {}, std::string(key), std::move(message), {}});
}

void take_snippets(json::Value& file, std::string_view path, Diagnostics& diagnostics) {
    const json::Value* apisix = file.find("apisix");
    const json::Value* compat = apisix ? apisix->find("compat") : nullptr;
    const json::Value* strict = compat ? compat->find("reject_snippets") : nullptr;
    const Severity severity = strict && strict->boolean() ? Severity::error : Severity::warning;
    for (const std::string_view key : snippets) {
        const auto found = take(file, key);
        if (!found || trim(found->value.string()).empty()) continue;
        add(diagnostics, severity, path, found->where, key, "NGINX snippets are not supported");
    }
}

// Keys of the reference up to 3.8 stand where they decrypt on.
void take_old_salts(json::Value& file, std::string_view path, Diagnostics& diagnostics) {
    auto salts = take(file, "apisix.ssl.key_encrypt_salt");
    if (!salts) return;
    add(diagnostics, Severity::warning, path, salts->where, "apisix.ssl.key_encrypt_salt",
        "it is of old releases: its keys only decrypt; new ones go to apisix.data_encryption.keyring");
    json::Value& apisix = *file.find("apisix");
    json::Value* section = apisix.find("data_encryption");
    if (!section) section = &apisix.set("data_encryption", json::Value::object());
    if (section->is_object() && !section->find("key_encrypt_salt"))
        section->set("key_encrypt_salt", std::move(salts->value));
}

}  // namespace

void take_known_keys(json::Value& file, std::string_view path, Diagnostics& diagnostics) {
    take_old_salts(file, path, diagnostics);
    take_snippets(file, path, diagnostics);
    for (const std::string_view key : not_built) {
        const auto found = take(file, key);
        if (!found) continue;
        add(diagnostics, Severity::error, path, found->where, key, "not supported by this build");
    }
    std::string list;
    json::Position first;
    for (const std::string_view key : without_effect) {
        const auto found = take(file, key);
        if (!found) continue;
        if (list.empty()) first = found->where;
        list.append(list.empty() ? "" : ", ").append(key);
    }
    if (!list.empty()) diagnostics.warning(path, first, "", "keys without effect in this build: " + list);
}

}  // namespace gateway::config
