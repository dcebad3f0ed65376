// The compiled configuration of one revision in one worker. Persistent: shares with its predecessor whatever did not change.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "libgateway/base/ref_counted.hpp"
#include "libgateway/config/delta.hpp"
#include "libgateway/config/static_config.hpp"
#include "libgateway/plugin/chain.hpp"
#include "libgateway/route/router.hpp"
#include "libgateway/upstream/upstream.hpp"

namespace gateway {

class Snapshot;

// All that an exchange needs after the match, resolved once per route and revision of what it refers to. Pinned by exchanges.
class CompiledRoute : public RefCounted {
public:
    enum class Outcome : std::uint8_t {
        ok,
        no_plugin_config,  // 503 page: plugin_config_id names nothing
        no_service,        // 404 page: service_id names nothing
    };
    Outcome outcome = Outcome::ok;
    std::string route_id, route_name, service_id, service_name;
    Ref<const Chain> chain;               // never null; empty chain if there are no plugins
    Ref<const upstream::Upstream> target; // null: see target_outcome
    enum class TargetOutcome : std::uint8_t { ok, missing_object /*502*/, none_configured /*503*/ };
    TargetOutcome target_outcome = TargetOutcome::ok;
    upstream::Timeouts timeouts;          // route's, else upstream's
    bool enable_websocket = false;
    std::uint64_t request_body_needed = 0;  // most of chain and global chain; 0: stream
};

// What workers need of the static file, compiled.
struct WorkerSettings : RefCounted {
    config::StaticConfig file;
};

class Snapshot : public RefCounted {
public:
    std::uint64_t revision() const noexcept;
    const config::Digest& digest() const noexcept;
    const route::Router& router() const noexcept;
    const Ref<const WorkerSettings>& settings() const noexcept;
    const Ref<const Chain>& global_chain() const noexcept;  // never null
    bool match_needs_body() const noexcept;  // some route's vars read the request body
    // Cheap when nothing that the route refers to changed since the last call; otherwise resolves and compiles again.
    // `rule` must come from a match in this snapshot's router.
    const Ref<const CompiledRoute>& compiled(const route::RouteRule& rule) const;
    std::size_t route_count() const noexcept;

private:
    friend class SnapshotBuilder;
    struct State;
    std::unique_ptr<State> state_;
    Snapshot();

public:
    ~Snapshot();
};
using SnapshotPtr = Ref<const Snapshot>;

// Builds revision N+1 beside N, a slice at a time, so that the loop never stalls. Throws config::Error on an object that cannot be
// built (control checked it before, so this is a veto); the previous snapshot is untouched then.
class SnapshotBuilder {
public:
    SnapshotBuilder(SnapshotPtr previous, upstream::EndpointTable& endpoints);
    ~SnapshotBuilder();
    // Feeds one encoded delta (kept by reference until done). A delta from 0 starts from nothing.
    void feed(std::span<const char> delta);
    // Works for about `budget`; true when all that was fed is built in.
    bool advance(std::chrono::microseconds budget);
    SnapshotPtr take();

private:
    struct Work;
    std::unique_ptr<Work> work_;
};

// Frees old objects little by little; call once per loop turn. True when nothing waits.
class Graveyard {
public:
    static void bury(const RefCounted* object, void (*destroy)(const RefCounted*)) noexcept;
    static bool dig(std::chrono::microseconds budget) noexcept;
    static std::size_t waiting() noexcept;
};

}  // namespace gateway
