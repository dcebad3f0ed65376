// The compiled configuration of one revision in one worker. Persistent: shares with its predecessor whatever did not
// change.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "libgateway/base/ref_counted.hpp"
#include "libgateway/config/delta.hpp"
#include "libgateway/plugin/rewrite_phase.hpp"
#include "libgateway/route/router.hpp"
#include "libgateway/snapshot/compiled_route.hpp"
#include "libgateway/snapshot/graveyard.hpp"
#include "libgateway/snapshot/settings.hpp"

namespace gateway {

namespace tls {
class NameIndex;
}
struct SnapshotState;

// One worker; adopted before a match, pinned by whoever still uses its routes.
class Snapshot : public RefCounted, public ConsumerDirectory {
public:
    explicit Snapshot(std::unique_ptr<const SnapshotState> state) noexcept;
    ~Snapshot() override;

    std::uint64_t revision() const noexcept;
    const config::Digest& digest() const noexcept;
    const route::Router& router() const noexcept;
    const Ref<const WorkerSettings>& settings() const noexcept;
    const Ref<const Chain>& global_chain() const noexcept;  // never null
    const tls::NameIndex& names() const noexcept;           // that TLS is served for
    bool match_needs_body() const noexcept;                 // some route's vars read the request body
    // Cheap when nothing that the route refers to changed since the last call; otherwise resolves and compiles again.
    // `rule` must come from a match in this snapshot's router.
    const Ref<const CompiledRoute>& compiled(const route::RouteRule& rule) const;
    std::size_t route_count() const noexcept;

    Login find_login(std::uint8_t slot, std::string_view key) const noexcept override;
    Ref<const Consumer> find_consumer(std::string_view username) const noexcept override;
    bool has_logins(std::uint8_t slot) const noexcept override;
    // Of a chain and a consumer of this snapshot.
    Merged merge(const Ref<const Chain>& route, const Consumer& consumer) const noexcept override;
    const upstream::Upstream* upstream_for(const UpstreamChoice& choice) const noexcept override;

private:
    friend class SnapshotBuilder;
    std::unique_ptr<const SnapshotState> state_;
};
using SnapshotPtr = Ref<const Snapshot>;

// Builds revision N+1 beside N, a slice at a time, so that the loop never stalls. One builder, one build. feed() and
// advance() throw config::Error on what cannot be built (control checked it before, so this is a veto): the builder is
// useless then, the previous snapshot is as it was.
class SnapshotBuilder {
public:
    // `previous` may be null: the first one. `endpoints` must outlive all snapshots of this worker.
    SnapshotBuilder(SnapshotPtr previous, upstream::EndpointTable& endpoints);
    ~SnapshotBuilder();
    // Feeds one encoded delta (kept by reference until done). A delta from 0 starts from nothing, but takes over from
    // the previous snapshot whatever is equal.
    void feed(std::span<const char> delta);
    // Works for about `budget`; true when all that was fed is built in.
    bool advance(std::chrono::microseconds budget);
    // Once, after advance() said true.
    SnapshotPtr take();

private:
    struct Work;
    std::unique_ptr<Work> work_;
};

}  // namespace gateway
