// The document's objects as a worker keeps them: what matching needs is compiled, the rest stays compact text until
// used.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/hash.hpp"
#include "libgateway/base/ref_counted.hpp"
#include "libgateway/plugin/chain.hpp"
#include "libgateway/route/persistent_map.hpp"
#include "libgateway/route/rule.hpp"
#include "libgateway/snapshot/compiled_route.hpp"
#include "libgateway/upstream/upstream.hpp"

namespace gateway {

// A number that no other object or build of this thread ever had; never 0.
std::uint64_t next_version() noexcept;

// Which text an object was made of, and which object it is.
struct Stamp {
    Hash128 hash;  // of the change that brought it; part of the digest
    std::uint64_t version = next_version();
    mutable std::uint64_t seen = 0;  // the last full document that held it
};

// An `upstream` object as text, and what was built of it under one version of the settings.
struct UpstreamText {
    std::string json;  // empty: none
    mutable std::uint64_t settings_version = 0;
    mutable Ref<const upstream::Upstream> built;
};

// Entries of a consumer or group that replace those of routes, as text, and what was built of them under one version of
// the settings.
struct OverrideText {
    std::string json;  // empty: none
    mutable std::uint64_t settings_version = 0;
    mutable std::vector<Override> built;
};

struct ServiceObject : RefCounted {
    std::string id, name, upstream_id;
    std::string plugins;             // JSON text; empty: none
    std::vector<std::string> hosts;  // lower case
    std::optional<bool> enable_websocket;
    UpstreamText upstream;
    Stamp stamp;
    // Chain of routes that bring no plugins of their own.
    mutable std::uint64_t chain_settings = 0, chain_names = 0;
    mutable Ref<const Chain> chain;
    std::string_view key() const noexcept { return id; }
};

struct UpstreamObject : RefCounted {
    std::string id;
    UpstreamText upstream;
    Stamp stamp;
    std::string_view key() const noexcept { return id; }
};

// A plugin config or a global rule.
struct PluginsObject : RefCounted {
    std::string id, plugins;
    std::uint64_t order = 0;
    Stamp stamp;
    std::string_view key() const noexcept { return id; }
};

struct GroupObject : RefCounted {
    std::string id;
    OverrideText overrides;
    Stamp stamp;
    std::string_view key() const noexcept { return id; }
};

// What is configured for one plugin wherever it runs.
struct MetadataObject : RefCounted {
    std::string id;  // the plugin
    json::Value metadata;
    Stamp stamp;
    std::string_view key() const noexcept { return id; }
};

// An object that the traffic does not read: known only so that the digest of the document is.
struct IdleObject : RefCounted {
    std::string id;  // "<kind>/<id>"
    Stamp stamp;
    std::string_view key() const noexcept { return id; }
};

// One route: the rule that the router holds, and what leads to its CompiledRoute. Shared by all snapshots in which
// neither it nor the hosts that it inherits changed.
class alignas(64) RouteEntry final : public route::RouteRule {
public:
    // What was resolved last, valid for snapshots of that generation. First, for it is read right after a match.
    mutable std::uint64_t generation = 0;
    mutable Ref<const CompiledRoute> compiled;

    std::string_view key() const noexcept { return id; }
    static void dispose(const RouteEntry* entry) noexcept;

    std::string name, service_id, upstream_id, plugin_config_id;
    std::string plugins;  // JSON text; empty: none
    UpstreamText upstream;
    std::optional<upstream::Timeouts> timeouts;
    std::optional<bool> enable_websocket;
    bool inherits_hosts = false;  // no host of its own
    bool active = true;           // status 1
    Stamp stamp;
};

// The routes that inherit the hosts of one service, whether the service exists or not.
struct ServiceUsers : RefCounted {
    std::string service_id;
    PersistentMap<RouteEntry> routes;
    std::string_view key() const noexcept { return service_id; }
};

}  // namespace gateway
