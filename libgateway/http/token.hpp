// The token of RFC 9110, 5.6.2: what methods, field names and codings are made of.
#pragma once

#include <array>
#include <string_view>

#include "libgateway/base/strings.hpp"

namespace gateway::http {

namespace detail {

constexpr std::array<bool, 256> make_token_table() {
    std::array<bool, 256> table{};
    for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
    for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = true;
    for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = true;
    for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
    return table;
}
inline constexpr std::array<bool, 256> token_table = make_token_table();

}  // namespace detail

constexpr bool is_token_char(char c) noexcept {
    return detail::token_table[static_cast<unsigned char>(c)];
}

// False for the empty text.
constexpr bool is_token(std::string_view text) noexcept {
    for (char c : text) {
        if (!is_token_char(c)) return false;
    }
    return !text.empty();
}

}  // namespace gateway::http
