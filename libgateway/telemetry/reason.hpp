// Why an exchange ended and on whose side: one code per ended request, counted in the metric page and written to the
// access log.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gateway::telemetry {

// Order and names are stable: they are an index into metric pages and a value in logs. New ones go before `count`.
enum class EndReason : std::uint8_t {
    completed,         // the whole answer was handed to the client
    client_gone,       // the client closed or reset before its answer was whole (499)
    client_timeout,    // request head or body did not come in time (408), or the client stopped reading
    client_error,      // malformed request (400, 417, 501, 505)
    head_too_large,    // 414, 431
    body_too_large,    // 413
    no_route,          // 404 without a match
    plugin_reply,      // a plugin answered instead of the upstream
    plugin_failed,     // a plugin gave up
    no_endpoint,       // no usable node (502, 503)
    upstream_connect,  // refused, unreachable, TLS or name resolution failed
    upstream_timeout,  // connect, send or read took too long (504)
    upstream_reset,    // the upstream closed or reset before its answer was whole
    upstream_invalid,  // the answer was no clear HTTP
    truncated,         // the head was out already when the answer failed, so the connection was cut
    tunnel_closed,     // an upgraded connection ended
    overload,          // shed by a limit of the gateway
    shutdown,          // ended by a stop of the worker
    internal,          // a fault of the gateway itself (500)
    count,
};

inline constexpr std::size_t reason_count = static_cast<std::size_t>(EndReason::count);

inline constexpr std::array<std::string_view, reason_count> reason_names{
    "completed",        "client_gone",      "client_timeout", "client_error",     "head_too_large",
    "body_too_large",   "no_route",         "plugin_reply",   "plugin_failed",    "no_endpoint",
    "upstream_connect", "upstream_timeout", "upstream_reset", "upstream_invalid", "truncated",
    "tunnel_closed",    "overload",         "shutdown",       "internal"};

constexpr std::string_view name_of(EndReason reason) noexcept {
    return reason < EndReason::count ? reason_names[static_cast<std::size_t>(reason)] : std::string_view("unknown");
}

}  // namespace gateway::telemetry
