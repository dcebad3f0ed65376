// Routes, services, plugin configs and global rules as they are written, with the checks of one object on its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/delta.hpp"
#include "libgateway/config/object_parts.hpp"
#include "libgateway/config/upstream_object.hpp"

namespace gateway::config {

inline constexpr auto method_names =
    one_of("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE", "PURGE");

// `plugins` and `vars` are checked where plugins and expressions are known (sources/check).
struct Route {
    std::optional<ObjectId> id;
    std::string name, desc;
    Labels labels;
    std::optional<std::int64_t> create_time, update_time;
    std::optional<std::string> uri, host, remote_addr;
    std::vector<std::string> uris, hosts, remote_addrs, methods;
    std::int32_t priority = 0;
    RawArray vars;
    std::optional<std::string> filter_func, script;
    int status = 1;
    RawObject plugins;
    std::optional<ObjectId> plugin_config_id, script_id, service_id, upstream_id;
    std::optional<Upstream> upstream;
    std::optional<Timeouts> timeout;
    std::optional<bool> enable_websocket;

    static constexpr auto schema =
        fields(field("id", &Route::id, "name of the object"), field("name", &Route::name, "for people", length(1, 256)),
               field("desc", &Route::desc, "for people", length(0, 256)), field("labels", &Route::labels, "free marks"),
               field("create_time", &Route::create_time, "no effect in files"),
               field("update_time", &Route::update_time, "no effect in files"),
               field("uri", &Route::uri, "path pattern", length(1, 4096)),
               field("uris", &Route::uris, "any of these paths", items(1), unique, each(length(1, 4096))),
               field("host", &Route::host, "host pattern", pattern(host_pattern, is_host_pattern)),
               field("hosts", &Route::hosts, "any of these hosts", items(1), unique,
                     each(pattern(host_pattern, is_host_pattern))),
               field("remote_addr", &Route::remote_addr, "client address or network",
                     pattern("IPv4 or IPv6 address or network", is_network)),
               field("remote_addrs", &Route::remote_addrs, "any of these", items(1), unique,
                     each(pattern("IPv4 or IPv6 address or network", is_network))),
               field("methods", &Route::methods, "default and []: all", unique, each(method_names)),
               field("priority", &Route::priority, "higher wins inside one path group"),
               field("vars", &Route::vars, "further condition"),
               field("filter_func", &Route::filter_func, "Lua predicate", length(10),
                     pattern("^function", is_lua_function)),
               field("status", &Route::status, "0: never matched", range(0, 1)),
               field("plugins", &Route::plugins, "name to settings"),
               field("plugin_config_id", &Route::plugin_config_id, "shared plugins"),
               field("script", &Route::script, "Lua module", length(10, 102400)),
               field("script_id", &Route::script_id, "no effect"),
               field("service_id", &Route::service_id, "service that adds hosts, plugins, upstream"),
               field("upstream_id", &Route::upstream_id, "beats `upstream`"),
               field("upstream", &Route::upstream, "where requests go"),
               field("timeout", &Route::timeout, "beats the upstream's"),
               field("enable_websocket", &Route::enable_websocket, "default: the service's, else false"))
            .exactly_one_in_branch(1, "uri", "uris")
            .any_of("plugins", "upstream", "upstream_id", "service_id", "script")
            .closed();
    static void check(const Route& route, Errors& errors);
};

struct Service {
    std::optional<ObjectId> id;
    std::string name, desc;
    Labels labels;
    std::optional<std::int64_t> create_time, update_time;
    RawObject plugins;
    std::optional<Upstream> upstream;
    std::optional<ObjectId> upstream_id;
    std::vector<std::string> hosts;
    bool enable_websocket = false;
    std::optional<std::string> script;

    static constexpr auto schema =
        fields(field("id", &Service::id, "name of the object"),
               field("name", &Service::name, "for people", length(1, 256)),
               field("desc", &Service::desc, "for people", length(0, 256)),
               field("labels", &Service::labels, "free marks"),
               field("create_time", &Service::create_time, "no effect in files"),
               field("update_time", &Service::update_time, "no effect in files"),
               field("plugins", &Service::plugins, "name to settings; lowest precedence"),
               field("upstream", &Service::upstream, "for routes that bring none"),
               field("upstream_id", &Service::upstream_id, "beats `upstream`"),
               field("hosts", &Service::hosts, "for routes without hosts", items(1), unique,
                     each(pattern(host_pattern, is_host_pattern))),
               field("enable_websocket", &Service::enable_websocket, "for routes that do not say"),
               field("script", &Service::script, "Lua module", length(10, 102400)))
            .closed();
    static void check(const Service& service, Errors& errors);
};

// Also a consumer group: the fields are the same.
struct PluginConfig {
    std::optional<ObjectId> id;
    std::string name, desc;
    Labels labels;
    std::optional<std::int64_t> create_time, update_time;
    RawObject plugins;

    static constexpr auto schema =
        fields(field("id", &PluginConfig::id, "name of the object"), field("name", &PluginConfig::name, "for people"),
               field("desc", &PluginConfig::desc, "for people", length(0, 256)),
               field("labels", &PluginConfig::labels, "free marks"),
               field("create_time", &PluginConfig::create_time, "no effect in files"),
               field("update_time", &PluginConfig::update_time, "no effect in files"),
               field("plugins", &PluginConfig::plugins, "name to settings", required))
            .closed();
};

struct GlobalRule {
    std::optional<ObjectId> id;
    std::optional<std::int64_t> create_time, update_time;
    RawObject plugins;

    static constexpr auto schema = fields(field("id", &GlobalRule::id, "name of the object"),
                                          field("create_time", &GlobalRule::create_time, "no effect in files"),
                                          field("update_time", &GlobalRule::update_time, "no effect in files"),
                                          field("plugins", &GlobalRule::plugins, "for every request", required))
                                       .closed();
};

// Checks one object of a kind on its own; settings and the plugin list are none of them. A secret tells its manager in
// its id ("vault/1").
void check_object(Kind kind, const json::Value& value, Errors& errors);
// The schema of a kind, for documentation and `schema` commands; of secrets see secret_schema().
SchemaTable schema_of(Kind kind);
// Keys that the top level of a route file may have.
const std::vector<std::string_view>& document_lists() noexcept;

}  // namespace gateway::config
