#include "libgateway/config/forms.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "libgateway/base/strings.hpp"

namespace gateway::config {

namespace {

bool is_word(char c) noexcept {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
}

bool is_family(std::string_view text, int family) noexcept {
    char copy[INET6_ADDRSTRLEN + 1] = {};
    if (text.empty() || text.size() >= sizeof(copy) || text.find('\0') != text.npos) return false;
    std::memcpy(copy, text.data(), text.size());
    unsigned char address[16];
    return ::inet_pton(family, copy, address) == 1;
}

}  // namespace

bool is_object_id(std::string_view text) noexcept {
    const auto allowed = [](char c) { return is_word(c) || c == '-' || c == '_' || c == '.'; };
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), allowed);
}

bool is_plain_host(std::string_view text) noexcept {
    const auto allowed = [](char c) { return is_word(c) || std::strchr("-._[]:", c); };
    return !text.empty() && text.find('\0') == text.npos && std::all_of(text.begin(), text.end(), allowed);
}
bool is_host_pattern(std::string_view text) noexcept {
    return text == "*" || is_plain_host(text.starts_with('*') ? text.substr(1) : text);
}

bool is_ipv6(std::string_view text) noexcept {
    return is_family(text, AF_INET6);
}
bool is_address(std::string_view text) noexcept {
    return is_family(text, AF_INET) || is_ipv6(text);
}

bool is_network(std::string_view text) noexcept {
    const std::size_t slash = text.find('/');
    const std::string_view address = text.substr(0, slash);
    if (slash == text.npos) return is_address(address);
    const auto bits = parse_decimal<unsigned>(text.substr(slash + 1));
    return bits && ((is_family(address, AF_INET) && *bits <= 32) || (is_ipv6(address) && *bits <= 128));
}
bool is_trusted_source(std::string_view text) noexcept {
    return text == "unix:" || is_network(text);
}

bool has_no_blank(std::string_view text) noexcept {
    return !text.empty() && text.find_first_of(" \t\r\n\f\v") == text.npos;
}
bool is_lua_function(std::string_view text) noexcept {
    return text.starts_with("function");
}

}  // namespace gateway::config
