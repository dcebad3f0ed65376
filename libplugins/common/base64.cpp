#include "libplugins/common/base64.hpp"

#include <cstdint>

namespace gateway::plugins {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

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

std::string_view encode_base64(std::string_view bytes, Arena& arena) {
    char* const out = arena.chars((bytes.size() + 2) / 3 * 4);
    char* at = out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const auto byte = [&](std::size_t k) -> std::uint32_t {
            return i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0;
        };
        const std::uint32_t bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        *at++ = alphabet[bits >> 18];
        *at++ = alphabet[bits >> 12 & 63];
        *at++ = i + 1 < bytes.size() ? alphabet[bits >> 6 & 63] : '=';
        *at++ = i + 2 < bytes.size() ? alphabet[bits & 63] : '=';
    }
    return {out, static_cast<std::size_t>(at - out)};
}

}  // namespace gateway::plugins
