// From a request that may pass to a response head: pick, before_proxy, lease, send, wait; again where that is allowed.
#pragma once

#include "libgateway/base/task.hpp"
#include "libgateway/plugin/phase.hpp"
#include "libgateway/proxy/exchange_state.hpp"
#include "libgateway/proxy/failure_reply.hpp"

namespace gateway::proxy {

struct Forwarded {
    Failure failure = Failure::none;  // none: exchange.response is there, the lease is held, the body follows
    bool replied = false;             // a before_proxy hook answered: exchange.reply()
};
Task<Forwarded> forward(ProxyExchange& exchange);

// What the request body's way to the upstream waits for; shared with relay, since an answer may begin before it is
// through.
enum class UploadNeed : std::uint8_t {
    nothing,
    client_bytes,
    upstream_room,
    turn,  // nothing, but other connections should come first now
    failed,
};
// Moves as much as goes without waiting. `failure` is set when it returns `failed`.
UploadNeed step_upload(ProxyExchange& exchange, Failure& failure);

// Reads the whole request body into memory, at most `limit` bytes. none: request_body is valid; body_too_large: what
// was read is kept and goes out before the rest.
Task<Failure> collect_request_body(ProxyExchange& exchange, std::uint64_t limit);
// The same where a route's condition asks for the body; a larger one stays unbuffered, with a warning.
Task<Failure> collect_for_match(ProxyExchange& exchange);
// The same for plugins. A body larger than they asked for stays unbuffered; larger than the request may have: a
// failure.
Task<Failure> collect_for_plugins(ProxyExchange& exchange, std::uint64_t wanted);

}  // namespace gateway::proxy
