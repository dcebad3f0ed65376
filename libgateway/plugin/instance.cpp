#include "libgateway/plugin/instance.hpp"

#include "libgateway/base/log.hpp"
#include "libgateway/config/errors.hpp"
#include "libgateway/config/secret_reference.hpp"

namespace gateway {

Instance::Instance() = default;

Instance::~Instance() {
    if (home_) home_->living_.erase(key_);
}

namespace {

// In the place of a plugin that protects something and cannot be built with its secrets: no request gets past it.
class Unusable final : public Plugin {
public:
    Step rewrite(Exchange& exchange) const override { return exchange.fail_with({}); }
};

// With the secrets that its settings refer to. One that does not resolve stays the text that it is, but for plugins
// that protect something: null then.
std::unique_ptr<const Plugin> create(const PluginType& type, const json::Value& config, BuildScope& scope) {
    if (!config::has_secret_reference(config)) return type.create(config, scope);
    json::Value resolved = config;
    bool all = true;
    config::resolve_secrets(resolved, [&all](std::string_view reference, std::string_view field, std::string_view why) {
        log::error("failed to resolve secret reference: {}, field: {}, err: {}", reference, field, why);
        all = false;
    });
    if (!all && type.on_error == OnError::closed) return nullptr;
    return type.create(resolved, scope);
}

}  // namespace

Ref<const Instance> make_instance(const PluginType& type, const json::Value& config, BuildScope& scope) {
    auto made = std::make_unique<Instance>();
    made->meta = compile_meta(config);
    scope.config = &config;
    made->plugin = create(type, config, scope);
    made->name = type.name;
    made->where = scope.where;
    made->priority = made->meta.priority.value_or(type.priority);
    made->phases = type.phases;
    if (made->plugin) {
        made->phases = static_cast<std::uint8_t>(type.phases & ~made->plugin->idle_phases());
    } else {
        log::error("{} of {} cannot be used without its secrets: its requests get 500", type.name, scope.where);
        made->plugin = std::make_unique<const Unusable>();
        made->phases = phases_of<Unusable>();
    }
    made->on_error = type.on_error;
    made->prefer_route = type.prefer_route;
    made->is_auth = type.is_auth;
    made->before_auth = type.before_auth;
    return Ref<const Instance>(made.release());
}

InstanceCache::~InstanceCache() {
    for (const auto& [key, instance] : living_) const_cast<Instance*>(instance)->home_ = nullptr;
}

Ref<const Instance> InstanceCache::get(std::string_view name, const json::Value& config, std::string_view where,
                                       const json::Value* metadata) {
    const PluginType* type = plugin_registry().find(name);
    if (!type) throw config::Error("unknown plugin [" + std::string(name) + "]");
    std::string identity(where);
    identity.append(1, '\0').append(name).append(1, '\0');
    json::append(identity, config);
    if (metadata) json::append(identity, *metadata);
    const Hash128 key = hash128(identity);
    if (const auto found = living_.find(key); found != living_.end()) return Ref<const Instance>(found->second);

    BuildScope scope{where, node_, metadata};
    const Ref<const Instance> made = make_instance(*type, config, scope);
    Instance* owned = const_cast<Instance*>(made.get());
    living_.emplace(key, owned);
    owned->key_ = key;
    owned->home_ = this;
    return made;
}

}  // namespace gateway
