// Who the client is: the socket peer, or what a trusted peer says of it (config-file.md 6 of the specification).
#pragma once

#include <string_view>

#include "libgateway/proxy/exchange_state.hpp"

namespace gateway::proxy {

// Sets client, client_text, client_port and peer_text of the exchange.
void find_client(ProxyExchange& exchange);

// Text of an address in the arena, without any other allocation.
std::string_view address_text(const expr::Address& address, Arena& arena);

}  // namespace gateway::proxy
