#include "libplugins/limit_count/delayed.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "libgateway/base/log.hpp"
#include "libplugins/common/redis_settings.hpp"

namespace gateway::plugins {

Delayed::Delayed(double interval_s, bool sliding) noexcept
    : interval_(static_cast<std::int64_t>(std::min(interval_s, 1e9) * 1000)), sliding_(sliding) {}

QuotaCopy::Decision Delayed::decide(Services& services, redis::Database& database, const DelayedLimit& limit) {
    const Quota quota{limit.remote.count, limit.remote.window_ms, sliding_};
    const QuotaCopy::Decision decision = QuotaCopy(*limit.cell).take(quota, services.now_ms());
    // While Redis fails the key stays listed, for that is what finds out that it works again.
    if (decision.count.admitted || decision.state == QuotaCopy::State::failing)
        touch(services, database, limit.place, limit.remote.counter_key, limit.remote.window_ms);
    return decision;
}

void Delayed::touch(Services& services, redis::Database& database, const Hash128& place, std::string_view key,
                    std::int64_t window_ms) {
    services_ = &services;
    database_ = &database;
    if (!touched_.add(place, key, window_ms)) {
        const std::int64_t now = services.now_ms();
        if (now - warned_ms_ < 10'000) return;
        warned_ms_ = now;
        log::warn("limit-count: more keys than can be synchronised in one interval ({}); the rest follows later",
                  touched_.size());
    }
    if (!armed_) arm();
}

void Delayed::arm() {
    Task<void> work = run(shared_from_this());
    armed_ = services_->later(interval_, std::move(work));
}

// Resumes whoever waits for the last lane.
struct Delayed::LanesDone {
    Delayed& owner;
    bool await_ready() const noexcept { return owner.lanes_ == 0; }
    void await_suspend(std::coroutine_handle<> who) const noexcept { owner.waiting_ = who; }
    void await_resume() const noexcept {}
};

Task<void> Delayed::run(std::shared_ptr<Delayed> self) {
    self->told_.clear();
    std::swap(self->touched_, self->told_);
    self->next_ = 0;
    self->unreachable_ = false;
    self->lanes_ = std::min(most_lanes, self->told_.size());
    for (std::size_t left = self->lanes_; left > 0; --left) spawn(lane(self));
    LanesDone done{*self};
    co_await done;
    self->armed_ = false;
    if (self->dropped_) co_return;
    for (; self->next_ < self->told_.size(); ++self->next_) {
        const TouchedKeys::Key& key = self->told_[self->next_];
        self->touched_.add(key.place, self->told_.text_of(key), key.window_ms);
    }
    if (self->touched_.size() > 0) self->arm();
}

Task<void> Delayed::lane(std::shared_ptr<Delayed> self) {
    while (!self->unreachable_ && self->next_ < self->told_.size()) {
        Task<void> one = self->tell(self->told_[self->next_++]);
        co_await one;
    }
    if (--self->lanes_ == 0 && self->waiting_) std::exchange(self->waiting_, nullptr).resume();
}

// The cell may become another key's while Redis is asked, so it is looked up again.
Task<void> Delayed::tell(TouchedKeys::Key key) {
    shm::Cell* cell = find(key.place);
    if (!cell) co_return;
    const std::string text(told_.text_of(key));
    const QuotaCopy::Untold untold = QuotaCopy(*cell).take_untold(key.window_ms, sliding_, services_->now_ms());
    if (untold.amount == 0 && !QuotaCopy(*cell).failing()) co_return;
    RemoteSum sum;
    if (untold.amount == 0) {
        sum = co_await probe_remote(*database_, text);
    } else {
        const RemoteDelta delta{text, key.window_ms, sliding_, untold.amount, untold.end_ms};
        sum = co_await add_remote(*database_, delta);
    }
    cell = find(key.place);
    if (!cell) co_return;
    QuotaCopy copy(*cell);
    copy.set_failing(!sum.failure.empty());
    if (!sum.failure.empty()) {
        if (untold.amount > 0) copy.give_back(untold);
        unreachable_ = unreachable_ || !sum.answered;
        if (!dropped_) touched_.add(key.place, text, key.window_ms);
        note_failure(sum.failure);
    } else if (untold.amount > 0) {
        const std::int64_t now = services_->now_ms();
        copy.renew({sum.consumed, 0, sliding_ ? untold.end_ms : now + sum.left_ms}, key.window_ms, sliding_, now);
    }
}

Task<RemoteCount> Delayed::synchronise(Exchange& exchange, redis::Database& database, const DelayedLimit& limit) {
    Services& services = exchange.services();
    const std::int64_t window = limit.remote.window_ms;
    const QuotaCopy::Untold untold = QuotaCopy(*limit.cell).take_untold(window, sliding_, services.now_ms());
    RemoteCount result;
    if (untold.amount > 0) {
        const RemoteDelta delta{limit.remote.counter_key, window, sliding_, untold.amount, untold.end_ms};
        const RemoteSum sum = co_await add_remote(database, delta);
        result.failure = sum.failure;
    }
    const bool told = result.failure.empty();
    if (told) result = co_await take_remote(database, exchange, limit.remote);
    services_ = &services;
    shm::Cell* cell = find(limit.place);
    if (!cell) co_return result;
    QuotaCopy copy(*cell);
    copy.set_failing(!result.failure.empty());
    if (result.failure.empty()) {
        copy.renew(result.remote, window, sliding_, services.now_ms());
    } else {
        if (!told) copy.give_back(untold);
        touch(services, database, limit.place, limit.remote.counter_key, window);
        note_failure(result.failure);
    }
    co_return result;
}

shm::Cell* Delayed::find(const Hash128& place) const noexcept {
    shm::Tables* tables = services_->tables();
    if (!tables || !tables->table(shm::TableId::limit_count)) return nullptr;
    return tables->table(shm::TableId::limit_count).find(place, services_->now_ms());
}

void Delayed::note_failure(std::string_view why) const noexcept {
    log_store_failure("limit-count: Redis cannot be told, this machine counts alone", why, services_->now_ms());
}

}  // namespace gateway::plugins
