// Counting of limit-count in Redis, for many machines together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libgateway/plugin/exchange.hpp"
#include "libgateway/redis/client.hpp"
#include "libgateway/shm/window.hpp"

namespace gateway::plugins {

struct RemoteLimit {
    std::string_view counter_key;  // alive until the decision is there
    std::uint64_t count;
    std::int64_t window_ms;
    bool sliding;
};
struct RemoteCount {
    shm::WindowCount count;
    std::string failure;  // empty: decided
};

// One request counted, decided by one script on one key.
Task<RemoteCount> take_remote(redis::Database& database, Exchange& exchange, const RemoteLimit& limit);

}  // namespace gateway::plugins
