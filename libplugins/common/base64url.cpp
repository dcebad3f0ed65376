#include "libplugins/common/base64url.hpp"

#include <cstdint>

namespace gateway::plugins {
namespace {

constexpr int value_of(char c) noexcept {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

}  // namespace

std::optional<std::string_view> decode_base64url(std::string_view text, Arena& arena) {
    if (text.size() % 4 == 1) return std::nullopt;
    char* const begin = arena.chars(text.size() / 4 * 3 + 2);
    char* end = begin;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const int value = value_of(c);
        if (value < 0) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        if ((count += 6) < 8) continue;
        count -= 8;
        *end++ = static_cast<char>(bits >> count);
        bits &= (1u << count) - 1;
    }
    if (bits != 0) return std::nullopt;
    return std::string_view(begin, static_cast<std::size_t>(end - begin));
}

}  // namespace gateway::plugins
