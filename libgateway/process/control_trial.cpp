#include "libgateway/process/control_trial.hpp"

#include <fmt/format.h>

#include <charconv>
#include <set>

#include "libgateway/base/clock.hpp"
#include "libgateway/base/log.hpp"
#include "libgateway/process/control_process.hpp"
#include "libgateway/telemetry/counters.hpp"

namespace gateway::process {

std::optional<RevertRule> parse_revert_rule(std::string_view text) {
    if (text.size() < 6 || text[0] < '1' || text[0] > '5' || text.substr(1, 3) != "xx>" || text.back() != '%')
        return std::nullopt;
    RevertRule rule{static_cast<unsigned>(text[0] - '0'), 0};
    const char *first = text.data() + 4, *last = text.data() + text.size() - 1;
    const auto [end, error] = std::from_chars(first, last, rule.percent);
    if (error != std::errc() || end != last || !(rule.percent >= 0 && rule.percent < 100)) return std::nullopt;
    return rule;
}

std::string text_of(const store::Trial& trial) {
    std::string text = fmt::format("revision {}:", trial.revision);
    const std::string at = trial.deadline_ms == 0 ? "" : time_text(trial.deadline_ms).string();
    if (trial.confirm) text += fmt::format(" reverts at {} unless it is confirmed", at);
    if (trial.revert_if.empty()) return text;
    text += fmt::format("{} reverts if {}", trial.confirm ? "," : "", trial.revert_if);
    return trial.confirm ? text : text + fmt::format(" until {}", at);
}

Answers count_answers(const shm::Segment& segment) {
    Answers sum{};
    const std::span<const std::byte> counters = segment.zone(metrics_zone);
    const std::size_t size = counters.size() / max_workers;
    for (std::size_t i = 0; size >= sizeof(telemetry::CounterPage) && i < max_workers; ++i) {
        const auto& page = *reinterpret_cast<const telemetry::CounterPage*>(counters.data() + i * size);
        for (std::size_t at = 0; at < sum.size(); ++at)
            sum[at] += page.responses_by_class[at].load(std::memory_order_relaxed);
    }
    return sum;
}

// Where numbers fell they say nothing: the window begins again.
bool ResponseWatch::look(const Answers& now, const RevertRule& rule) {
    for (std::size_t at = 0; !seen_.empty() && at < now.size(); ++at) {
        if (now[at] < seen_.back()[at]) seen_.clear();
    }
    seen_.push_back(now);
    if (seen_.size() > looks) seen_.pop_front();
    std::uint64_t all = 0;
    for (std::size_t at = 0; at < now.size(); ++at) all += now[at] - seen_.front()[at];
    const std::uint64_t bad = now[rule.status_class] - seen_.front()[rule.status_class];
    return all >= fewest_answers && static_cast<double>(bad) * 100 > rule.percent * static_cast<double>(all);
}

asio::awaitable<void> Control::expire() {
    const std::int64_t now = wall_ms();
    if (catalogue_.next_expiry() == 0 || catalogue_.next_expiry() > now || !no_writes().empty()) co_return;
    const Turnstile::Pass pass = co_await writes_.enter();
    const std::set<Catalogue::Key> due = catalogue_.ended(now);
    std::vector<store::Edit> edits;
    // A credential goes with its consumer.
    for (const Catalogue::Key& key : due) {
        if (catalogue_.file().find(key.first, key.second)) continue;
        const bool goes_along = due.count({key.first, key.second.substr(0, key.second.find('/'))}) != 0;
        if (key.second.find('/') == std::string::npos || !goes_along)
            edits.push_back({key.first, key.second, std::nullopt, std::nullopt, 0, 0});
    }
    if (edits.empty()) co_return;
    Cause cause{"expiry", {"expiry", ""}};
    co_await change_now(std::move(edits), std::move(cause));
}

asio::awaitable<void> Control::watch_trial() {
    if (!trial_ || !no_writes().empty()) co_return;
    const auto rule = parse_revert_rule(trial_->revert_if);
    const bool over = trial_->deadline_ms != 0 && wall_ms() >= trial_->deadline_ms;
    if (rule && answers_.look(count_answers(*segment_), *rule)) {
        co_await revert("more than the allowed share of answers: " + trial_->revert_if);
    } else if (over && trial_->confirm) {
        co_await revert("it was not confirmed in time");
    } else if (over) {
        co_await confirm();
    }
}

// Every object that the revision changed becomes what it was before, but for those that were changed again since.
asio::awaitable<void> Control::revert(std::string why) {
    const Turnstile::Pass pass = co_await writes_.enter();
    if (!trial_) co_return;
    const std::uint64_t number = trial_->revision;
    auto work = [number](store::Store& store) { return store.difference(number); };
    std::vector<store::Edit> edits;
    try {
        const store::Difference difference = co_await store_.with(std::move(work));
        for (const store::ObjectChange& change : difference) {
            const auto found = catalogue_.shelf().find({change.kind, change.id});
            const bool there = found != catalogue_.shelf().end();
            const bool since = there && found->second.stored && found->second.stored->modified > number;
            if (change.layer != store::Layer::store || since || catalogue_.file().find(change.kind, change.id))
                continue;
            if (!change.before && !there) continue;
            store::Edit edit{change.kind, change.id, std::nullopt, std::nullopt, 0, 0};
            if (change.before) {
                edit.json = change.before->json;
                edit.expires_ms = change.before->expires_ms;
                edit.rank = change.before->order;
            }
            edits.push_back(std::move(edit));
        }
    } catch (const std::exception& error) {
        log::error("revision {} cannot be reverted: {}", number, error.what());
        co_return;
    }
    log::warn("revision {} is reverted: {}", number, why);
    Cause cause{"revert", {"gateway", ""}};
    cause.source = why;
    cause.ends_trial = true;
    const Outcome outcome = co_await change_now(std::move(edits), std::move(cause));
    if (outcome.write != store::WriteStatus::refused && outcome.write != store::WriteStatus::owned) co_return;
    log::error("revision {} stays: it cannot be reverted", number);
    co_await confirm_now();
}

asio::awaitable<std::string> Control::confirm() {
    const Turnstile::Pass pass = co_await writes_.enter();
    std::string why = co_await confirm_now();
    co_return why;
}

asio::awaitable<std::string> Control::confirm_now() {
    if (!trial_) co_return std::string("there is nothing to confirm");
    if (std::string why = no_writes(); !why.empty()) co_return why;
    auto work = [](store::Store& store) {
        store.end_trial();
        return true;
    };
    std::string problem;
    try {
        co_await store_.with(work);
    } catch (const std::exception& error) {
        problem = error.what();
    }
    if (!problem.empty()) co_return problem;
    log::notice("revision {} is confirmed", trial_->revision);
    trial_.reset();
    answers_.forget();
    note_store();
    co_return std::string();
}

}  // namespace gateway::process
