#include "libplugins/common/json_text.hpp"

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

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        std::size_t plain = 0;
        while (plain < text.size() && is_plain(text[plain])) ++plain;
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
