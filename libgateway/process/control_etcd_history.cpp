// The history of a gateway whose objects are in etcd: what was in force on this machine, written here or elsewhere. It
// is kept beside them, in a file of its own, and never in the way of a change: etcd decides what is in force.
#include "libgateway/base/clock.hpp"
#include "libgateway/base/log.hpp"
#include "libgateway/process/control_process.hpp"

namespace gateway::process {

namespace {

constexpr auto try_again = std::chrono::seconds(10);

std::vector<store::Entry> entries_of(const Catalogue::Shelf& shelf) {
    std::vector<store::Entry> entries;
    entries.reserve(shelf.size());
    for (const auto& one : shelf) {
        if (one.second.stored) entries.push_back({one.second.stored, one.second.order});
    }
    return entries;
}

}  // namespace

asio::awaitable<void> Control::open_history() {
    const config::GatewaySection& gateway = catalogue_.settings().gateway;
    behind_ = true;
    if (gateway.data_dir.empty()) {
        store_.disable("there is no history: gateway.data_dir is empty");
        co_return;
    }
    const store::Limits limits{gateway.history.revisions, gateway.history.bytes.bytes};
    std::string path = gateway.data_dir + "/history.db";
    const auto contents = co_await store_.open_history(std::move(path), limits);
    if (!contents) {
        log::error("the history cannot be used: {}; changes go on without it", store_.problem());
        co_return;
    }
    kept_number_ = contents->last;
    kept_digest_ = contents->last_digest;
    next_catch_up_ = {};
    revisions_->number_above(kept_number_);
}

// Where the history lacks something, and before all that etcd holds was taken in, the draft does not replace what the
// history has: then catch_up() finds what does.
asio::awaitable<void> Control::keep_in_history(const Draft& draft, store::Revision revision) {
    if (behind_ || !store_.usable() || !in_charge_ || !etcd_->complete()) {
        behind_ = true;
        co_return;
    }
    store::Store::Write write;
    write.revision = std::move(revision);
    draft.fill(write);
    const std::string why = co_await commit(std::move(write));
    behind_ = !why.empty();
}

// Who did it is not known where etcd is asked: it keeps no names.
asio::awaitable<std::string> Control::keep_incoming(const Draft& draft, std::uint64_t newest, std::uint64_t number) {
    std::string source = newest == 0 ? etcd_->address() : fmt::format("{} at {}", etcd_->address(), newest);
    store::Revision revision{number, wall_ms(), {"etcd", ""}, "etcd", source, draft.after.text(), draft.steps.size()};
    co_await keep_in_history(draft, std::move(revision));
    co_return std::string();
}

// Where a row is missing (what changed while this gateway did not run, what could not be written) the difference
// between the history and what is in force becomes one. The caller holds the pass for writes.
asio::awaitable<void> Control::catch_up() {
    const bool can = etcd_ && etcd_->complete() && store_.usable() && in_charge_;
    if (!behind_ || !can || std::chrono::steady_clock::now() < next_catch_up_) co_return;
    next_catch_up_ = std::chrono::steady_clock::now() + try_again;
    auto work = [now = entries_of(catalogue_.shelf())](store::Store& store) { return store.changes_to(now); };
    store::Store::Write write;
    try {
        write = co_await store_.with(std::move(work));
    } catch (const std::exception& error) {
        log::error("the history cannot be used: {}; changes go on without it", error.what());
        store_.disable(error.what());
        co_return;
    }
    if (unkept_) {
        const store::Difference files = std::move(unkept_->difference);
        write.difference.insert(write.difference.begin(), files.begin(), files.end());
        write.revision = std::move(unkept_->revision);
        unkept_.reset();
    } else {
        write.revision = {0, 0, {"etcd", ""}, "etcd", etcd_->address(), "", 0};
    }
    write.revision.number = revisions_->revision();
    const std::string why = co_await keep_difference(std::move(write));
    behind_ = !why.empty();
    if (!behind_) next_catch_up_ = {};
}

asio::awaitable<void> Control::catch_up_later() {
    const Turnstile::Pass pass = co_await writes_.enter();
    co_await catch_up();
}

asio::awaitable<std::string> Control::keep_difference(store::Store::Write write) {
    std::string why;
    store::Revision& revision = write.revision;
    const bool numbered = revision.number > kept_number_;
    if (write.difference.empty() && !numbered) co_return why;
    revision.at_ms = wall_ms();
    revision.changes = write.difference.size();
    revision.digest = catalogue_.document().digest().text();
    if (numbered) {
        why = co_await commit(std::move(write));
        co_return why;
    }
    // The number in force has its row already.
    const Revisions::Keep keep = [this, &write](std::uint64_t number) {
        write.revision.number = number;
        return commit(std::move(write));
    };
    const Published published = co_await revisions_->publish({}, catalogue_.document().digest(), keep);
    co_return published.veto;
}

}  // namespace gateway::process
