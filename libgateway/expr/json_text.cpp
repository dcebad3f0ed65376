#include "libgateway/expr/json_text.hpp"

#include <cstdint>

#include "libgateway/base/strings.hpp"

namespace gateway::expr {
namespace {

constexpr int depth_limit = 500;

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Checks the grammar while it moves along.
class Checker {
public:
    explicit Checker(std::string_view text) noexcept : at_(text.data()), end_(text.data() + text.size()) {}
    bool whole() noexcept {
        blanks();
        if (!value(0)) return false;
        blanks();
        return at_ == end_;
    }

private:
    void blanks() noexcept {
        while (at_ != end_ && is_blank(*at_)) ++at_;
    }
    bool take(char c) noexcept {
        if (at_ == end_ || *at_ != c) return false;
        ++at_;
        return true;
    }
    bool word(std::string_view text) noexcept {
        if (static_cast<std::size_t>(end_ - at_) < text.size() || std::string_view(at_, text.size()) != text)
            return false;
        at_ += text.size();
        return true;
    }
    bool digits() noexcept {
        const char* from = at_;
        while (at_ != end_ && is_digit(*at_)) ++at_;
        return at_ != from;
    }
    bool number() noexcept {
        take('-');
        if (!take('0') && !digits()) return false;
        if (take('.') && !digits()) return false;
        if (at_ == end_ || to_lower(*at_) != 'e') return true;
        ++at_;
        if (!take('+')) take('-');
        return digits();
    }
    bool escape() noexcept {
        if (at_ == end_) return false;
        const char c = *at_++;
        if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
        for (int i = 0; i < 4; ++i, ++at_) {
            if (at_ == end_ || hex_value(*at_) < 0) return false;
        }
        return true;
    }
    bool string() noexcept {
        if (!take('"')) return false;
        while (at_ != end_) {
            const char c = *at_++;
            if (c == '"') return true;
            if (static_cast<unsigned char>(c) < 0x20 || (c == '\\' && !escape())) return false;
        }
        return false;
    }
    bool container(char close, bool object, int depth) noexcept {
        ++at_;
        blanks();
        if (take(close)) return true;
        for (;;) {
            blanks();
            if (object) {
                if (!string()) return false;
                blanks();
                if (!take(':')) return false;
                blanks();
            }
            if (!value(depth + 1)) return false;
            blanks();
            if (take(close)) return true;
            if (!take(',')) return false;
        }
    }
    bool value(int depth) noexcept {
        if (at_ == end_ || depth == depth_limit) return false;
        switch (*at_) {
            case '{':
                return container('}', true, depth);
            case '[':
                return container(']', false, depth);
            case '"':
                return string();
            case 't':
                return word("true");
            case 'f':
                return word("false");
            case 'n':
                return word("null");
            default:
                return number();
        }
    }
    const char* at_;
    const char* end_;
};

// Length of the string at the front, quotes included.
std::size_t string_size(std::string_view text) noexcept {
    std::size_t at = 1;
    while (text[at] != '"') at += text[at] == '\\' ? 2 : 1;
    return at + 1;
}

std::size_t value_size(std::string_view text) noexcept {
    if (text.front() == '"') return string_size(text);
    if (text.front() != '{' && text.front() != '[') {
        std::size_t at = 0;
        while (at < text.size() && !is_blank(text[at]) && text[at] != ',' && text[at] != '}' && text[at] != ']') ++at;
        return at;
    }
    std::size_t depth = 0;
    for (std::size_t at = 0;;) {
        const char c = text[at];
        if (c == '{' || c == '[') ++depth;
        if ((c == '}' || c == ']') && --depth == 0) return at + 1;
        at += c == '"' ? string_size(text.substr(at)) : 1;
    }
}

std::uint32_t hex4(const char* digits) noexcept {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 4 | static_cast<std::uint32_t>(hex_value(digits[i]));
    return value;
}

char* put_utf8(char* out, std::uint32_t code) noexcept {
    const auto tail = [&](unsigned shift) { *out++ = static_cast<char>(0x80 | (code >> shift & 0x3f)); };
    if (code < 0x80) {
        *out++ = static_cast<char>(code);
    } else if (code < 0x800) {
        *out++ = static_cast<char>(0xc0 | code >> 6);
        tail(0);
    } else if (code < 0x10000) {
        *out++ = static_cast<char>(0xe0 | code >> 12);
        tail(6), tail(0);
    } else {
        *out++ = static_cast<char>(0xf0 | code >> 18);
        tail(12), tail(6), tail(0);
    }
    return out;
}

// `text` begins behind `\u`; says how much of it was used.
std::uint32_t read_unicode(std::string_view text, std::size_t& used) noexcept {
    const std::uint32_t first = hex4(text.data());
    used = 4;
    if (first < 0xd800 || first > 0xdfff) return first;
    if (first < 0xdc00 && text.size() >= 10 && text[4] == '\\' && text[5] == 'u') {
        const std::uint32_t second = hex4(text.data() + 6);
        if (second >= 0xdc00 && second <= 0xdfff) {
            used = 10;
            return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        }
    }
    return 0xfffd;
}

}  // namespace

bool is_json(std::string_view text) noexcept {
    return Checker(text).whole();
}

std::string_view trim_json(std::string_view text) noexcept {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

std::string_view unquote_json(std::string_view text, Arena& arena) {
    text = text.substr(1, text.size() - 2);
    if (text.find('\\') == std::string_view::npos) return text;
    char* const begin = arena.chars(text.size());  // no escape is shorter than what it stands for
    char* out = begin;
    constexpr std::string_view letters = "bfnrt", meanings = "\b\f\n\r\t";
    while (!text.empty()) {
        const char c = text.front();
        text.remove_prefix(1);
        if (c != '\\') {
            *out++ = c;
            continue;
        }
        const char letter = text.front();
        text.remove_prefix(1);
        if (letter == 'u') {
            std::size_t used = 0;
            out = put_utf8(out, read_unicode(text, used));
            text.remove_prefix(used);
        } else {
            const std::size_t at = letters.find(letter);
            *out++ = at == std::string_view::npos ? letter : meanings[at];
        }
    }
    return {begin, static_cast<std::size_t>(out - begin)};
}

JsonChildren::JsonChildren(std::string_view container) noexcept {
    container = trim_json(container);
    if (container.empty() || (container.front() != '{' && container.front() != '[')) return;
    object_ = container.front() == '{';
    rest_ = trim_json(container.substr(1, container.size() - 2));
}

bool JsonChildren::next() noexcept {
    if (rest_.empty()) return false;
    const auto skip = [this](std::size_t size) {
        rest_.remove_prefix(size);
        while (!rest_.empty() && (is_blank(rest_.front()) || rest_.front() == ':' || rest_.front() == ',')) {
            rest_.remove_prefix(1);
        }
    };
    if (object_) {
        key_ = rest_.substr(0, string_size(rest_));
        skip(key_.size());
    }
    value_ = rest_.substr(0, value_size(rest_));
    skip(value_.size());
    return true;
}

}  // namespace gateway::expr
