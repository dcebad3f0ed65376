#include "libgateway/snapshot/apply.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "libgateway/config/errors.hpp"
#include "libgateway/snapshot/compile.hpp"
#include "libgateway/snapshot/object_reader.hpp"

namespace gateway {

namespace {

// Beyond that many changed routes they are compiled when they are asked for.
constexpr std::size_t most_trials = 1000;

bool reads_body(const RouteEntry& entry) noexcept {
    return entry.vars && entry.vars->needs_body();
}

}  // namespace

Apply::Apply(SnapshotState& state, std::span<const char> delta)
    : state_(state), bytes_(delta), reader_(delta), full_(reader_.header().from == 0) {
    if (!reader_.ok()) throw config::Error("damaged delta");
    const std::uint64_t from = reader_.header().from;
    if (!full_ && from != state_.revision) {
        throw config::Error(fmt::format("delta from revision {}, but this is {}", from, state_.revision));
    }
}

bool Apply::step() {
    switch (stage_) {
        case Stage::objects:
            step_objects();
            break;
        case Stage::forgotten:
            forget_objects();
            break;
        case Stage::routes:
            step_routes();
            break;
        case Stage::forgotten_routes:
            step_forgotten_routes();
            break;
        case Stage::inherited_hosts:
            step_inherited_hosts();
            break;
        case Stage::routing:
            step_routing();
            break;
        case Stage::settle:
            settle();
            break;
        case Stage::trial:
            step_trial();
            break;
        case Stage::verify:
            verify();
            break;
        case Stage::done:
            return false;
    }
    return stage_ != Stage::done;
}

void Apply::enter(Stage stage) {
    stage_ = stage;
    if (stage == Stage::routes) reader_ = config::DeltaReader(bytes_);
    if (stage == Stage::forgotten_routes || stage == Stage::routing) {
        routes_ = PersistentMap<RouteEntry>::Cursor(state_.routes);
    }
    if (stage == Stage::routing) state_.router = route::Router(state_.settings->router);
}

bool Apply::read_next(Change& change) {
    if (reader_.next(change)) return true;
    if (!reader_.ok()) throw config::Error("damaged delta");
    return false;
}

void Apply::step_objects() {
    Change change;
    if (!read_next(change)) return enter(full_ ? Stage::forgotten : Stage::routes);
    if (change.kind != config::Kind::route) apply_object(change);
}

void Apply::apply_object(const Change& change) {
    switch (change.kind) {
        case config::Kind::settings:
            return apply_settings(change);
        case config::Kind::plugins:
            return apply_plugin_list(change);
        case config::Kind::service:
            return apply_service(change);
        case config::Kind::upstream:
            replace_reference(state_.upstreams, change, read_upstream);
            return;
        case config::Kind::plugin_config: {
            const auto replaced = replace_reference(state_.plugin_configs, change, read_plugins);
            if (!replaced.made) return;
            try_later(
                [this, made = replaced.made] { try_plugins(state_, "plugin_configs/" + made->id, made->plugins); });
            return;
        }
        case config::Kind::global_rule: {
            const auto replaced = replace(state_.global_rules, change, read_plugins);
            if (replaced.old || replaced.made) globals_changed_ = true;
            return;
        }
        case config::Kind::consumer:
            return apply_consumer(change);
        case config::Kind::consumer_group:
            return apply_group(change);
        case config::Kind::plugin_metadata:
            return apply_metadata(change);
        case config::Kind::proto:
        case config::Kind::stream_route:
        case config::Kind::secret:
        case config::Kind::standalone:
            return apply_idle(change);
        case config::Kind::ssl:
            return apply_certificate(change);
        case config::Kind::route:
            return;
    }
}

template <class Object>
Ref<const Object> Apply::forget(PersistentMap<Object>& map, std::string_view id) {
    Ref<const Object> old = map.erase(id);
    if (old) state_.digest.remove(old->stamp.hash);
    return old;
}

template <class Object, class Read>
Apply::Replaced<Object> Apply::replace(PersistentMap<Object>& map, const Change& change, Read read) {
    if (change.removed) return {forget(map, change.id), {}};
    const Hash128 hash = config::hash_of(change);
    const Object* present = map.find(change.id);
    if (present && present->stamp.hash == hash) {
        present->stamp.seen = build_;
        return {};
    }
    const Ref<Object> made = read(change, hash);
    made->stamp.seen = build_;
    Ref<const Object> old = map.set(made);
    state_.digest.add(hash);
    if (old) state_.digest.remove(old->stamp.hash);
    return {std::move(old), made};
}

template <class Object, class Read>
Apply::Replaced<Object> Apply::replace_reference(PersistentMap<Object>& map, const Change& change, Read read) {
    Replaced<Object> replaced = replace(map, change, read);
    references_changed_ = references_changed_ || replaced.old || replaced.made;
    return replaced;
}

void Apply::apply_settings(const Change& change) {
    const Hash128 hash = change.removed ? Hash128() : config::hash_of(change);
    if (!change.removed && state_.settings->written && state_.settings->stamp.hash == hash) {
        state_.settings->stamp.seen = build_;
        return;
    }
    use_settings(read_worker_settings(change.json, hash));
}

void Apply::use_settings(Ref<const WorkerSettings> settings) {
    if (state_.settings->written) state_.digest.remove(state_.settings->stamp.hash);
    if (settings->written) state_.digest.add(settings->stamp.hash);
    another_router_ = settings->router != state_.router.kind();
    settings->stamp.seen = build_;
    state_.workshop = make_ref<Workshop>(settings, state_.workshop->endpoints);
    state_.settings = std::move(settings);
    build_rules_changed_ = true;
}

void Apply::apply_plugin_list(const Change& change) {
    const Ref<const PluginList>& present = state_.plugin_list;
    const Hash128 hash = change.removed ? Hash128() : config::hash_of(change);
    if (present && !change.removed && present->stamp.hash == hash) {
        present->stamp.seen = build_;
        return;
    }
    if (present) state_.digest.remove(present->stamp.hash);
    state_.plugin_list = nullptr;
    build_rules_changed_ = true;
    if (change.removed) return;
    const Ref<PluginList> list = make_ref<PluginList>(PluginList::read(change.json));
    list->stamp.hash = hash;
    list->stamp.seen = build_;
    state_.digest.add(hash);
    state_.plugin_list = list;
}

void Apply::apply_service(const Change& change) {
    const auto replaced = replace_reference(state_.services, change, read_service);
    hosts_may_change(replaced.old.get(), replaced.made.get());
    if (!replaced.made) return;
    try_later([this, made = replaced.made] { try_plugins(state_, "services/" + made->id, made->plugins); });
}

// Requests see a new set of names through routes that are asked for again; a consumer alone reaches them by itself.
void Apply::names_changed(bool changed) noexcept {
    if (!changed) return;
    state_.overridden_version = next_version();
    references_changed_ = true;
}

void Apply::apply_consumer(const Change& change) {
    const auto replaced = replace(state_.consumers, change, read_consumer);
    bool names = false;
    // First the new names, so that a name in both leaves the set as it is.
    if (replaced.made && replaced.made->consumer) {
        names = state_.overridden.add(replaced.made->consumer->overrides.json);
    }
    if (replaced.old) {
        for (const auto& login : replaced.old->logins) state_.logins.remove(*login);
        if (replaced.old->consumer) names |= state_.overridden.remove(replaced.old->consumer->overrides.json);
    }
    names_changed(names);
    if (!replaced.made) return;
    for (const auto& login : replaced.made->logins) state_.logins.add(login);
    if (!replaced.made->consumer || replaced.made->consumer->overrides.json.empty()) return;
    try_later(
        [this, made = replaced.made] { try_plugins(state_, "consumers/" + made->id, made->consumer->overrides.json); });
}

void Apply::apply_group(const Change& change) {
    const auto replaced = replace(state_.consumer_groups, change, read_group);
    bool names = replaced.made && state_.overridden.add(replaced.made->overrides.json);
    if (replaced.old) names |= state_.overridden.remove(replaced.old->overrides.json);
    names_changed(names);
    if (!replaced.made) return;
    try_later(
        [this, made = replaced.made] { try_plugins(state_, "consumer_groups/" + made->id, made->overrides.json); });
}

// Plugins are built with their metadata: all chains are made anew, when they are asked for.
void Apply::apply_metadata(const Change& change) {
    const auto replaced = replace(state_.plugin_metadata, change, read_metadata_object);
    if (replaced.old || replaced.made) build_rules_changed_ = true;
}

// Those of several kinds may have one id.
void Apply::apply_idle(const Change& change) {
    const std::string name = std::string(config::list_name(change.kind)).append("/").append(change.id);
    if (change.removed) return void(forget(state_.idle, name));
    const Hash128 hash = config::hash_of(change);
    const IdleObject* present = state_.idle.find(name);
    if (present && present->stamp.hash == hash) {
        present->stamp.seen = build_;
        return;
    }
    if (present) state_.digest.remove(present->stamp.hash);
    const Ref<IdleObject> made = make_ref<IdleObject>();
    made->id = name;
    made->stamp.hash = hash;
    made->stamp.seen = build_;
    state_.idle.set(made);
    state_.digest.add(hash);
}

// Handshakes ask for names; nothing that requests use depends on them.
void Apply::apply_certificate(const Change& change) {
    const auto replaced = replace(state_.certificates, change, read_certificate);
    if (replaced.old && replaced.old->identity) state_.names.remove(*replaced.old->identity);
    if (replaced.made && replaced.made->identity) state_.names.add(replaced.made->identity);
}

void Apply::hosts_may_change(const ServiceObject* before, const ServiceObject* after) {
    static const std::vector<std::string> none;
    if ((before ? before->hosts : none) == (after ? after->hosts : none)) return;
    rehosted_.push_back(before ? before->id : after->id);
}

template <class Object>
std::vector<std::string> Apply::unseen(const PersistentMap<Object>& map) const {
    std::vector<std::string> ids;
    typename PersistentMap<Object>::Cursor cursor(map);
    while (const Object* object = cursor.next()) {
        if (object->stamp.seen != build_) ids.push_back(object->id);
    }
    return ids;
}

// A full document says what is gone by not naming it.
void Apply::forget_objects() {
    const auto forget = [&](config::Kind kind, const std::vector<std::string>& ids) {
        for (const std::string& id : ids) apply_object({kind, true, id, 0, {}});
    };
    if (state_.settings->written && state_.settings->stamp.seen != build_) forget(config::Kind::settings, {"static"});
    if (state_.plugin_list && state_.plugin_list->stamp.seen != build_) forget(config::Kind::plugins, {"list"});
    forget(config::Kind::service, unseen(state_.services));
    forget(config::Kind::upstream, unseen(state_.upstreams));
    forget(config::Kind::plugin_config, unseen(state_.plugin_configs));
    forget(config::Kind::global_rule, unseen(state_.global_rules));
    forget(config::Kind::consumer, unseen(state_.consumers));
    forget(config::Kind::consumer_group, unseen(state_.consumer_groups));
    forget(config::Kind::plugin_metadata, unseen(state_.plugin_metadata));
    for (const std::string& name : unseen(state_.idle)) this->forget(state_.idle, name);
    forget(config::Kind::ssl, unseen(state_.certificates));
    enter(Stage::routes);
}

void Apply::step_routes() {
    Change change;
    if (!read_next(change)) return enter(full_ ? Stage::forgotten_routes : Stage::inherited_hosts);
    if (change.kind == config::Kind::route) apply_route(change);
}

void Apply::apply_route(const Change& change) {
    const auto replaced = replace(state_.routes, change, [&](const Change& given, const Hash128& hash) {
        const Ref<RouteEntry> entry = read_route(given, hash);
        entry->hosts = entry->inherits_hosts ? inherited(*entry) : std::move(entry->hosts);
        return entry;
    });
    // An upstream that is written as before keeps its place in the round.
    if (replaced.old && replaced.made && replaced.old->upstream.json == replaced.made->upstream.json) {
        replaced.made->upstream.built = replaced.old->upstream.built;
        replaced.made->upstream.settings_version = replaced.old->upstream.settings_version;
    }
    if (replaced.old) remove_route(replaced.old);
    if (!replaced.made) return;
    add_route(replaced.made);
    try_later([this, made = replaced.made] { resolve(state_, *made); });
}

std::vector<std::string> Apply::inherited(const RouteEntry& entry) const {
    const ServiceObject* service = entry.service_id.empty() ? nullptr : state_.services.find(entry.service_id);
    return service ? service->hosts : std::vector<std::string>();
}

void Apply::add_route(const Ref<const RouteEntry>& entry) {
    enlist(entry);
    if (!entry->active) return;
    if (reads_body(*entry)) ++state_.body_matchers;
    if (!another_router_) state_.router.add(entry);
}

void Apply::remove_route(const Ref<const RouteEntry>& entry) {
    delist(*entry);
    if (!entry->active) return;
    if (reads_body(*entry)) --state_.body_matchers;
    if (!another_router_) state_.router.remove(entry);
}

void Apply::enlist(const Ref<const RouteEntry>& entry) {
    if (!entry->inherits_hosts || entry->service_id.empty()) return;
    const ServiceUsers* present = state_.service_users.find(entry->service_id);
    const Ref<ServiceUsers> users = present ? make_ref<ServiceUsers>(*present) : make_ref<ServiceUsers>();
    users->service_id = entry->service_id;
    // The old list goes before the new one changes, so that nodes that only it shared are changed in place.
    state_.service_users.set(users);
    users->routes.set(entry);
}

void Apply::delist(const RouteEntry& entry) {
    if (!entry.inherits_hosts || entry.service_id.empty()) return;
    const ServiceUsers* present = state_.service_users.find(entry.service_id);
    if (!present) return;
    const Ref<ServiceUsers> users = make_ref<ServiceUsers>(*present);
    state_.service_users.set(users);
    users->routes.erase(entry.id);
    if (users->routes.empty()) state_.service_users.erase(users->service_id);
}

void Apply::step_forgotten_routes() {
    const RouteEntry* entry = routes_.next();
    if (!entry) return enter(Stage::inherited_hosts);
    if (entry->stamp.seen != build_) apply_route({config::Kind::route, true, entry->id, 0, {}});
}

void Apply::step_inherited_hosts() {
    const RouteEntry* entry = routes_.next();
    if (entry) {
        std::vector<std::string> hosts = inherited(*entry);
        if (hosts == entry->hosts) return;
        const Ref<RouteEntry> moved = make_ref<RouteEntry>(*entry);
        moved->hosts = std::move(hosts);
        const Ref<const RouteEntry> old = state_.routes.set(moved);
        remove_route(old);
        return add_route(moved);
    }
    if (rehosted_.empty()) return enter(another_router_ ? Stage::routing : Stage::settle);
    if (const ServiceUsers* users = state_.service_users.find(rehosted_.back())) {
        routes_ = PersistentMap<RouteEntry>::Cursor(users->routes);
    }
    rehosted_.pop_back();
}

void Apply::step_routing() {
    const RouteEntry* entry = routes_.next();
    if (!entry) return enter(Stage::settle);
    if (entry->active) state_.router.add(Ref<const RouteEntry>(entry));
}

void Apply::settle() {
    if (build_rules_changed_) state_.settings_version = next_version();
    if (build_rules_changed_ || globals_changed_) state_.global_chain = compile_global_chain(state_);
    if (build_rules_changed_ || references_changed_) state_.generation = next_version();
    enter(Stage::trial);
}

void Apply::try_later(std::function<void()> trial) {
    if (!full_ && trials_.size() < most_trials) trials_.push_back(std::move(trial));
}

void Apply::step_trial() {
    if (trials_.empty()) return enter(Stage::verify);
    const std::function<void()> trial = std::move(trials_.back());
    trials_.pop_back();
    trial();
}

void Apply::verify() {
    const config::DeltaHeader& header = reader_.header();
    if (state_.digest != header.digest) {
        throw config::Error(fmt::format("revision {} does not add up: digest {} expected, {} found", header.to,
                                        header.digest.text(), state_.digest.text()));
    }
    state_.revision = header.to;
    enter(Stage::done);
}

}  // namespace gateway
