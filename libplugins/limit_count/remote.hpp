// Counting of limit-count in Redis, for many machines together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libgateway/plugin/exchange.hpp"
#include "libgateway/redis/client.hpp"
#include "libgateway/shm/window.hpp"
#include "libplugins/limit_count/quota_copy.hpp"

namespace gateway::plugins {

struct RemoteLimit {
    std::string_view counter_key;  // alive until the decision is there
    std::uint64_t count;
    std::int64_t window_ms;
    bool sliding;
};
struct RemoteCount {
    shm::WindowCount count;
    QuotaCopy::Remote remote;  // what Redis has, this request included
    std::string failure;       // empty: decided
};

// One request counted, decided by one script on one key.
Task<RemoteCount> take_remote(redis::Database& database, Exchange& exchange, const RemoteLimit& limit);

// Requests that were admitted already.
struct RemoteDelta {
    std::string_view counter_key;  // alive until the answer is there
    std::int64_t window_ms;
    bool sliding;
    std::uint64_t amount;
    std::int64_t end_ms;  // of their window, if sliding
};
struct RemoteSum {
    std::uint64_t consumed = 0;  // with them, by everybody
    std::int64_t left_ms = 0;    // of a fixed window
    std::string failure;         // empty: counted
    bool answered = true;        // false: Redis said nothing
};
// Counts them without asking whether they may pass.
Task<RemoteSum> add_remote(redis::Database& database, const RemoteDelta& delta);
// Whether Redis answers about that key; nothing is changed.
Task<RemoteSum> probe_remote(redis::Database& database, std::string_view counter_key);

}  // namespace gateway::plugins
