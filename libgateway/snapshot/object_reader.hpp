// From an object's JSON text to what a worker keeps of it. Control has checked the text; what cannot be used throws.
#pragma once

#include <string>
#include <string_view>

#include "libgateway/config/delta.hpp"
#include "libgateway/json/value.hpp"
#include "libgateway/snapshot/objects.hpp"
#include "libgateway/upstream/upstream.hpp"

namespace gateway {

// All throw config::Error: "routes/12: …". `hash` is hash_of(change).
// Hosts of a route that inherits them are left empty.
Ref<RouteEntry> read_route(const config::Change& change, const Hash128& hash);
Ref<ServiceObject> read_service(const config::Change& change, const Hash128& hash);
Ref<UpstreamObject> read_upstream(const config::Change& change, const Hash128& hash);
Ref<PluginsObject> read_plugins(const config::Change& change, const Hash128& hash);
Ref<GroupObject> read_group(const config::Change& change, const Hash128& hash);
Ref<MetadataObject> read_metadata_object(const config::Change& change, const Hash128& hash);

// `connect`, `send`, `read` in seconds; all three are required.
upstream::Timeouts read_timeouts(const json::Value& value);

// What an upstream uses where it says nothing.
struct UpstreamDefaults {
    upstream::Timeouts timeouts;
    upstream::PoolLimits pool;
};
// `name` is for messages and logs: "upstreams/1", "routes/1#upstream".
upstream::UpstreamSettings read_upstream_settings(std::string_view json, std::string name,
                                                  const UpstreamDefaults& defaults);

}  // namespace gateway
