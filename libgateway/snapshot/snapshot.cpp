#include "libgateway/snapshot/snapshot.hpp"

#include "libgateway/base/log.hpp"
#include "libgateway/snapshot/compile.hpp"
#include "libgateway/snapshot/state.hpp"

namespace gateway {

std::uint64_t next_version() noexcept {
    thread_local std::uint64_t last = 0;
    return ++last;
}

// Out of line: GCC 12 takes the release of one of several references for the last one and warns of what follows.
void RouteEntry::dispose(const RouteEntry* entry) noexcept {
    delete entry;
}

Snapshot::Snapshot(std::unique_ptr<const SnapshotState> state) noexcept : state_(std::move(state)) {}
Snapshot::~Snapshot() = default;

std::uint64_t Snapshot::revision() const noexcept {
    return state_->revision;
}
const config::Digest& Snapshot::digest() const noexcept {
    return state_->digest;
}
const route::Router& Snapshot::router() const noexcept {
    return state_->router;
}
const Ref<const WorkerSettings>& Snapshot::settings() const noexcept {
    return state_->settings;
}
const Ref<const Chain>& Snapshot::global_chain() const noexcept {
    return state_->global_chain;
}
const tls::NameIndex& Snapshot::names() const noexcept {
    return state_->names;
}
bool Snapshot::match_needs_body() const noexcept {
    return state_->body_matchers != 0;
}
std::size_t Snapshot::route_count() const noexcept {
    return state_->routes.size();
}

const Ref<const CompiledRoute>& Snapshot::compiled(const route::RouteRule& rule) const {
    const auto& entry = static_cast<const RouteEntry&>(rule);
    if (entry.generation == state_->generation) return entry.compiled;
    try {
        return resolve(*state_, entry);
    } catch (const std::exception& problem) {
        log::error("routes/{} cannot be compiled: {}", entry.id, problem.what());
        return resolve_as_broken(*state_, entry);
    }
}

Login Snapshot::find_login(std::uint8_t slot, std::string_view key) const noexcept {
    const LoginEntry* login = state_->logins.find(slot, key);
    if (!login) return {};
    if (login->consumer) return {login->consumer, login->credential};
    Ref<const Consumer> consumer = find_consumer(login->username);
    if (!consumer) return {};
    return {std::move(consumer), login->credential};
}

Ref<const Consumer> Snapshot::find_consumer(std::string_view username) const noexcept {
    const ConsumerObject* object = state_->consumers.find(username);
    return object ? Ref<const Consumer>(object->consumer) : Ref<const Consumer>();
}

bool Snapshot::has_logins(std::uint8_t slot) const noexcept {
    return !state_->logins.empty(slot);
}

Merged Snapshot::merge(const Ref<const Chain>& route, const Consumer& consumer) const noexcept {
    try {
        return merge_consumer(*state_, route, static_cast<const StoredConsumer&>(consumer));
    } catch (const std::exception& problem) {
        log::error("plugins of consumers/{} cannot be built: {}", consumer.username, problem.what());
        return {Merged::Outcome::broken, {}};
    }
}

const upstream::Upstream* Snapshot::upstream_for(const UpstreamChoice& choice) const noexcept {
    if (choice.generation != state_->generation) resolve_choice(*state_, choice);
    return choice.target.get();
}

}  // namespace gateway
