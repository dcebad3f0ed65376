// What the gateway adds to, decides about and writes of every response head, whoever made the answer.
#pragma once

#include "libgateway/base/task.hpp"
#include "libgateway/proxy/exchange_state.hpp"

namespace gateway::proxy {

// header_filter of the global and the route's chain.
Task<Verdict> filter_head(ProxyExchange& exchange);

// Decides framing and persistence, serialises the head and queues it on exchange.to_client. False: there is no body to
// send.
bool queue_response_head(ProxyExchange& exchange);

// Adds the list of upstream statuses where the settings or a 5xx ask for it.
void add_upstream_status(ProxyExchange& exchange);
// A charset for text without one.
void add_charset(ProxyExchange& exchange);

}  // namespace gateway::proxy
