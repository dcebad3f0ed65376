#include <deque>
#include <optional>

#include "libgateway/base/clock.hpp"
#include "libgateway/config/errors.hpp"
#include "libgateway/snapshot/apply.hpp"
#include "libgateway/snapshot/snapshot.hpp"
#include "libgateway/snapshot/state.hpp"

namespace gateway {

namespace {

constexpr int steps_per_reading = 8;

std::unique_ptr<SnapshotState> first_state(upstream::EndpointTable& endpoints) {
    auto state = std::make_unique<SnapshotState>();
    state->settings = read_worker_settings({}, {});
    state->router = route::Router(state->settings->router);
    state->workshop = make_ref<Workshop>(state->settings, endpoints);
    state->global_chain = Chain::make({}, Chain::Scope::global);
    state->settings_version = next_version();
    state->generation = next_version();
    return state;
}

}  // namespace

struct SnapshotBuilder::Work {
    std::unique_ptr<SnapshotState> next;
    std::deque<std::span<const char>> pending;
    std::optional<Apply> apply;

    // False when nothing is left.
    bool step() {
        if (!apply && pending.empty()) return false;
        if (!apply) apply.emplace(*next, pending.front());
        if (apply->step()) return true;
        apply.reset();
        pending.pop_front();
        return true;
    }
};

SnapshotBuilder::SnapshotBuilder(SnapshotPtr previous, upstream::EndpointTable& endpoints)
    : work_(std::make_unique<Work>()) {
    work_->next = previous ? std::make_unique<SnapshotState>(*previous->state_) : first_state(endpoints);
}

SnapshotBuilder::~SnapshotBuilder() = default;

void SnapshotBuilder::feed(std::span<const char> delta) {
    if (!config::DeltaReader(delta).ok()) throw config::Error("damaged delta");
    work_->pending.push_back(delta);
}

bool SnapshotBuilder::advance(std::chrono::microseconds budget) {
    const std::int64_t end = monotonic_ns() + std::chrono::nanoseconds(budget).count();
    bool more = true;
    do {
        for (int i = 0; more && i < steps_per_reading; ++i) more = work_->step();
    } while (more && monotonic_ns() < end);
    Graveyard::rake();
    return !more;
}

SnapshotPtr SnapshotBuilder::take() {
    return make_ref<const Snapshot>(std::move(work_->next));
}

}  // namespace gateway
