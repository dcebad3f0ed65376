// What one route comes to, with all that it refers to looked up and built.
#pragma once

#include <cstdint>
#include <string>

#include "libgateway/base/ref_counted.hpp"
#include "libgateway/plugin/chain.hpp"
#include "libgateway/upstream/upstream.hpp"

namespace gateway::telemetry {
class Series;
}

namespace gateway {

// All that an exchange needs after the match, resolved once per route and version of what it refers to. Immutable;
// pinned by exchanges.
class alignas(64) CompiledRoute : public RefCounted {
public:
    enum class Outcome : std::uint8_t {
        ok,
        no_plugin_config,  // 503 page: plugin_config_id names nothing
        no_service,        // 404 page: service_id names nothing
        broken,            // 500 page: a plugin or the upstream cannot be built, though control's check passed
    };
    enum class TargetOutcome : std::uint8_t { ok, missing_object /*502*/, none_configured /*503*/ };
    // What each request reads comes first, in one cache line.
    Outcome outcome = Outcome::ok;
    TargetOutcome target_outcome = TargetOutcome::ok;
    bool own_timeouts = false;  // the route's: they stand before those of an upstream that a plugin chooses
    bool enable_websocket = false;
    Ref<const Chain> chain;                        // never null; empty chain if there are no plugins
    Ref<const upstream::Upstream> target;          // null: see target_outcome
    upstream::Timeouts timeouts;                   // route's, else upstream's
    std::uint64_t serial = 0;                      // a number that no other compiled route of this thread ever had
    mutable telemetry::Series* traffic = nullptr;  // where its exchanges are counted, once one has ended

    std::string route_id, route_name, service_id, service_name;

    // Versions of what this was resolved from; equal ones mean that it is still right.
    struct Basis {
        std::uint64_t service = 0, plugin_config = 0, upstream = 0;  // 0: not referred to, or missing
        std::uint64_t settings = 0;
        friend bool operator==(const Basis&, const Basis&) = default;
    };
    Basis basis;
    std::uint64_t overridden_version = 0;  // counts only for chains with authentication
};

}  // namespace gateway
