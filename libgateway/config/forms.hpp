// Forms of text that objects and settings share: ids, host patterns, addresses. Each takes any bytes.
#pragma once

#include <string_view>

namespace gateway::config {

inline constexpr std::string_view host_pattern = R"(^\*$|^\*?[0-9a-zA-Z-._\[\]:]+$)";

bool is_object_id(std::string_view text) noexcept;     // 1 to 64 of a-z A-Z 0-9 - _ .
bool is_host_pattern(std::string_view text) noexcept;  // host_pattern
bool is_plain_host(std::string_view text) noexcept;    // the same without a leading star
bool is_address(std::string_view text) noexcept;       // IPv4 or IPv6, without brackets
bool is_ipv6(std::string_view text) noexcept;
bool is_network(std::string_view text) noexcept;         // address, or address/prefix within its length
bool is_trusted_source(std::string_view text) noexcept;  // network, or `unix:`
bool has_no_blank(std::string_view text) noexcept;       // ^\S+$
bool is_lua_function(std::string_view text) noexcept;    // ^function

}  // namespace gateway::config
