// Which fields pass the gateway, and which it adds: hop-by-hop rules (RFC 9110, 7.6.1) and X-Forwarded-* (upstream.md 8).
#pragma once

#include <cstdint>
#include <string_view>

#include "libgateway/base/arena.hpp"
#include "libgateway/http/head.hpp"

namespace gateway::http {

// Removes hop-by-hop fields and those that Connection nominates. Never removed by nomination: Host, Content-Length,
// Transfer-Encoding decisions (already taken) and fields that authenticate the client to the gateway are handled by the caller.
void strip_hop_by_hop(Fields& fields) noexcept;

struct Trust {
    bool configured = false;  // `apisix.trusted_addresses` is set
    bool peer_inside = false; // and the socket peer is one of them
};
struct ForwardedFacts {
    std::string_view client_address;   // after real-ip
    std::string_view peer_address;     // what is appended to X-Forwarded-For ("socket peer after real-ip")
    std::string_view scheme, host, port;
};
// The client's own values, for variables `original_x_forwarded_*`; views of the head before the change.
struct OriginalForwarded {
    std::string_view x_for, x_proto, x_host, x_port, forwarded;
};
// Sets X-Real-IP, X-Forwarded-For/-Proto/-Host/-Port, removes Forwarded, by the trust rules. New values live in `arena`.
OriginalForwarded set_forwarded(Fields& fields, const Trust& trust, const ForwardedFacts& facts, Arena& arena);

}  // namespace gateway::http
