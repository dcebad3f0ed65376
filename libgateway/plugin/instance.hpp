// One configured plugin, ready to run, and the cache that makes equal entries share one instance.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "libgateway/base/hash.hpp"
#include "libgateway/base/ref_counted.hpp"
#include "libgateway/plugin/meta.hpp"
#include "libgateway/plugin/registry.hpp"

namespace gateway {

namespace telemetry {
class Series;
}

class InstanceCache;

// Immutable; shared by all chains that use the same configured entry. One worker.
class Instance : public RefCounted {
public:
    std::unique_ptr<const Plugin> plugin;
    std::string_view name;    // of the type; static
    std::string where;        // the object that has the entry: "routes/12"
    int priority = 0;         // effective: `_meta.priority`, else the type's
    std::uint8_t phases = 0;  // bits by Phase
    OnError on_error = OnError::open;
    bool prefer_route = false;  // in a global rule: steps aside where the route has the plugin
    bool is_auth = false;       // finds out whom the request is made for
    bool before_auth = false;   // its rewrite does not wait for that
    Meta meta;
    // Where the time of each phase is counted, first CPU, then waits; found when first needed.
    mutable std::array<telemetry::Series*, 2 * phase_count> times{};

    Instance();
    ~Instance();
    bool has(Phase phase) const noexcept { return phases >> static_cast<unsigned>(phase) & 1; }

private:
    friend class InstanceCache;
    InstanceCache* home_ = nullptr;
    Hash128 key_;
};

// Builds a plugin from its settings without a cache (tests, tools). Throws config::Error.
Ref<const Instance> make_instance(const PluginType& type, const json::Value& config, BuildScope& scope);

// Finds the living instance of a configured entry, so that a service with 50,000 routes has one of each of its plugins.
// Keeps nothing alive: an instance that no chain uses leaves the cache by itself. One per worker; may die before them.
class InstanceCache {
public:
    // `node` must outlive the cache.
    explicit InstanceCache(const NodeScope& node = NodeScope::none()) noexcept : node_(node) {}
    InstanceCache(const InstanceCache&) = delete;
    InstanceCache& operator=(const InstanceCache&) = delete;
    ~InstanceCache();

    // `where` is the object that has the entry ("routes/12", "global_rules/1"). Throws config::Error if the type is
    // unknown or the settings cannot be used. `metadata` is the plugin's, null if it has none.
    Ref<const Instance> get(std::string_view name, const json::Value& config, std::string_view where,
                            const json::Value* metadata = nullptr);
    std::size_t size() const noexcept { return living_.size(); }

private:
    friend class Instance;
    struct KeyHash {
        std::size_t operator()(const Hash128& key) const noexcept { return key.low; }
    };
    const NodeScope& node_;
    std::unordered_map<Hash128, const Instance*, KeyHash> living_;
};

}  // namespace gateway
