// PROXY protocol v1 and v2, inbound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gateway::http {

struct ProxyHeader {
    std::string source, destination;  // addresses as text; empty for UNKNOWN / LOCAL
    std::uint16_t source_port = 0, destination_port = 0;
};
enum class ProxyHeaderState : std::uint8_t { need_more, complete, failed };
struct ProxyHeaderResult {
    ProxyHeaderState state = ProxyHeaderState::need_more;
    std::size_t consumed = 0;
};
ProxyHeaderResult parse_proxy_header(std::string_view bytes, ProxyHeader& header);

}  // namespace gateway::http
