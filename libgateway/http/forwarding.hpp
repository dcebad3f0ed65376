// Which fields pass the gateway, and which it adds: hop-by-hop rules (RFC 9110, 7.6.1) and X-Forwarded-* (upstream.md
// 8).
#pragma once

#include <cstdint>
#include <string_view>

#include "libgateway/base/arena.hpp"
#include "libgateway/http/head.hpp"

namespace gateway::http {

// Removes Connection, Keep-Alive, Proxy-Connection, TE, Trailer, Transfer-Encoding, Upgrade, HTTP2-Settings and every
// field that Connection nominates. Call it directly after the head was parsed, before any plugin adds a field: a
// nomination then reaches only what its own sender sent, never an identity that the gateway vouches for. Not removed by
// nomination: Host and Content-Length (they say what the message is), X-Forwarded-*, X-Real-IP and Forwarded (an inner
// balancer's word would fall to the client's). A nominated Authorization or Cookie is dropped, so authentication fails
// closed.
void strip_hop_by_hop(Fields& fields) noexcept;

// Whether a field may be passed on as a trailer: not what frames, routes or authenticates the message (RFC
// 9110, 6.5.1).
bool may_be_trailer(std::string_view name) noexcept;

struct Trust {
    bool configured = false;   // `apisix.trusted_addresses` is set
    bool peer_inside = false;  // and the socket peer is one of them
};
struct ForwardedFacts {
    std::string_view client_address;  // after real-ip
    std::string_view peer_address;    // what is appended to X-Forwarded-For ("socket peer after real-ip")
    std::string_view scheme, host, port;
};
// The client's own values, for variables `original_x_forwarded_*`; views of the head before the change.
struct OriginalForwarded {
    std::string_view x_for, x_proto, x_host, x_port, forwarded;
};
// Sets X-Real-IP, X-Forwarded-For/-Proto/-Host/-Port, removes Forwarded, by the trust rules; a trusted peer's
// Forwarded, -Proto, -Host and -Port stay. New values live in `arena`. The table must have room for five more fields.
OriginalForwarded set_forwarded(Fields& fields, const Trust& trust, const ForwardedFacts& facts, Arena& arena);

}  // namespace gateway::http
