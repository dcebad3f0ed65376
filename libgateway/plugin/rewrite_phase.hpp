// The phase in which it becomes known whom a request is made for: both scopes, authentication, the consumer's plugins.
#pragma once

#include "libgateway/plugin/chain.hpp"
#include "libgateway/plugin/consumer.hpp"

namespace gateway {

struct Merged {
    enum class Outcome : std::uint8_t {
        ok,
        no_group,  // 503: the consumer's group does not exist
        broken,    // 500: a plugin of the consumer or group cannot be built
    };
    Outcome outcome = Outcome::ok;
    Ref<const Chain> chain;  // if ok
};

// Runs `rewrite`: the global chain, then the route's up to the last auth plugin, then, with the consumer that is
// attached now, what is left. `chain` is the route's and becomes the merged one; what it holds at the end is what later
// phases run. `routed`: false for a request without a route, which global rules see alone. `respond` with
// exchange.merge_failed set: the consumer's plugins cannot be had.
Task<Verdict> run_rewrite(Exchange& exchange, const Chain& global, Ref<const Chain>& chain, bool routed);

}  // namespace gateway
