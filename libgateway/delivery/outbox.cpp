#include "libgateway/delivery/outbox.hpp"

#include <algorithm>

#include "libgateway/base/log.hpp"

namespace gateway::delivery {

namespace {

// A batch that was once huge gives its memory back.
constexpr std::size_t kept_bytes = 1u << 20;
constexpr std::size_t most_spare = 2;

}  // namespace

std::shared_ptr<Outbox> Outbox::make(Dispatch& dispatch, OutboxLimits limits, std::unique_ptr<Sender> sender,
                                     OutboxCounts& counts) {
    return std::shared_ptr<Outbox>(new Outbox(dispatch, std::move(limits), std::move(sender), counts));
}

Outbox::Outbox(Dispatch& dispatch, OutboxLimits limits, std::unique_ptr<Sender> sender, OutboxCounts& counts)
    : dispatch_(dispatch),
      limits_(std::move(limits)),
      sender_(std::move(sender)),
      counts_(counts),
      next_(dispatch.first_) {
    if (next_) next_->previous_ = this;
    dispatch_.first_ = this;
}

Outbox::~Outbox() {
    (previous_ ? previous_->next_ : dispatch_.first_) = next_;
    if (next_) next_->previous_ = previous_;
}

void Outbox::show() noexcept {
    if (waiting_) telemetry::set(waiting_->cell(0), open_.size());
}

void Outbox::count_dropped(std::size_t entries) noexcept {
    if (counts_.dropped) telemetry::add(counts_.dropped->cell(0), entries);
}

void Outbox::discard(std::size_t most_pending) {
    ++counts_.discarded;
    count_dropped(1);
    const std::int64_t now = dispatch_.reactor.now_ms();
    if (counts_.told_ms != 0 && now - counts_.told_ms < 1000) return;
    counts_.told_ms = now;
    log::error(
        "max pending entries limit exceeded. discarding entry. total_pushed_entries: {} total_processed_entries: {} "
        "max_pending_entries: {} discarded_entries: {}",
        counts_.pushed, counts_.processed, most_pending, counts_.discarded);
}

void Outbox::push(std::string_view entry, std::size_t most_pending) {
    const bool full = counts_.pushed - counts_.processed >= most_pending || counts_.bytes + entry.size() > most_bytes;
    if (full) return discard(most_pending);
    ++counts_.pushed;
    counts_.bytes += entry.size();
    last_ms_ = dispatch_.reactor.now_ms();
    if (open_.empty()) first_ms_ = last_ms_;
    open_.add(entry);
    if (open_.size() >= limits_.batch_max_size || dispatch_.draining()) return flush();
    show();
    if (!kept_) watch();
}

void Outbox::flush() {
    if (open_.empty()) return;
    ready_.push_back(std::move(open_));
    open_ = Batch();
    if (!spare_.empty()) {
        open_ = std::move(spare_.back());
        spare_.pop_back();
    }
    show();
    start_ready();
}

void Outbox::start_ready() {
    while (active_ < most_active && !ready_.empty()) {
        Batch next = std::move(ready_.front());
        ready_.pop_front();
        ++active_;
        spawn(deliver(shared_from_this(), std::move(next)));
    }
}

void Outbox::watch() {
    kept_ = shared_from_this();
    dispatch_.reactor.arm(deadline_, limits_.inactive_timeout);
}

void Outbox::look() {
    const std::shared_ptr<Outbox> self = std::move(kept_);  // perhaps the last hold of it
    if (open_.empty()) return;
    const std::int64_t now = dispatch_.reactor.now_ms();
    const bool inactive = now - last_ms_ >= limits_.inactive_timeout.count();
    if (inactive || now - first_ms_ >= limits_.buffer_duration.count()) return flush();
    watch();
}

// True when nothing of the batch is left to do.
Task<bool> Outbox::try_once(Batch& batch) {
    Sent sent;
    try {
        Task<Sent> sending = sender_->send(batch);
        sent = co_await sending;
    } catch (const std::exception& error) {
        sent.error = error.what();
    }
    if (sent.error.empty()) {
        counts_.processed += batch.size();
        co_return true;
    }
    const std::size_t done = std::min(sent.first_failed, batch.size());
    counts_.processed += done;
    batch.drop_front(done);
    log::error("Batch Processor[{}] failed to process entries: {}", limits_.name, sent.error);
    co_return batch.empty();
}

Task<void> Outbox::deliver(std::shared_ptr<Outbox> self, Batch batch) {
    co_await self->dispatch_.reactor.yield();  // not within the request that filled the batch
    const OutboxLimits& limits = self->limits_;
    bool done = co_await self->try_once(batch);
    for (std::uint32_t retry = 0; !done && retry < limits.max_retry_count && !self->dispatch_.draining(); ++retry) {
        co_await self->dispatch_.reactor.sleep(limits.retry_delay);
        done = co_await self->try_once(batch);
    }
    if (!done) {
        log::error("Batch Processor[{}] exceeded the max_retry_count[{}] dropping the entries", limits.name,
                   limits.max_retry_count);
        self->counts_.processed += batch.size();
        self->count_dropped(batch.size());
    }
    self->counts_.bytes -= batch.bytes();
    batch.clear();
    if (batch.room() < kept_bytes && self->spare_.size() < most_spare) self->spare_.push_back(std::move(batch));
    --self->active_;
    self->start_ready();
}

}  // namespace gateway::delivery
