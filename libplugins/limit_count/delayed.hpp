// Delayed synchronisation of limit-count: decisions by what the machine knows, Redis told at intervals.
#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <string_view>

#include "libgateway/plugin/exchange.hpp"
#include "libgateway/redis/client.hpp"
#include "libplugins/limit_count/quota_copy.hpp"
#include "libplugins/limit_count/remote.hpp"
#include "libplugins/limit_count/touched_keys.hpp"

namespace gateway::plugins {

// One limit for one request, and where the machine's copy is.
struct DelayedLimit {
    RemoteLimit remote;
    Hash128 place;
    shm::Cell* cell;
};

// One per configured plugin and worker, held by the plugin and by whatever is under way: what is untold when the
// configuration is dropped is told at the end of the interval. One thread.
class Delayed : public std::enable_shared_from_this<Delayed> {
public:
    Delayed(double interval_s, bool sliding) noexcept;
    Delayed(const Delayed&) = delete;
    Delayed& operator=(const Delayed&) = delete;

    // Whether windows of that length can be counted so; others ask Redis each time.
    bool fits(std::int64_t window_ms) const noexcept { return window_ms > interval_.count(); }
    // By the copy, without waiting. `services` and `database` outlive this object.
    QuotaCopy::Decision decide(Services& services, redis::Database& database, const DelayedLimit& limit);
    // By Redis, where the copy is unknown; renews it. The references must live until the task has ended.
    Task<RemoteCount> synchronise(Exchange& exchange, redis::Database& database, const DelayedLimit& limit);
    // The plugin is gone: what cannot be told in the next interval is given up.
    void drop() noexcept { dropped_ = true; }

private:
    static constexpr std::size_t most_lanes = 8;  // commands at a time
    struct LanesDone;

    void touch(Services& services, redis::Database& database, const Hash128& place, std::string_view key,
               std::int64_t window_ms);
    void arm();
    static Task<void> run(std::shared_ptr<Delayed> self);
    static Task<void> lane(std::shared_ptr<Delayed> self);
    Task<void> tell(TouchedKeys::Key key);
    shm::Cell* find(const Hash128& place) const noexcept;
    void note_failure(std::string_view why) const noexcept;

    const Milliseconds interval_;
    const bool sliding_;
    bool armed_ = false, dropped_ = false;
    bool unreachable_ = false;  // found so in the synchronisation that is under way
    Services* services_ = nullptr;
    redis::Database* database_ = nullptr;
    TouchedKeys touched_, told_;
    std::size_t next_ = 0, lanes_ = 0;  // of told_
    std::coroutine_handle<> waiting_;
    std::int64_t warned_ms_ = 0;
};

}  // namespace gateway::plugins
