// The one place that turns a failed attempt into what the client gets and what the log says.
#pragma once

#include <cstdint>

#include "libgateway/telemetry/reason.hpp"

namespace gateway::proxy {

// Why an attempt, or the request itself, came to nothing.
enum class Failure : std::uint8_t {
    none,
    // of the upstream; another attempt may follow
    unresolved,       // no address for the node's name
    connect_refused,  // refused, unreachable
    connect_timeout,
    write_failed,
    send_timeout,
    closed,  // ended before a whole response head
    read_timeout,
    invalid,  // not a response
    // no attempt helps
    no_node_left,
    no_nodes,          // 503
    missing_upstream,  // 502: the upstream object does not exist
    no_upstream,       // 503: none configured
    retry_timeout,
    plugin,
    // of the client
    client_gone,
    client_slow,     // 408
    client_broken,   // 400: its body is not what its head announced
    body_too_large,  // 413
};

struct FailureReply {
    unsigned status;
    telemetry::EndReason reason;
};
FailureReply reply_to(Failure failure) noexcept;

constexpr bool is_timeout(Failure failure) noexcept {
    return failure == Failure::connect_timeout || failure == Failure::send_timeout || failure == Failure::read_timeout;
}
constexpr bool is_before_sending(Failure failure) noexcept {
    return failure == Failure::unresolved || failure == Failure::connect_refused || failure == Failure::connect_timeout;
}
constexpr bool is_of_upstream(Failure failure) noexcept {
    return failure >= Failure::unresolved && failure <= Failure::invalid;
}

}  // namespace gateway::proxy
