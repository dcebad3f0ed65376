#include "libgateway/sources/scalar_text.hpp"

namespace gateway::sources {

namespace {

bool continues(char c) noexcept {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// The end of a quoted scalar that begins `text`, its closing quote included; 0 if it does not end on this line.
std::size_t quoted_size(std::string_view text) noexcept {
    const char quote = text[0];
    for (std::size_t i = 1; i < text.size() && text[i] != '\n'; ++i) {
        if (quote == '"' && text[i] == '\\') {
            ++i;
        } else if (text[i] == quote) {
            const bool doubled = quote == '\'' && i + 1 < text.size() && text[i + 1] == quote;
            if (!doubled) return i + 1;
            ++i;
        }
    }
    return 0;
}

// Whether `before`, all of a file up to a scalar, ends with the head of a block scalar ("key: >-", perhaps a comment
// behind it), so that quotes would become a part of its text.
bool ends_with_block_head(std::string_view before) noexcept {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t line_end = before.find_last_of('\n');
    if (line_end == before.npos || before.find_first_not_of(blanks, line_end) != before.npos) return false;
    const std::size_t last = before.find_last_not_of(blanks);
    if (last == before.npos) return false;
    std::string_view line = before.substr(0, last + 1);
    line.remove_prefix(line.find_last_of('\n') + 1);
    if (const std::size_t comment = line.find(" #"); comment != line.npos) line = line.substr(0, comment);
    const std::size_t head = line.find_last_of("|>");
    return head != line.npos && line.find_first_not_of("+-0123456789 \t", head + 1) == line.npos &&
           (head == 0 || line[head - 1] == ' ' || line[head - 1] == '\t');
}

}  // namespace

ScalarText::ScalarText(std::string_view text) : text_(text), lines_{0} {
    for (std::size_t at = 0; (at = text.find('\n', at)) != text.npos;) lines_.push_back(++at);
}

// Columns count characters, not bytes.
std::optional<std::size_t> ScalarText::offset_of(json::Position where) const {
    if (where.line == 0 || where.column == 0 || where.line > lines_.size()) return std::nullopt;
    std::size_t at = lines_[where.line - 1];
    for (std::uint32_t column = 1; column < where.column; ++column) {
        if (at >= text_.size() || text_[at] == '\n') return std::nullopt;
        do ++at;
        while (at < text_.size() && continues(text_[at]));
    }
    if (at >= text_.size()) return std::nullopt;
    return at;
}

std::optional<ScalarRange> ScalarText::find(json::Position where, std::string_view value) const {
    const auto begin = offset_of(where);
    if (!begin) return std::nullopt;
    const std::string_view rest = text_.substr(*begin);
    if (rest[0] == '"' || rest[0] == '\'') {
        const std::size_t size = quoted_size(rest);
        if (size == 0) return std::nullopt;
        return ScalarRange{*begin, *begin + size, rest[0]};
    }
    if (value.empty() || value.find('\n') != value.npos || !rest.starts_with(value)) return std::nullopt;
    if (ends_with_block_head(text_.substr(0, *begin))) return std::nullopt;
    return ScalarRange{*begin, *begin + value.size(), '"'};
}

}  // namespace gateway::sources
