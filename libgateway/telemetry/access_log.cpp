#include "libgateway/telemetry/access_log.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "libgateway/base/strings.hpp"

namespace gateway::telemetry {

namespace {

constexpr std::size_t usual_line = 2048, longest_line = 64 * 1024;

constexpr bool is_name_char(char c) noexcept {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '_';
}

// Counts what does not fit instead of writing it.
class Writer {
public:
    Writer(char* out, std::size_t size) noexcept : out_(out), size_(size) {}
    void put(std::string_view text) noexcept {
        if (used_ < size_)
            std::memcpy(out_ + used_, text.data(), text.size() < size_ - used_ ? text.size() : size_ - used_);
        used_ += text.size();
    }
    std::size_t used() const noexcept { return used_; }

private:
    char* out_;
    std::size_t size_, used_ = 0;
};

void put_hex(Writer& writer, std::string_view prefix, char c) noexcept {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    const char pair[2] = {digits[byte >> 4], digits[byte & 15]};
    writer.put(prefix);
    writer.put({pair, 2});
}

bool is_plain(char c, LogEscape escape) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\' || byte < 0x20) return false;
    return escape == LogEscape::json ? byte < 0x80 : byte < 0x7f;
}

// Length of the well-formed UTF-8 sequence at the front, 0 if there is none (RFC 3629, 4).
std::size_t utf8_length(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    const unsigned first = byte(0);
    const std::size_t length = first < 0x80   ? 1
                               : first < 0xc2 ? 0
                               : first < 0xe0 ? 2
                               : first < 0xf0 ? 3
                               : first < 0xf5 ? 4
                                              : 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0u) != 0x80u) return 0;
    }
    const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
    const bool outside = (first == 0xed && byte(1) > 0x9f) || (first == 0xf4 && byte(1) > 0x8f);
    return overlong || outside ? 0 : length;
}

void put_json(Writer& writer, char c) noexcept {
    switch (c) {
        case '"':
            return writer.put("\\\"");
        case '\\':
            return writer.put("\\\\");
        case '\n':
            return writer.put("\\n");
        case '\r':
            return writer.put("\\r");
        case '\t':
            return writer.put("\\t");
        case '\b':
            return writer.put("\\b");
        case '\f':
            return writer.put("\\f");
        default:
            return put_hex(writer, "\\u00", c);
    }
}

// The first character or byte of `text`, escaped; returns how much of it that was. A line of JSON must stay valid, so
// bytes that are no UTF-8 become the replacement character.
std::size_t put_escaped(Writer& writer, std::string_view text, LogEscape escape) noexcept {
    const char c = text.front();
    if (escape == LogEscape::standard) {
        put_hex(writer, "\\x", c);
        return 1;
    }
    if (static_cast<unsigned char>(c) < 0x80) {
        put_json(writer, c);
        return 1;
    }
    const std::size_t length = utf8_length(text);
    writer.put(length == 0 ? std::string_view("\\ufffd") : text.substr(0, length));
    return length == 0 ? 1 : length;
}

void put_value(Writer& writer, std::string_view value, LogEscape escape) noexcept {
    if (escape == LogEscape::none) return writer.put(value);
    while (!value.empty()) {
        std::size_t plain = 0;
        while (plain < value.size() && is_plain(value[plain], escape)) ++plain;
        writer.put(value.substr(0, plain));
        value.remove_prefix(plain);
        if (!value.empty()) value.remove_prefix(put_escaped(writer, value, escape));
    }
}

}  // namespace

bool parse_log_escape(std::string_view text, LogEscape& escape) noexcept {
    if (text == "default") escape = LogEscape::standard;
    if (text == "json") escape = LogEscape::json;
    if (text == "none") escape = LogEscape::none;
    return text == "default" || text == "json" || text == "none";
}

AccessFormat::AccessFormat(std::string_view format, LogEscape escape) : escape_(escape) {
    while (!format.empty()) {
        const std::size_t dollar = format.find('$');
        if (dollar != 0) {
            pieces_.push_back({std::string(format.substr(0, dollar)), false, nullptr});
            format.remove_prefix(dollar == std::string_view::npos ? format.size() : dollar);
            continue;
        }
        const bool braced = format.substr(0, 2) == "${";
        const std::size_t begin = braced ? 2 : 1;
        std::size_t end = begin;
        while (end < format.size() && is_name_char(format[end])) ++end;
        if (end == begin) throw std::invalid_argument("access log format: \"$\" without a variable name");
        if (braced && (end == format.size() || format[end] != '}')) {
            throw std::invalid_argument("access log format: \"${\" without \"}\"");
        }
        pieces_.push_back({std::string(format.substr(begin, end - begin)), true, nullptr});
        format.remove_prefix(braced ? end + 1 : end);
    }
}

std::size_t AccessFormat::format(char* out, std::size_t size, Read read, void* source) const noexcept {
    Writer writer(out, size);
    for (const Piece& piece : pieces_) {
        if (!piece.variable) {
            writer.put(piece.text);
            continue;
        }
        std::string_view value;
        if (read(source, piece, value)) {
            put_value(writer, value, escape_);
        } else if (escape_ != LogEscape::json) {
            writer.put("-");
        }
    }
    writer.put("\n");
    return writer.used();
}

bool AccessFormat::write(LogRing& ring, Read read, void* source) const noexcept {
    const std::size_t longest = std::min(longest_line, ring.most());
    for (std::size_t room : {std::min(usual_line, longest), longest}) {
        char* const line = ring.reserve(room);
        if (!line) break;
        std::size_t size = format(line, room, read, source);
        if (size > room && room != longest) continue;
        if (size > room) {
            size = room;
            line[size - 1] = '\n';
        }
        ring.commit(size);
        return true;
    }
    ring.drop();
    return false;
}

}  // namespace gateway::telemetry
