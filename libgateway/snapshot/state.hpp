// The parts of one snapshot. Copying it copies roots only; all below is shared until it changes.
#pragma once

#include <cstdint>

#include "libgateway/config/delta.hpp"
#include "libgateway/route/persistent_map.hpp"
#include "libgateway/route/router.hpp"
#include "libgateway/snapshot/certificates.hpp"
#include "libgateway/snapshot/consumers.hpp"
#include "libgateway/snapshot/objects.hpp"
#include "libgateway/snapshot/settings.hpp"
#include "libgateway/snapshot/snapshot.hpp"
#include "libgateway/tls/name_index.hpp"

namespace gateway {

struct SnapshotState {
    std::uint64_t revision = 0;
    config::Digest digest;
    route::Router router;
    PersistentMap<RouteEntry> routes;
    PersistentMap<ServiceUsers> service_users;
    PersistentMap<ServiceObject> services;
    PersistentMap<UpstreamObject> upstreams;
    PersistentMap<PluginsObject> plugin_configs, global_rules;
    PersistentMap<ConsumerObject> consumers;
    PersistentMap<GroupObject> consumer_groups;
    PersistentMap<MetadataObject> plugin_metadata;
    PersistentMap<IdleObject> idle;
    PersistentMap<CertificateObject> certificates;
    tls::NameIndex names;  // of those that are shown to clients
    LoginIndex logins;
    OverriddenNames overridden;            // plugins that consumers or groups name
    std::uint64_t overridden_version = 0;  // of that set: decides where `rewrite` of routes with authentication is cut
    Ref<const WorkerSettings> settings;
    Ref<const PluginList> plugin_list;  // null: the one of the settings counts
    Ref<Workshop> workshop;
    Ref<const Chain> global_chain;
    std::size_t body_matchers = 0;  // active routes whose vars may read the request body
    // Of all that a route can refer to. Equal generations mean that a resolved route is still right; unique, so that a
    // build that was given up leaves nothing behind that could be mistaken.
    std::uint64_t generation = 0;
    // Of settings and plugin list: what was built under another number is built again.
    std::uint64_t settings_version = 0;
};

}  // namespace gateway
