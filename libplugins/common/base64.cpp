#include "libplugins/common/base64.hpp"

#include <cstdint>

namespace gateway::plugins {
namespace {

constexpr int value_of(char c) noexcept {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// Decodes text without padding to `out`, which has room for 3 bytes per 4 begun; the end of what was written, or null.
char* decode(std::string_view text, char* out) noexcept {
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const int value = value_of(c);
        if (value < 0) return nullptr;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        if ((count += 6) < 8) continue;
        count -= 8;
        *out++ = static_cast<char>(bits >> count);
    }
    return out;
}

std::string_view without_padding(std::string_view text) noexcept {
    text.remove_suffix(text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0);
    return text;
}

}  // namespace

std::optional<std::string> decode_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::string out(text.size() / 4 * 3, '\0');
    const char* end = decode(without_padding(text), out.data());
    if (!end) return std::nullopt;
    out.resize(static_cast<std::size_t>(end - out.data()));
    return out;
}

std::optional<std::string_view> decode_base64(std::string_view text, Arena& arena) {
    const std::string_view bare = without_padding(text);
    if (bare.size() % 4 == 1) return std::nullopt;
    char* const begin = arena.chars(bare.size() / 4 * 3 + 3);
    const char* end = decode(bare, begin);
    if (!end) return std::nullopt;
    return std::string_view(begin, static_cast<std::size_t>(end - begin));
}

}  // namespace gateway::plugins
