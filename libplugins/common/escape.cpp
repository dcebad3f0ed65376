#include "libplugins/common/escape.hpp"

namespace gateway::plugins {
namespace {

constexpr bool is_control(unsigned char c) noexcept {
    return c < 0x20 || c == 0x7f;
}

template <class Test>
std::string_view encode(std::string_view text, Arena& arena, Test&& must_go) {
    std::size_t count = 0;
    for (const char c : text) count += must_go(static_cast<unsigned char>(c));
    if (count == 0) return text;
    constexpr std::string_view digits = "0123456789ABCDEF";
    char* const begin = arena.chars(text.size() + 2 * count);
    char* out = begin;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (must_go(byte)) {
            *out++ = '%';
            *out++ = digits[byte >> 4];
            *out++ = digits[byte & 15];
        } else {
            *out++ = c;
        }
    }
    return {begin, static_cast<std::size_t>(out - begin)};
}

}  // namespace

std::string_view escape(std::string_view text, Escape what, Arena& arena) {
    if (what == Escape::raw) return encode(text, arena, [](unsigned char c) { return is_control(c) || c == ' '; });
    return encode(text, arena, [](unsigned char c) {
        return c <= ' ' || c >= 0x7f || c == '"' || c == '#' || c == '%' || c == '?';
    });
}

std::string_view field_value(std::string_view text, Arena& arena) {
    return encode(text, arena, [](unsigned char c) { return is_control(c) && c != '\t'; });
}

}  // namespace gateway::plugins
