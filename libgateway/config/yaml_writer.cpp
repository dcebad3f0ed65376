#include "libgateway/config/yaml_writer.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "libgateway/base/strings.hpp"

namespace gateway::config {

namespace {

// What readers of YAML 1.1 take for something else than text.
constexpr std::array<std::string_view, 9> words{"y", "n", "yes", "no", "on", "off", "true", "false", "null"};

bool is_letter(char c) noexcept {
    return to_lower(c) >= 'a' && to_lower(c) <= 'z';
}

bool is_plain(std::string_view text) noexcept {
    if (text.empty() || text.size() > 100 || !(is_letter(text[0]) || text[0] == '/')) return false;
    const auto plain = [](char c) {
        return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '/';
    };
    if (!std::all_of(text.begin(), text.end(), plain)) return false;
    return std::none_of(words.begin(), words.end(), [&](std::string_view word) { return iequals(text, word); });
}

struct Escaped {
    std::string_view bytes, text;
};
// Characters that JSON lets stand and YAML does not: a byte order mark and the line ends of Unicode.
constexpr std::array marks{Escaped{"\xEF\xBB\xBF", "\\uFEFF"}, Escaped{"\xE2\x80\xA8", "\\u2028"},
                           Escaped{"\xE2\x80\xA9", "\\u2029"}, Escaped{"\x7F", "\\u007F"}};

void append_quoted(std::string& out, std::string_view text) {
    std::string quoted;
    json::append_quoted(quoted, text);
    for (std::string_view rest = quoted; !rest.empty();) {
        const auto mark = std::find_if(marks.begin(), marks.end(),
                                       [rest](const Escaped& one) { return rest.starts_with(one.bytes); });
        // U+0080 to U+009F are control characters too.
        const bool control = rest.size() > 1 && rest[0] == '\xC2' && static_cast<unsigned char>(rest[1]) < 0xA0;
        if (mark != marks.end()) {
            out += mark->text;
            rest.remove_prefix(mark->bytes.size());
        } else if (control) {
            constexpr std::string_view digits = "0123456789ABCDEF";
            const auto byte = static_cast<unsigned char>(rest[1]);
            out.append("\\u00").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
            rest.remove_prefix(2);
        } else {
            out += rest.front();
            rest.remove_prefix(1);
        }
    }
}

void append_text(std::string& out, std::string_view text) {
    if (is_plain(text)) {
        out += text;
    } else {
        append_quoted(out, text);
    }
}

// A number without a point before its exponent is a text to readers of YAML 1.1.
std::string number_text(std::string number) {
    const std::size_t exponent = number.find_first_of("eE");
    if (exponent == std::string::npos) return number;
    if (is_digit(number[exponent + 1])) number.insert(exponent + 1, "+");
    if (number.find('.') == std::string::npos) number.insert(exponent, ".0");
    return number;
}

// Readers look for the colon no further than 1024 characters ahead.
void append_key(std::string& out, std::string_view key, std::size_t indent) {
    constexpr std::size_t longest = 160;  // each character is six at most
    if (key.size() <= longest) return append_text(out, key);
    out += "? ";
    append_text(out, key);
    out.append("\n").append(indent, ' ');
}

void append_scalar(std::string& out, const json::Value& value) {
    if (value.is_string()) return append_text(out, value.string());
    if (value.is_number()) return void(out += number_text(value.number()));
    out += value.is_array()     ? "[]"
           : value.is_object()  ? "{}"
           : value.is_boolean() ? (value.boolean() ? "true" : "false")
                                : "null";
}

bool is_block(const json::Value& value) noexcept {
    return (value.is_array() || value.is_object()) && value.size() > 0;
}

// `out` stands where the block's first line begins, with its indentation written.
void append_block(std::string& out, const json::Value& value, std::size_t indent) {
    bool first = true;
    const auto begin_line = [&] {
        if (!first) out.append(indent, ' ');
        first = false;
    };
    for (const json::Value& item : value.items()) {
        begin_line();
        out += "- ";
        if (is_block(item)) {
            append_block(out, item, indent + 2);
        } else {
            append_scalar(out, item);
            out += '\n';
        }
    }
    for (const json::Member& member : value.members()) {
        begin_line();
        append_key(out, member.key, indent);
        out += ':';
        if (is_block(member.value)) {
            out.append("\n").append(indent + 2, ' ');
            append_block(out, member.value, indent + 2);
        } else {
            out += ' ';
            append_scalar(out, member.value);
            out += '\n';
        }
    }
}

}  // namespace

std::string write_yaml(const json::Value& value) {
    std::string out;
    if (is_block(value)) {
        append_block(out, value, 0);
    } else {
        append_scalar(out, value);
        out += '\n';
    }
    return out;
}

}  // namespace gateway::config
