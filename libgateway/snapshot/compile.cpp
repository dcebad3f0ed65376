#include "libgateway/snapshot/compile.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "libgateway/base/log.hpp"
#include "libgateway/config/errors.hpp"
#include "libgateway/plugin/check.hpp"

namespace gateway {

namespace {

// What the ids of a route name in one state.
struct References {
    const ServiceObject* service = nullptr;
    const PluginsObject* plugin_config = nullptr;
    std::string_view upstream_id;  // the one that counts; empty: none, or an inline upstream counts
    const UpstreamObject* upstream = nullptr;
};

References look_up(const SnapshotState& state, const RouteEntry& entry) {
    References found;
    if (!entry.service_id.empty()) found.service = state.services.find(entry.service_id);
    if (!entry.plugin_config_id.empty()) found.plugin_config = state.plugin_configs.find(entry.plugin_config_id);
    if (!entry.upstream_id.empty()) {
        found.upstream_id = entry.upstream_id;
    } else if (entry.upstream.json.empty() && found.service) {
        found.upstream_id = found.service->upstream_id;
    }
    if (!found.upstream_id.empty()) found.upstream = state.upstreams.find(found.upstream_id);
    return found;
}

template <class Object>
std::uint64_t version_of(const Object* object) noexcept {
    return object ? object->stamp.version : 0;
}

CompiledRoute::Basis basis_of(const SnapshotState& state, const References& found) {
    return {version_of(found.service), version_of(found.plugin_config), version_of(found.upstream),
            state.settings_version};
}

json::Value parse_plugins(std::string_view text) {
    if (text.empty()) return {};
    json::Limits limits;
    limits.positions = false;
    return json::parse(text, limits);
}

bool may_run(const SnapshotState& state, std::string_view plugin) noexcept {
    const Ref<const PluginList>& list = state.plugin_list ? state.plugin_list : state.settings->plugins;
    return !list || list->has(plugin);
}

// Of the plugins that the entry would run itself those that may not run. Documents are checked for them, but the list
// may have become shorter since.
std::vector<std::string_view> barred_by(const SnapshotState& state, const PluginEntry& entry) {
    std::vector<std::string_view> names = children_of(entry.name, *entry.config);
    names.erase(std::remove_if(names.begin(), names.end(), [&](auto name) { return may_run(state, name); }),
                names.end());
    return names;
}

// The entry without them: an auth plugin lets nobody in by one that is taken away.
json::Value without(const std::vector<std::string_view>& barred, json::Value config) {
    for (json::Member& member : config.make_object()) {
        if (!member.value.is_array()) continue;
        for (json::Value& item : member.value.make_array()) {
            for (const std::string_view name : barred) item.erase(name);
        }
    }
    return config;
}

Ref<const Instance> instance_of(const SnapshotState& state, const PluginEntry& entry) {
    const MetadataObject* found = state.plugin_metadata.empty() ? nullptr : state.plugin_metadata.find(entry.name);
    const json::Value* metadata = found ? &found->metadata : nullptr;
    const std::vector<std::string_view> barred = barred_by(state, entry);
    if (barred.empty()) return state.workshop->instances.get(entry.name, *entry.config, entry.where, metadata);
    for (const std::string_view name : barred) {
        log::error("{} of {}: {} is not in the list of plugins, so it lets nobody in", entry.name, entry.where, name);
    }
    return state.workshop->instances.get(entry.name, without(barred, *entry.config), entry.where, metadata);
}

Ref<const Chain> chain_of(const SnapshotState& state, const std::vector<PluginEntry>& entries,
                          Chain::Scope scope = Chain::Scope::route) {
    std::vector<Ref<const Instance>> instances;
    for (const PluginEntry& entry : entries) {
        if (entry.enabled && may_run(state, entry.name)) instances.push_back(instance_of(state, entry));
    }
    if (instances.empty() && scope == Chain::Scope::route) return state.workshop->empty_chain;
    return Chain::make(std::move(instances), scope,
                       [&](std::string_view plugin) { return state.overridden.has(plugin); });
}

// The sources of one route's plugins, parsed; entries of a merge view them.
class ParsedPlugins {
public:
    ParsedPlugins(const References& found, const RouteEntry* entry) {
        if (found.service) add(service_, "services/", found.service->id, found.service->plugins);
        if (found.plugin_config) {
            add(plugin_config_, "plugin_configs/", found.plugin_config->id, found.plugin_config->plugins);
        }
        if (entry) add(route_, "routes/", entry->id, entry->plugins);
    }
    std::vector<PluginEntry> merge(bool plugin_config_overrides_route) const {
        return merge_route_plugins({service_.view(), plugin_config_.view(), route_.view()},
                                   plugin_config_overrides_route);
    }

private:
    struct Parsed {
        std::string where;
        json::Value plugins;
        PluginSource view() const { return {where, plugins.is_object() ? &plugins : nullptr}; }
    };
    static void add(Parsed& parsed, std::string_view list, std::string_view id, std::string_view text) {
        parsed.where.append(list).append(id);
        parsed.plugins = parse_plugins(text);
    }
    Parsed service_, plugin_config_, route_;
};

Ref<const Chain> merged_chain(const SnapshotState& state, const References& found, const RouteEntry* entry) {
    const ParsedPlugins parsed(found, entry);
    return chain_of(state, parsed.merge(state.settings->plugin_config_overrides_route));
}

// Routes that bring no plugins share the chain of their service: 50,000 of them cost one.
const Ref<const Chain>& service_chain(const SnapshotState& state, const ServiceObject& service) {
    const bool recut = service.chain && service.chain->has_auth() && service.chain_names != state.overridden_version;
    if (recut || service.chain_settings != state.settings_version) {
        References found;
        found.service = &service;
        service.chain = merged_chain(state, found, nullptr);
        service.chain_settings = state.settings_version;
        service.chain_names = state.overridden_version;
    }
    return service.chain;
}

Ref<const Chain> route_chain(const SnapshotState& state, const References& found, const RouteEntry& entry) {
    if (!entry.plugins.empty() || found.plugin_config) return merged_chain(state, found, &entry);
    return found.service ? service_chain(state, *found.service) : state.workshop->empty_chain;
}

Ref<const upstream::Upstream> build_upstream(const SnapshotState& state, const UpstreamText& text, std::string name) {
    const std::uint64_t version = state.settings->stamp.version;
    if (text.settings_version != version) {
        auto settings = read_upstream_settings(text.json, std::move(name), state.settings->upstream_defaults);
        text.built = make_ref<upstream::Upstream>(std::move(settings), state.workshop->endpoints);
        text.settings_version = version;
    }
    return text.built;
}

// An upstream that this build cannot use is no reason to refuse a revision: it answers like a missing one.
void set_target(const SnapshotState& state, const UpstreamText& text, std::string name, CompiledRoute& route) {
    try {
        route.target = build_upstream(state, text, std::move(name));
        route.target_outcome = CompiledRoute::TargetOutcome::ok;
    } catch (const std::exception& problem) {
        log::error("{}", problem.what());
        route.target_outcome = CompiledRoute::TargetOutcome::missing_object;
    }
}

// objects.md 5: route's id, route's own, service's id, service's own.
void find_target(const SnapshotState& state, const References& found, const RouteEntry& entry, CompiledRoute& route) {
    if (found.upstream) {
        return set_target(state, found.upstream->upstream, fmt::format("upstreams/{}", found.upstream_id), route);
    }
    if (!found.upstream_id.empty()) {
        route.target_outcome = CompiledRoute::TargetOutcome::missing_object;
    } else if (!entry.upstream.json.empty()) {
        set_target(state, entry.upstream, fmt::format("routes/{}#upstream", entry.id), route);
    } else if (found.service && !found.service->upstream.json.empty()) {
        set_target(state, found.service->upstream, fmt::format("services/{}#upstream", entry.service_id), route);
    }
}

Ref<CompiledRoute> bare_route(const SnapshotState& state, const References& found, const RouteEntry& entry) {
    const Ref<CompiledRoute> route = make_ref<CompiledRoute>();
    route->serial = next_version();
    route->route_id = entry.id;
    route->route_name = entry.name;
    route->chain = state.workshop->empty_chain;
    route->timeouts = entry.timeouts.value_or(state.settings->upstream_defaults.timeouts);
    route->own_timeouts = entry.timeouts.has_value();
    route->basis = basis_of(state, found);
    route->overridden_version = state.overridden_version;
    route->target_outcome = CompiledRoute::TargetOutcome::none_configured;
    return route;
}

void name_service(const ServiceObject& service, const RouteEntry& entry, CompiledRoute& route) {
    route.service_id = service.id;
    route.service_name = service.name;
    route.enable_websocket = entry.enable_websocket.value_or(service.enable_websocket.value_or(false));
}

// The plugin config is looked for first, then the service (objects.md 3).
Ref<CompiledRoute> compile(const SnapshotState& state, const References& found, const RouteEntry& entry) {
    using Outcome = CompiledRoute::Outcome;
    Ref<CompiledRoute> route = bare_route(state, found, entry);
    if (!entry.plugin_config_id.empty() && !found.plugin_config) {
        log::error("failed to fetch plugin config by id: {}", entry.plugin_config_id);
        route->outcome = Outcome::no_plugin_config;
        return route;
    }
    if (!entry.service_id.empty() && !found.service) {
        log::error("failed to fetch service by id: {}", entry.service_id);
        route->outcome = Outcome::no_service;
        return route;
    }
    route->enable_websocket = entry.enable_websocket.value_or(false);
    if (found.service) name_service(*found.service, entry, *route);
    route->chain = route_chain(state, found, entry);
    find_target(state, found, entry, *route);
    if (route->target && !entry.timeouts) route->timeouts = route->target->settings().timeouts;
    return route;
}

// Where `rewrite` is cut depends on what consumers name.
bool cut_elsewhere(const SnapshotState& state, const CompiledRoute& route) noexcept {
    return route.overridden_version != state.overridden_version && route.chain->has_auth();
}

// Entries of plugins that may not run are as if they were not there.
std::vector<Override> build_overrides(const SnapshotState& state, std::string_view where, std::string_view text) {
    std::vector<Override> built;
    const json::Value parsed = parse_plugins(text);
    for (const PluginEntry& entry : merge_route_plugins({{where, &parsed}, {}, {}}, false)) {
        const PluginType* type = plugin_registry().find(entry.name);
        if (!type || type->is_auth || !may_run(state, entry.name)) continue;
        built.push_back({type->name, entry.enabled ? instance_of(state, entry) : Ref<const Instance>()});
    }
    return built;
}

const std::vector<Override>& overrides_of(const SnapshotState& state, std::string_view list, std::string_view id,
                                          const OverrideText& text) {
    if (text.settings_version != state.settings_version && !text.json.empty()) {
        text.built = build_overrides(state, fmt::format("{}/{}", list, id), text.json);
        text.settings_version = state.settings_version;
    }
    return text.built;
}

}  // namespace

Merged merge_consumer(const SnapshotState& state, const Ref<const Chain>& route, const StoredConsumer& consumer) {
    const GroupObject* group = nullptr;
    if (!consumer.group_id.empty() && !(group = state.consumer_groups.find(consumer.group_id))) {
        log::error("failed to fetch consumer group by id: {}", consumer.group_id);
        return {Merged::Outcome::no_group, {}};
    }
    const bool none = consumer.overrides.json.empty() && (!group || group->overrides.json.empty());
    if (none) return {Merged::Outcome::ok, route};
    const MergeCache::Key key{route->version(), consumer.version, version_of(group), state.settings_version};
    MergeCache& cache = state.workshop->merged;
    if (const Chain* kept = cache.find(key)) return {Merged::Outcome::ok, Ref<const Chain>(kept)};

    std::vector<Override> overrides;
    if (group) overrides = overrides_of(state, "consumer_groups", group->id, group->overrides);
    const auto& own = overrides_of(state, "consumers", consumer.username, consumer.overrides);
    overrides.insert(overrides.end(), own.begin(), own.end());
    Ref<const Chain> merged = overrides.empty() ? route : route->merge(overrides);
    cache.keep(key, merged);
    return {Merged::Outcome::ok, std::move(merged)};
}

const Ref<const CompiledRoute>& resolve(const SnapshotState& state, const RouteEntry& entry) {
    const References found = look_up(state, entry);
    if (!entry.compiled || !(entry.compiled->basis == basis_of(state, found)) ||
        cut_elsewhere(state, *entry.compiled)) {
        entry.compiled = compile(state, found, entry);
    }
    entry.generation = state.generation;
    return entry.compiled;
}

const Ref<const CompiledRoute>& resolve_as_broken(const SnapshotState& state, const RouteEntry& entry) {
    Ref<CompiledRoute> route = bare_route(state, look_up(state, entry), entry);
    route->outcome = CompiledRoute::Outcome::broken;
    entry.compiled = route;
    entry.generation = state.generation;
    return entry.compiled;
}

Ref<const Chain> compile_global_chain(const SnapshotState& state) {
    std::vector<const PluginsObject*> rules;
    PersistentMap<PluginsObject>::Cursor cursor(state.global_rules);
    while (const PluginsObject* rule = cursor.next()) rules.push_back(rule);
    std::sort(rules.begin(), rules.end(), [](const auto* a, const auto* b) { return a->order < b->order; });

    std::vector<std::string> names(rules.size());
    std::vector<json::Value> plugins(rules.size());
    std::vector<PluginSource> sources;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        names[i] = "global_rules/" + rules[i]->id;
        plugins[i] = parse_plugins(rules[i]->plugins);
        sources.push_back({names[i], plugins[i].is_object() ? &plugins[i] : nullptr});
    }
    return chain_of(state, merge_global_rules(sources), Chain::Scope::global);
}

void resolve_choice(const SnapshotState& state, const UpstreamChoice& choice) noexcept {
    choice.generation = state.generation;
    try {
        if (!choice.id.empty()) {
            const UpstreamObject* object = state.upstreams.find(choice.id);
            choice.target = nullptr;
            if (object) choice.target = build_upstream(state, object->upstream, choice.name);
        } else if (choice.built_under != state.settings->stamp.version) {
            choice.target = nullptr;
            auto settings = read_upstream_settings(choice.json, choice.name, state.settings->upstream_defaults);
            choice.target = make_ref<upstream::Upstream>(std::move(settings), state.workshop->endpoints);
            choice.built_under = state.settings->stamp.version;
        }
    } catch (const std::exception& problem) {
        log::error("{}", problem.what());
    }
}

void try_plugins(const SnapshotState& state, std::string_view where, std::string_view plugins) {
    const json::Value parsed = parse_plugins(plugins);
    const PluginSource source{where, parsed.is_object() ? &parsed : nullptr};
    chain_of(state, merge_route_plugins({source, {}, {}}, false));
}

}  // namespace gateway
