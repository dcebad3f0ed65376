// One delta onto one state, a small step at a time; the architecture calls it delta N to N+1.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "libgateway/config/delta.hpp"
#include "libgateway/snapshot/state.hpp"

namespace gateway {

// The state is a copy of its predecessor's and belongs to the build; it is whole again when step() said false. Bytes of
// the delta must live until then. A throw (config::Error) leaves the state unusable.
class Apply {
public:
    Apply(SnapshotState& state, std::span<const char> delta);
    // At most some tens of microseconds of work; false when all is done.
    bool step();

private:
    // In this order. Objects that routes refer to are settled before routes are.
    enum class Stage : std::uint8_t {
        objects,    // all but routes
        forgotten,  // full document: objects that it does not have
        routes,
        forgotten_routes,
        inherited_hosts,  // of routes whose service's hosts changed
        routing,          // another kind of router: all routes anew
        settle,           // versions, global chain
        trial,            // what changed is built once, so that a plugin that refuses its settings is a veto
        verify,
        done,
    };
    using Change = config::Change;

    void enter(Stage stage);
    bool read_next(Change& change);
    void step_objects();
    void step_routes();
    void step_forgotten_routes();
    void step_inherited_hosts();
    void step_routing();
    void step_trial();
    void settle();
    void verify();

    void apply_object(const Change& change);
    void apply_settings(const Change& change);
    void apply_plugin_list(const Change& change);
    void apply_service(const Change& change);
    void apply_consumer(const Change& change);
    void apply_group(const Change& change);
    void apply_metadata(const Change& change);
    void apply_idle(const Change& change);
    void apply_certificate(const Change& change);
    void names_changed(bool changed) noexcept;
    void apply_route(const Change& change);
    // The object that was there, if there was another one; `made` is the new one, if there is one.
    template <class Object>
    struct Replaced {
        Ref<const Object> old;
        Ref<Object> made;
    };
    template <class Object, class Read>
    Replaced<Object> replace(PersistentMap<Object>& map, const Change& change, Read read);
    template <class Object, class Read>
    Replaced<Object> replace_reference(PersistentMap<Object>& map, const Change& change, Read read);
    template <class Object>
    Ref<const Object> forget(PersistentMap<Object>& map, std::string_view id);

    void forget_objects();
    template <class Object>
    std::vector<std::string> unseen(const PersistentMap<Object>& map) const;
    void use_settings(Ref<const WorkerSettings> settings);
    void hosts_may_change(const ServiceObject* before, const ServiceObject* after);
    void add_route(const Ref<const RouteEntry>& entry);
    void remove_route(const Ref<const RouteEntry>& entry);
    void enlist(const Ref<const RouteEntry>& entry);
    void delist(const RouteEntry& entry);
    std::vector<std::string> inherited(const RouteEntry& entry) const;
    void try_later(std::function<void()> trial);

    SnapshotState& state_;
    const std::span<const char> bytes_;
    config::DeltaReader reader_;
    const bool full_;
    const std::uint64_t build_ = next_version();  // marks what a full document holds
    Stage stage_ = Stage::objects;
    bool references_changed_ = false, globals_changed_ = false, build_rules_changed_ = false, another_router_ = false;
    std::vector<std::string> rehosted_;  // services whose hosts changed
    PersistentMap<RouteEntry>::Cursor routes_;
    std::vector<std::function<void()>> trials_;
};

}  // namespace gateway
