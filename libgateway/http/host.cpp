#include "libgateway/http/host.hpp"

#include <array>
#include <cstdint>

#include "libgateway/base/strings.hpp"

namespace gateway::http {

namespace {

constexpr std::array<bool, 256> host_marks() {
    std::array<bool, 256> table{};
    for (std::size_t c = 0; c < table.size(); ++c) {
        const char lower = to_lower(static_cast<char>(c));
        table[c] = c < 128 && (is_digit(lower) || (lower >= 'a' && lower <= 'z'));
    }
    // A comma would look like two joined Host fields, a percent sign could hide any delimiter.
    for (char c : std::string_view("-._~!$&'()*+;=")) table[static_cast<unsigned char>(c)] = true;
    return table;
}
constexpr std::array<bool, 256> host_char = host_marks();

bool valid_port(std::string_view port) noexcept {
    return port.empty() || parse_decimal<std::uint16_t>(port).has_value();
}

bool valid_bracketed(std::string_view address) noexcept {
    bool colon = false;
    for (char c : address) {
        if (hex_value(c) < 0 && c != ':' && c != '.') return false;
        colon |= c == ':';
    }
    return colon;
}

}  // namespace

bool valid_authority(std::string_view authority) noexcept {
    if (authority.empty()) return false;
    if (authority.front() == '[') {
        const std::size_t close = authority.find(']');
        if (close == std::string_view::npos || !valid_bracketed(authority.substr(1, close - 1))) return false;
        const std::string_view rest = authority.substr(close + 1);
        return rest.empty() || (rest.front() == ':' && valid_port(rest.substr(1)));
    }
    std::size_t end = 0;
    while (end < authority.size() && host_char[static_cast<unsigned char>(authority[end])]) ++end;
    if (end == authority.size()) return true;
    return end > 0 && authority[end] == ':' && valid_port(authority.substr(end + 1));
}

std::string_view host_of(std::string_view authority, Arena& arena) {
    std::size_t digits = authority.size();
    while (digits > 0 && is_digit(authority[digits - 1])) --digits;
    if (digits > 0 && authority[digits - 1] == ':') authority = authority.substr(0, digits - 1);
    if (!authority.empty() && authority.back() == '.') authority.remove_suffix(1);
    if (authority.empty()) return "_";
    std::size_t upper = 0;
    while (upper < authority.size() && !(authority[upper] >= 'A' && authority[upper] <= 'Z')) ++upper;
    if (upper == authority.size()) return authority;
    char* lower = arena.chars(authority.size());
    for (std::size_t i = 0; i < authority.size(); ++i) lower[i] = to_lower(authority[i]);
    return {lower, authority.size()};
}

}  // namespace gateway::http
