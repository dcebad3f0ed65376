#include "libplugins/common/json_text.hpp"

#include <cstdint>
#include <cstring>

#include "libgateway/base/utf8.hpp"

namespace gateway::plugins {
namespace {

void append_escape(std::string& out, char c) {
    static constexpr std::string_view digits = "0123456789abcdef";
    switch (c) {
        case '"':
        case '\\':
            out.append(1, '\\').append(1, c);
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            out += "\\u00";
            out += digits[static_cast<unsigned char>(c) >> 4];
            out += digits[static_cast<unsigned char>(c) & 15];
    }
}

bool is_plain(char c) noexcept {
    return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7F && c != '"' && c != '\\';
}

// Whether all eight bytes of the word are plain.
bool all_plain(std::uint64_t word) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101u, tops = 0x80 * ones;
    const auto has = [](std::uint64_t in, unsigned char byte) {
        const std::uint64_t zero = in ^ (byte * ones);
        return (zero - ones) & ~zero;
    };
    const std::uint64_t control = (word - 0x20 * ones) & ~word;
    return ((word | control | has(word, '"') | has(word, '\\') | has(word, 0x7F)) & tops) == 0;
}

// Most of what is logged is plain: eight bytes at a time.
std::size_t plain_length(std::string_view text) noexcept {
    std::size_t at = 0;
    for (std::uint64_t word = 0; text.size() - at >= sizeof word; at += sizeof word) {
        std::memcpy(&word, text.data() + at, sizeof word);
        if (!all_plain(word)) break;
    }
    while (at < text.size() && is_plain(text[at])) ++at;
    return at;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const std::size_t plain = plain_length(text);
        out.append(text.substr(0, plain));
        text.remove_prefix(plain);
        if (text.empty()) break;
        const std::size_t size = utf8_length(text);
        if (size > 1) {
            out.append(text.substr(0, size));
        } else if (size == 1) {
            append_escape(out, text.front());
        } else {
            out += "\xEF\xBF\xBD";
        }
        text.remove_prefix(size == 0 ? 1 : size);
    }
    out += '"';
}

void append_json_name(std::string& out, std::string_view name) {
    if (!out.empty() && out.back() != '{') out += ',';
    append_json_string(out, name);
    out += ':';
}

}  // namespace gateway::plugins
