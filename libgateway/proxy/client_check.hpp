// Client certificates, request by request: names that need one and paths that do not (tls.md 4.1 of the specification).
#pragma once

#include "libgateway/proxy/exchange_state.hpp"

namespace gateway::proxy {

// Of a request that came under TLS. False: refused, the answer is set.
bool admits_client(ProxyExchange& exchange);

}  // namespace gateway::proxy
