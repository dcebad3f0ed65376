// From a route and what it refers to, to what an exchange needs: objects.md 3 to 5.
#pragma once

#include <string_view>
#include <vector>

#include "libgateway/plugin/merge.hpp"
#include "libgateway/plugin/rewrite_phase.hpp"
#include "libgateway/plugin/upstream_choice.hpp"
#include "libgateway/snapshot/state.hpp"

namespace gateway {

// The route resolved in this state: what it had, if nothing that it refers to changed, else compiled again. Throws
// config::Error if a plugin cannot be built.
const Ref<const CompiledRoute>& resolve(const SnapshotState& state, const RouteEntry& entry);

// Keeps an answer for a route that cannot be compiled.
const Ref<const CompiledRoute>& resolve_as_broken(const SnapshotState& state, const RouteEntry& entry);

// All global rules as one chain. Throws config::Error.
Ref<const Chain> compile_global_chain(const SnapshotState& state);

// The route's chain with the entries of the consumer and its group; the reason if there is none.
Merged merge_consumer(const SnapshotState& state, const Ref<const Chain>& route, const StoredConsumer& consumer);

// Looks the choice's upstream up, or builds it, as it is in this state. What cannot be had is logged and left null.
void resolve_choice(const SnapshotState& state, const UpstreamChoice& choice) noexcept;

// Builds each plugin of the text once and forgets it, to find out whether it can be built. Throws config::Error.
void try_plugins(const SnapshotState& state, std::string_view where, std::string_view plugins);

}  // namespace gateway
