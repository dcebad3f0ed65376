#include "libgateway/plugin/instance.hpp"

#include "libgateway/config/errors.hpp"

namespace gateway {

Instance::Instance() = default;

Instance::~Instance() {
    if (home_) home_->living_.erase(key_);
}

Ref<const Instance> make_instance(const PluginType& type, const json::Value& config, BuildScope& scope) {
    auto made = std::make_unique<Instance>();
    made->meta = compile_meta(config);
    scope.config = &config;
    made->plugin = type.create(config, scope);
    made->name = type.name;
    made->priority = made->meta.priority.value_or(type.priority);
    made->phases = type.phases;
    made->on_error = type.on_error;
    made->prefer_route = type.prefer_route;
    return Ref<const Instance>(made.release());
}

InstanceCache::~InstanceCache() {
    for (const auto& [key, instance] : living_) const_cast<Instance*>(instance)->home_ = nullptr;
}

Ref<const Instance> InstanceCache::get(std::string_view name, const json::Value& config, std::string_view where) {
    const PluginType* type = plugin_registry().find(name);
    if (!type) throw config::Error("unknown plugin [" + std::string(name) + "]");
    std::string identity(where);
    identity.append(1, '\0').append(name).append(1, '\0');
    json::append(identity, config);
    const Hash128 key = hash128(identity);
    if (const auto found = living_.find(key); found != living_.end()) return Ref<const Instance>(found->second);

    BuildScope scope{where, node_};
    const Ref<const Instance> made = make_instance(*type, config, scope);
    Instance* owned = const_cast<Instance*>(made.get());
    living_.emplace(key, owned);
    owned->key_ = key;
    owned->home_ = this;
    return made;
}

}  // namespace gateway
