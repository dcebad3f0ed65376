// How an exchange went, gathered once for the plugins of the log phase.
#pragma once

#include <cstdint>
#include <string_view>

namespace gateway {

// Views live as long as the exchange.
struct ExchangeFacts {
    // Of the route as it was compiled: never used twice in one worker, so that what was worked out for it can be found
    // by it. 0: no route matched.
    std::uint64_t route_serial = 0;
    std::string_view route_id, route_name, service_id, service_name;
    std::string_view matched_uri;      // pattern; views the route
    std::string_view matched_host;     // wildcard pattern or host; empty: the route has no hosts
    std::string_view node;             // address of the endpoint that was tried last, without its port; empty: none
    std::string_view response_source;  // upstream, apisix (plugins, no route), nginx (failures of proxying); static

    unsigned status = 0;
    std::uint64_t request_length = 0, bytes_sent = 0;
    std::int64_t duration_us = 0;   // so far
    std::int64_t upstream_ms = -1;  // in all attempts; -1: there was none
};

}  // namespace gateway
