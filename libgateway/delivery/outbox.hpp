// Log entries on their way out of a worker: gathered into batches, delivered beside the traffic, tried again, bounded.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/clock.hpp"
#include "libgateway/delivery/dispatch.hpp"
#include "libgateway/delivery/sender.hpp"

namespace gateway::delivery {

struct OutboxLimits {
    std::string name;  // in messages and in the metric
    std::size_t batch_max_size = 1000;
    Milliseconds inactive_timeout{5000}, buffer_duration{60000}, retry_delay{1000};
    std::uint32_t max_retry_count = 0;
};

// Entries of all outboxes of one kind of logger in one worker; the bound on what waits is theirs together.
struct OutboxCounts {
    std::uint64_t pushed = 0, processed = 0, discarded = 0;
    std::size_t bytes = 0;     // of what waits
    std::int64_t told_ms = 0;  // the last line about discarded entries
    telemetry::Series* dropped = nullptr;
};

// One per configured logger and worker. Held by the logger and by whatever it has under way, so that entries survive a
// change of the configuration. One thread.
class Outbox : public std::enable_shared_from_this<Outbox> {
public:
    // `counts` and `dispatch` must outlive it.
    static std::shared_ptr<Outbox> make(Dispatch& dispatch, OutboxLimits limits, std::unique_ptr<Sender> sender,
                                        OutboxCounts& counts);
    ~Outbox();
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;

    // All entries of one kind that wait in a worker.
    static constexpr std::size_t most_bytes = 64u << 20;

    // Takes a copy, or discards the entry if `most_pending` entries or `most_bytes` of this kind wait already. Never
    // waits.
    void push(std::string_view entry, std::size_t most_pending);
    // Where the number of entries in the open batch is shown; null: nowhere.
    void show_waiting(telemetry::Series* gauge) noexcept { waiting_ = gauge; }
    bool busy() const noexcept { return active_ > 0 || !ready_.empty() || !open_.empty(); }
    // Delivers what it has now.
    void flush();

private:
    friend class Dispatch;
    static constexpr unsigned most_active = 8;  // deliveries at a time

    Outbox(Dispatch& dispatch, OutboxLimits limits, std::unique_ptr<Sender> sender, OutboxCounts& counts);
    // Looks again after `inactive_timeout` whether the open batch has waited long enough.
    void watch();
    void look();
    static Task<void> deliver(std::shared_ptr<Outbox> self, Batch batch);
    Task<bool> try_once(Batch& batch);
    void discard(std::size_t most_pending);
    void start_ready();
    void count_dropped(std::size_t entries) noexcept;
    void show() noexcept;

    Dispatch& dispatch_;
    const OutboxLimits limits_;
    std::unique_ptr<Sender> sender_;
    OutboxCounts& counts_;
    telemetry::Series* waiting_ = nullptr;
    Batch open_;
    std::deque<Batch> ready_;
    std::vector<Batch> spare_;
    std::int64_t first_ms_ = 0, last_ms_ = 0;  // of the open batch
    unsigned active_ = 0;
    struct Deadline : net::DeadlineNode {
        explicit Deadline(Outbox& owner) noexcept
            : DeadlineNode([](DeadlineNode& node) { static_cast<Deadline&>(node).outbox.look(); }), outbox(owner) {}
        Outbox& outbox;
    };
    Deadline deadline_{*this};
    std::shared_ptr<Outbox> kept_;                  // itself, while something may be open
    Outbox *next_ = nullptr, *previous_ = nullptr;  // in Dispatch
};

}  // namespace gateway::delivery
