// From a response head to the last byte at the client: filters, framing, back-pressure. Bodies stream; one block each
// way.
#pragma once

#include "libgateway/base/task.hpp"
#include "libgateway/proxy/exchange_state.hpp"
#include "libgateway/proxy/failure_reply.hpp"

namespace gateway::proxy {

// Reads of one body before other connections get their turn, if both sides are fast enough never to make it wait.
constexpr int reads_per_turn = 8;

// The upstream's response is in exchange.response and its body follows on the lease.
Task<void> relay_response(ProxyExchange& exchange);

// The gateway's own answer, exchange.reply(); filters run over it like over any other.
Task<void> reply_locally(ProxyExchange& exchange);

// Raw bytes both ways after a 101, until one side has ended and the other has taken all, or nothing moved for `idle`.
Task<void> tunnel(ProxyExchange& exchange, Milliseconds idle);

// What is left of the request on the client connection: read away if it is little. True: the connection can go on.
Task<bool> finish_request(ProxyExchange& exchange);

}  // namespace gateway::proxy
