// The static file `gateway.yaml`: everything that is not a route. Read by control, sent to the workers as JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/admin_settings.hpp"
#include "libgateway/config/diagnostic.hpp"
#include "libgateway/config/environment.hpp"
#include "libgateway/config/etcd_settings.hpp"
#include "libgateway/config/static_sections.hpp"

namespace gateway::config {

struct ProviderSettings {
    std::optional<std::string> config_provider;
    static constexpr auto schema = fields(field("config_provider", &ProviderSettings::config_provider,
                                                "source of objects", one_of("local", "yaml", "json", "etcd", "xds")))
                                       .closed();
};
struct LocalStoreSettings {
    std::string path;
    static constexpr auto schema = fields(field("path", &LocalStoreSettings::path,
                                                "its file; default: `store.db` in `gateway.data_dir`", length(0, 511)))
                                       .closed();
};
struct DeploymentSection {
    std::string role = "traditional";
    ProviderSettings role_traditional, role_data_plane, role_control_plane;
    AdminSettings admin;
    LocalStoreSettings local;
    std::optional<EtcdSettings> etcd;
    std::string route_file = "routes.yaml", invalid_items = "reject";
    bool require_end_marker = false;
    static constexpr auto schema =
        fields(
            field("role", &DeploymentSection::role, "part of a fleet",
                  one_of("traditional", "data_plane", "control_plane")),
            field("role_traditional", &DeploymentSection::role_traditional, "with role traditional"),
            field("role_data_plane", &DeploymentSection::role_data_plane, "with role data_plane"),
            field("role_control_plane", &DeploymentSection::role_control_plane, "not in this build"),
            field("admin", &DeploymentSection::admin, "Admin API"),
            field("local", &DeploymentSection::local, "embedded store"),
            field("etcd", &DeploymentSection::etcd, "store of many machines"),
            field("route_file", &DeploymentSection::route_file, "routes and other objects", length(1, 511)),
            field("invalid_items", &DeploymentSection::invalid_items,
                  "reject: a file with an error changes nothing; drop: bad items are left out",
                  one_of("reject", "drop")),
            field("require_end_marker", &DeploymentSection::require_end_marker, "the route file must end with `#END`"))
            .closed();
};
struct HistorySettings {
    std::uint32_t revisions = 10'000;
    ByteSize bytes{256u << 20};
    static constexpr auto schema =
        fields(field("revisions", &HistorySettings::revisions, "numbers kept; the oldest go", range(1, 10'000'000)),
               field("bytes", &HistorySettings::bytes, "of compressed differences kept; the newest stays"))
            .closed();
};
struct GatewaySection {
    std::string data_dir, socket, pid_file, plugins_dir;
    HistorySettings history;
    static constexpr auto schema =
        fields(field("data_dir", &GatewaySection::data_dir, "state on disk", length(0, 400)),
               field("socket", &GatewaySection::socket, "control socket of gatewayctl", length(0, 107)),
               field("pid_file", &GatewaySection::pid_file, "none by default", length(0, 511)),
               field("plugins_dir", &GatewaySection::plugins_dir, "folder of plugins in shared objects, `*.so`",
                     length(0, 511)),
               field("history", &GatewaySection::history, "of applied revisions, in the embedded store"))
            .closed();
};
struct GraphqlSection {
    std::uint32_t max_size = 1048576;
    static constexpr auto schema = fields(field("max_size", &GraphqlSection::max_size,
                                                "bytes; of larger documents `graphql_*` are unset", at_least(1)))
                                       .closed();
};

// After load_static all paths are absolute and every default that depends on the machine is filled in.
struct StaticConfig {
    ApisixSection apisix;
    NginxSection nginx_config;
    DeploymentSection deployment;
    GatewaySection gateway;
    GraphqlSection graphql;
    std::optional<std::vector<std::string>> plugins;  // absent: every plugin built in by default
    RawObject plugin_attr;

    static constexpr auto schema =
        fields(field("apisix", &StaticConfig::apisix, "listeners and routing"),
               field("nginx_config", &StaticConfig::nginx_config, "processes, logs, HTTP"),
               field("deployment", &StaticConfig::deployment, "where objects come from"),
               field("gateway", &StaticConfig::gateway, "paths of this gateway"),
               field("graphql", &StaticConfig::graphql, "GraphQL requests"),
               field("plugins", &StaticConfig::plugins, "plugins that may run; replaces the default list"),
               field("plugin_attr", &StaticConfig::plugin_attr, "settings per plugin"))
            .closed();

    // The format of the route file: true for config_provider json.
    bool json_routes() const noexcept;
    // Whether the route file and the store of this machine are the source: config_provider local.
    bool local_provider() const noexcept;
    // Whether etcd is the source; deployment.etcd is there then.
    bool etcd_provider() const noexcept;
    // Standalone API mode: the Admin API alone brings the configuration, as a whole.
    bool standalone_api() const noexcept;
    // Whether this gateway has an Admin API.
    bool admin_api() const noexcept;
};

// Where the file stands and who reads it; decides the defaults of directories.
struct StaticPlace {
    std::string file;
    bool root = false;
};

// Reads, substitutes, merges with the defaults and checks; everything wrong is in `diagnostics`. The result is usable
// only if diagnostics.ok().
StaticConfig read_static(std::string_view text, const StaticPlace& place, const Environment& environment,
                         Diagnostics& diagnostics);
// The same from a file; an unreadable one is an error that names owner and mode.
StaticConfig load_static(const StaticPlace& place, const Environment& environment, Diagnostics& diagnostics);
// The file that is used without -c: /etc/gateway/gateway.yaml, or gateway-<profile>.yaml beside it.
std::string default_static_file(const Environment& environment);

// As workers receive it.
std::string encode_static(const StaticConfig& config);
// Throws Error if the text is not what encode_static writes.
StaticConfig decode_static(std::string_view text);

// What stands in the error of an unreadable file: "Permission denied (owner root, mode 0600)".
std::string why_unreadable(const std::string& path, int error);

}  // namespace gateway::config
