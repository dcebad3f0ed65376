#include "libgateway/expr/template.hpp"

#include <algorithm>
#include <utility>

#include "libgateway/base/strings.hpp"

namespace gateway::expr {
namespace {

constexpr bool is_name_char(char c) noexcept {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '_' || c == '.';
}

struct Reference {
    std::string_view name, fallback;
    std::size_t size = 0;  // of the whole reference, `$` included; 0: none here
};

// `text` begins with `$`.
Reference read_reference(std::string_view text) noexcept {
    Reference out;
    if (text.size() > 1 && text[1] == '{') {
        const std::size_t close = text.find('}');
        if (close == std::string_view::npos) return out;
        const std::string_view inside = text.substr(2, close - 2);
        const std::size_t otherwise = inside.find("??");
        out.name = trim(inside.substr(0, otherwise));
        if (otherwise != std::string_view::npos) out.fallback = trim(inside.substr(otherwise + 2));
        out.size = out.name.empty() ? 0 : close + 1;
        return out;
    }
    std::size_t end = 1;
    while (end < text.size() && is_name_char(text[end])) ++end;
    out.name = text.substr(1, end - 1);
    out.size = out.name.empty() ? 0 : end;
    return out;
}

std::string_view join_items(std::span<const VariableValue> items, Arena& arena) {
    std::string_view out;
    for (const VariableValue& item : items) out = out.empty() ? item.plain() : arena.join(out, ",", item.plain());
    return out;
}

}  // namespace

Template::Template(std::string_view text) : text_(text) {
    Piece piece;
    while (!text.empty()) {
        const std::size_t dollar = std::min(text.find('$'), text.size());
        piece.literal += text.substr(0, dollar);
        text.remove_prefix(dollar);
        if (text.empty()) break;
        const bool escaped = !piece.literal.empty() && piece.literal.back() == '\\';
        const Reference reference = escaped ? Reference{} : read_reference(text);
        if (reference.size == 0) {
            piece.literal += '$';
            text.remove_prefix(1);
            continue;
        }
        piece.variable = compile_variable(reference.name);
        piece.fallback = reference.fallback;
        piece.capture = parse_decimal<int>(reference.name).value_or(-1);
        pieces_.push_back(std::exchange(piece, {}));
        ++variables_;
        text.remove_prefix(reference.size);
    }
    if (!piece.literal.empty()) pieces_.push_back(std::move(piece));
}

bool Template::needs_body() const noexcept {
    return std::any_of(pieces_.begin(), pieces_.end(), [](const Piece& piece) { return piece.variable.needs_body(); });
}

std::string_view Template::value_of(const Piece& piece, const VariableSource& source,
                                    std::span<const std::string_view> captures, Arena& arena, Expansion& out) const {
    if (piece.variable.name.empty()) return {};
    if (piece.capture >= 0) {
        const auto at = static_cast<std::size_t>(piece.capture);
        if (at >= captures.size()) return piece.fallback;
        ++out.resolved;
        return captures[at];
    }
    VariableValue value;
    if (!source.read(piece.variable, value)) return piece.fallback;
    ++out.resolved;
    return value.kind == ValueKind::list ? join_items(value.items, arena) : value.plain();
}

Expansion Template::expand(const VariableSource& source, Arena& arena,
                           std::span<const std::string_view> captures) const {
    Expansion out;
    if (constant()) {
        out.text = text_;
        return out;
    }
    const std::size_t bytes = pieces_.size() * sizeof(std::string_view);
    auto* const values = static_cast<std::string_view*>(arena.take(bytes, alignof(std::string_view)));
    std::size_t size = 0;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        ::new (values + i) std::string_view(value_of(pieces_[i], source, captures, arena, out));
        size += pieces_[i].literal.size() + values[i].size();
    }
    if (pieces_.size() == 1 && pieces_[0].literal.empty()) {
        out.text = values[0];
        return out;
    }
    char* const begin = arena.chars(size);
    char* end = begin;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        end += pieces_[i].literal.copy(end, pieces_[i].literal.size());
        end += values[i].copy(end, values[i].size());
    }
    out.text = {begin, size};
    return out;
}

}  // namespace gateway::expr
