// How control takes what etcd holds: in batches, what is refused found by halving, everything else in force.
#include <algorithm>
#include <deque>
#include <map>

#include "libgateway/base/clock.hpp"
#include "libgateway/base/log.hpp"
#include "libgateway/process/control_process.hpp"

namespace gateway::process {

namespace {

constexpr std::size_t few_objects = 64;  // checked on the loop, more on the builder thread

using Batch = std::vector<Incoming>;

// What etcd holds is kept as it is; only workers get the checked form.
void keep_as_written(Draft& draft, const Batch& batch) {
    std::map<Catalogue::Key, const Incoming*> by_key;
    for (const Incoming& one : batch) by_key[{one.edit.kind, one.edit.id}] = &one;
    for (Draft::Step& step : draft.steps) {
        const auto found = by_key.find(step.key);
        if (!step.fresh || found == by_key.end()) continue;
        const Incoming& one = *found->second;
        *step.fresh = {one.edit.kind, one.edit.id, *one.edit.json, one.created, one.modified, 0};
    }
}

// What etcd holds is another text, though it may mean the same.
bool rewrites(const Draft& draft) {
    return std::any_of(draft.steps.begin(), draft.steps.end(), [](const Draft::Step& step) {
        const store::StoredPtr &before = step.before.stored, &after = step.after.stored;
        return before && after ? before->json != after->json : before != after;
    });
}

std::uint64_t newest_of(const Batch& batch) {
    std::uint64_t newest = 0;
    for (const Incoming& one : batch) newest = std::max(newest, one.modified);
    return newest;
}

}  // namespace

void Control::follow_etcd() {
    const config::StaticConfig& settings = catalogue_.settings();
    if (etcd_ || !settings.etcd_provider()) return;
    etcd_ = std::make_unique<EtcdSource>(
        loop_, *settings.deployment.etcd, [this](Batch objects, bool whole) { return take(std::move(objects), whole); },
        [this] { note_store(); });
    etcd_->run();
}

std::vector<Catalogue::LeftOut> Control::left_out() const {
    return etcd_ ? etcd_->left_out() : catalogue_.left_out();
}

void Control::begin_without_etcd(bool kept, Outcome& outcome) {
    const std::string why = "etcd: " + etcd_->problem();
    if (kept) outcome.record.warnings.push_back(why + "; the last good revision is used");
    if (!kept) situation_.missing = "configuration has not been loaded: " + why;
}

asio::awaitable<void> Control::take(std::vector<Incoming> objects, bool whole) {
    asio::steady_timer tick(loop_);
    while (!situation_.synchronised || !in_charge_ || !catalogue_.keyring()) {
        tick.expires_after(std::chrono::milliseconds(10));
        co_await tick.async_wait(quietly);
    }
    const Turnstile::Pass pass = co_await writes_.enter();
    std::deque<Batch> batches;
    batches.push_back(etcd_->news(std::move(objects), whole, catalogue_.shelf()));
    Outcome outcome;
    outcome.record.by = "etcd";
    outcome.record.of_store = true;
    outcome.record.result = "unchanged";
    while (!batches.empty()) {
        Batch batch = std::move(batches.front());
        batches.pop_front();
        if (batch.empty()) continue;
        const std::string why = co_await take_batch(batch, outcome);
        if (why.empty()) continue;
        if (batch.size() == 1) {
            etcd_->refused(batch.front(), why);
            outcome.record.warnings.push_back(why);
            continue;
        }
        const auto middle = batch.begin() + static_cast<std::ptrdiff_t>(batch.size() / 2);
        batches.emplace_front(middle, batch.end());
        batches.emplace_front(batch.begin(), middle);
    }
    if (whole) situation_.missing.clear();
    if (whole) etcd_->completed();
    behind_ = behind_ || whole;
    co_await catch_up();
    note_store();
    remember(outcome);
}

// Why none of them is in force, or nothing. An object that is refused stays in the form that workers have.
asio::awaitable<std::string> Control::take_batch(const std::vector<Incoming>& batch, Outcome& outcome) {
    std::vector<store::Edit> edits;
    for (const Incoming& one : batch) edits.push_back(one.edit);
    Draft draft;
    if (edits.size() <= few_objects) {
        draft = draft_of_stored(catalogue_, edits);
    } else {
        auto work = [this, &edits] { return draft_of_stored(catalogue_, edits); };
        draft = co_await on_thread(builder_, work);
    }
    if (!draft.errors.empty()) co_return draft.errors.front();
    keep_as_written(draft, batch);
    const std::vector<config::Change> changes = draft.changes();
    if (!changes.empty() || rewrites(draft)) {
        const Revisions::Keep keep = [this, &draft, &batch](std::uint64_t number) {
            return keep_incoming(draft, newest_of(batch), number);
        };
        const Published published = co_await revisions_->publish(changes, draft.after, keep);
        if (!published.veto.empty()) co_return published.veto;
        record(outcome, published, outcome.changes + draft.steps.size());
    }
    catalogue_.accept(draft);
    for (const Incoming& one : batch) etcd_->accepted({one.edit.kind, one.edit.id});
    co_return std::string();
}

}  // namespace gateway::process
