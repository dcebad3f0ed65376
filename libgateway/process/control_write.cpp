// How control changes objects of the store: check, let the workers prepare, write to disk, then all adopt it. What is
// acknowledged is on disk; what was refused never gets there.
#include <set>

#include "libgateway/base/clock.hpp"
#include "libgateway/base/log.hpp"
#include "libgateway/process/control_process.hpp"
#include "libgateway/sources/document_reader.hpp"

namespace gateway::process {

namespace {

constexpr std::size_t few_edits = 64;  // checked on the loop, more on the builder thread

Control::Outcome refusal(store::WriteStatus status, std::vector<std::string> errors) {
    Control::Outcome outcome;
    outcome.write = status;
    outcome.status = control::Status::refused;
    outcome.record.result = "refused";
    outcome.record.errors = std::move(errors);
    return outcome;
}

// The first objects of a kind that nothing reads yet.
void tell_idle(const Draft& draft, const Catalogue& before) {
    std::set<config::Kind> told;
    for (const Draft::Step& step : draft.steps) {
        const config::Kind kind = step.key.first;
        const bool first = step.after.there() && config::is_idle(kind) && before.document().size(kind) == 0;
        if (first && told.insert(kind).second) log::warn("{}: {}", config::list_name(kind), sources::idle_note);
    }
}

}  // namespace

store::Store::Write write_of(const Catalogue::Reading& reading, store::Revision revision) {
    store::Store::Write write;
    write.difference = reading.difference;
    revision.changes = write.difference.size();
    write.revision = std::move(revision);
    return write;
}

asio::awaitable<store::Written> Control::write(std::vector<store::Edit> edits, store::Author author,
                                               std::function<std::string()> precondition) {
    const bool removes = edits.size() == 1 && !edits[0].json;
    Cause cause{removes ? "delete" : edits.size() == 1 ? "put" : "apply", std::move(author)};
    cause.precondition = std::move(precondition);
    Outcome outcome = co_await change(std::move(edits), std::move(cause));
    store::Written written;
    written.status = outcome.write;
    written.errors = std::move(outcome.record.errors);
    written.revision = revisions_->revision();
    written.objects = std::move(outcome.objects);
    written.lagging = pids_of(outcome.lagging);
    co_return written;
}

std::vector<std::uint32_t> Control::pids_of(const std::vector<std::uint32_t>& workers) const {
    const auto* pages = segment_->zone_as<WorkerPages>(workers_zone);
    std::vector<std::uint32_t> pids;
    for (const std::uint32_t index : workers) {
        const auto pid = (*pages)[index].pid.load(std::memory_order_relaxed);
        pids.push_back(static_cast<std::uint32_t>(pid));
    }
    return pids;
}

asio::awaitable<Control::Outcome> Control::change(std::vector<store::Edit> edits, Cause cause) {
    const Turnstile::Pass pass = co_await writes_.enter();
    Outcome outcome = co_await change_now(std::move(edits), std::move(cause));
    co_return outcome;
}

// Why no object can be written now; empty: it can be tried.
std::string Control::no_writes() const {
    if (!situation_.synchronised) return "loading";
    if (!in_charge_) return "a new binary is starting: try again when it serves";
    if (etcd_) return etcd_->problem().empty() ? std::string() : "etcd: " + etcd_->problem();
    return store_.usable() ? std::string() : store_.problem();
}

asio::awaitable<Control::Outcome> Control::change_now(std::vector<store::Edit> edits, Cause cause) {
    const std::string by = cause.action;
    Outcome outcome;
    std::string why = no_writes();
    if (!why.empty()) {
        outcome = refusal(store::WriteStatus::unavailable, {why});
    } else if (etcd_ && cause.trial) {
        outcome = refusal(store::WriteStatus::refused,
                          {"objects are in etcd: a trial (--confirm-within, --revert-if) needs the embedded store"});
    } else if (cause.precondition && !(why = cause.precondition()).empty()) {
        outcome = refusal(store::WriteStatus::refused, {why});
    } else {
        auto draft = std::make_shared<Draft>();
        const Owned owned = cause.owned;
        if (edits.size() <= few_edits) {
            *draft = draft_of(catalogue_, edits, owned);
        } else {
            auto work = [this, &edits, owned] { return draft_of(catalogue_, edits, owned); };
            *draft = co_await on_thread(builder_, work);
        }
        if (cause.only_changes) draft->drop_unchanged();
        outcome = co_await carry_out(std::move(draft), std::move(cause));
    }
    outcome.record.by = by;
    outcome.record.of_store = true;
    remember(outcome);
    co_return outcome;
}

asio::awaitable<Control::Outcome> Control::carry_out(std::shared_ptr<Draft> draft, Cause cause) {
    if (!draft->errors.empty()) {
        Outcome outcome = refusal(draft->status, draft->errors);
        outcome.record.warnings = draft->warnings;
        co_return outcome;
    }
    Outcome outcome;
    outcome.record.warnings = draft->warnings;
    if (draft->steps.empty() && !cause.ends_trial && !cause.trial) {
        outcome.record.result = "unchanged";
        co_return outcome;
    }
    const std::vector<config::Change> changes = draft->changes();
    const Revisions::Keep keep = [this, draft, &cause](std::uint64_t number) {
        return keep_draft(draft, cause, number);
    };
    const Published published = co_await revisions_->publish(changes, draft->after, keep);
    record(outcome, published, draft->steps.size());
    if (outcome.status == control::Status::refused) {
        outcome.write = !published.unkept ? store::WriteStatus::refused
                        : etcd_           ? draft->status
                                          : store::WriteStatus::unavailable;
        co_return outcome;
    }
    tell_idle(*draft, catalogue_);
    catalogue_.accept(*draft);
    outcome.objects = draft->made();
    if (cause.ends_trial) trial_.reset();
    if (cause.trial) trial_ = cause.trial;
    if (cause.trial) trial_->revision = published.revision;
    if (cause.trial || cause.ends_trial) answers_.forget();
    if (cause.trial) answers_.look(count_answers(*segment_), {});
    note_store();
    co_return outcome;
}

asio::awaitable<std::string> Control::keep_draft(std::shared_ptr<Draft> draft, const Cause& cause,
                                                 std::uint64_t number) {
    store::Revision revision{number,       wall_ms(),           cause.author,       cause.action,
                             cause.source, draft->after.text(), draft->steps.size()};
    if (etcd_) {
        std::string refusal = co_await etcd_->commit(*draft);
        if (refusal.empty()) co_await keep_in_history(*draft, std::move(revision));
        co_return refusal;
    }
    store::Store::Write write;
    write.revision = std::move(revision);
    draft->stamp(number);
    draft->fill(write);
    write.trial = cause.trial;
    write.ends_trial = cause.ends_trial;
    std::string why = co_await commit(std::move(write));
    co_return why;
}

// The route file is what counts here: it is in force also where its history cannot be written.
asio::awaitable<std::string> Control::keep_reading(const Catalogue::Reading& reading, std::string by,
                                                   std::uint64_t number) {
    const std::string digest = reading.document->digest().text();
    if (!store_.usable() || (reading.difference.empty() && digest == kept_digest_)) co_return std::string();
    const std::string action = by == "start" ? "start" : "reload";
    const std::string author = by != "start" && by != "poll" ? by : etcd_ ? "etcd" : "file";
    auto write = write_of(
        reading,
        {number, wall_ms(), {author, ""}, action, etcd_ ? etcd_->address() : catalogue_.route_file(), digest, 0});
    if (etcd_ && action == "start") {  // one row with what etcd changed meanwhile
        unkept_ = std::move(write);
        behind_ = true;
        co_return std::string();
    }
    const std::string why = co_await commit(std::move(write));
    if (!why.empty()) log::warn("revision {} is not in the history: {}", number, why);
    co_return std::string();
}

asio::awaitable<std::string> Control::commit(store::Store::Write write) {
    const std::uint64_t number = write.revision.number;
    std::string digest = write.revision.digest;
    std::string why = co_await store_.commit(std::move(write));
    if (why.empty()) {
        kept_number_ = number;
        kept_digest_ = std::move(digest);
    }
    note_store();
    co_return why;
}

void Control::note_store() {
    situation_.store_problem = etcd_ ? etcd_->problem() : store_.problem();
    if (etcd_ && situation_.store_problem.empty() && !store_.problem().empty())
        situation_.store_problem = "history: " + store_.problem();
    if (etcd_) situation_.store = situation_.source = etcd_->address();
    situation_.trial.clear();
    if (trial_) situation_.trial = text_of(*trial_);
}

}  // namespace gateway::process
