// Small byte-string tools without locale and without allocation.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gateway {

constexpr char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
constexpr int hex_value(char c) noexcept {
    if (is_digit(c)) return c - '0';
    const char lower = to_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// ASCII case-insensitive equality, as header names and host names compare.
constexpr bool iequals(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t i = a.size(); i-- > 0;) {  // names that differ begin alike more often than they end alike
        if (to_lower(a[i]) != to_lower(b[i])) return false;
    }
    return true;
}
std::string to_lower(std::string_view text);

// Without blanks and tabs at both ends (optional white space of RFC 9110, 5.6.3).
constexpr std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// A whole decimal number without sign, blanks or rest; nothing if it does not fit.
template <class Int>
std::optional<Int> parse_decimal(std::string_view text) noexcept {
    Int value{};
    if (text.empty() || !is_digit(text.front())) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// Calls `each(part)` for every part between separators, trimmed; empty parts are left out (list rule of RFC
// 9110, 5.6.1).
template <class Each>
constexpr void for_each_item(std::string_view list, char separator, Each&& each) {
    while (!list.empty()) {
        const std::size_t at = list.find(separator);
        const std::string_view item = trim(list.substr(0, at));
        if (!item.empty()) each(item);
        if (at == std::string_view::npos) return;
        list.remove_prefix(at + 1);
    }
}

// The candidate nearest to `word` by edit distance (at most 1/3 of its length, at least 1), for "did you mean"; else
// empty.
std::string_view nearest(std::string_view word, const std::string_view* candidates, std::size_t count);
template <class Range>
std::string_view nearest(std::string_view word, const Range& candidates) {
    return nearest(word, std::data(candidates), std::size(candidates));
}

}  // namespace gateway
