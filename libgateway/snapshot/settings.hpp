// What workers need of the static file, compiled once per version of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/hash.hpp"
#include "libgateway/base/ref_counted.hpp"
#include "libgateway/config/static_config.hpp"
#include "libgateway/plugin/chain.hpp"
#include "libgateway/plugin/instance.hpp"
#include "libgateway/route/router.hpp"
#include "libgateway/snapshot/merge_cache.hpp"
#include "libgateway/snapshot/object_reader.hpp"
#include "libgateway/upstream/endpoint.hpp"

namespace gateway {

// Names of the plugins that may run. Immutable.
class PluginList : public RefCounted {
public:
    explicit PluginList(std::vector<std::string> names);
    // From an array of names, or of objects with `name` and `stream` (those for streams are left out). Throws.
    static PluginList read(std::string_view json);
    bool has(std::string_view name) const noexcept;
    Stamp stamp;

private:
    std::vector<std::string> names_;  // sorted
};

// Immutable, one worker.
struct WorkerSettings : RefCounted {
    config::StaticConfig file;
    bool written = false;  // false: the defaults, no object of the document
    route::RouterKind router = route::RouterKind::uri;
    bool plugin_config_overrides_route = true;
    UpstreamDefaults upstream_defaults;
    Ref<const PluginList> plugins;  // null: every plugin of this program
    NodeScope node;                 // for plugins
    Stamp stamp;
};
// From the text that config/static_config encodes; throws config::Error. Without text: the defaults.
Ref<const WorkerSettings> read_worker_settings(std::string_view json, const Hash128& hash);

// What building needs and what outlives revisions: endpoints, living plugin instances. Replaced when the settings are.
struct Workshop : RefCounted {
    Workshop(Ref<const WorkerSettings> given, upstream::EndpointTable& table)
        : settings(std::move(given)), endpoints(table), instances(settings->node) {}
    Ref<const WorkerSettings> settings;
    upstream::EndpointTable& endpoints;
    InstanceCache instances;
    Ref<const Chain> empty_chain = Chain::make({});
    MergeCache merged;
};

}  // namespace gateway
