#include "libgateway/expr/query.hpp"

#include "libgateway/base/strings.hpp"

namespace gateway::expr {
namespace {

bool escape_at(std::string_view text, std::size_t at) noexcept {
    return text[at] == '%' && at + 2 < text.size() && hex_value(text[at + 1]) >= 0 && hex_value(text[at + 2]) >= 0;
}

// The decoded character at `at`, which moves on.
char next_decoded(std::string_view text, std::size_t& at) noexcept {
    if (escape_at(text, at)) {
        const int value = hex_value(text[at + 1]) * 16 + hex_value(text[at + 2]);
        at += 3;
        return static_cast<char>(value);
    }
    const char c = text[at++];
    return c == '+' ? ' ' : c;
}

bool same_decoded(std::string_view raw, std::string_view name) noexcept {
    if (raw.size() < name.size()) return false;
    std::size_t at = 0;
    for (char c : name) {
        if (at == raw.size() || next_decoded(raw, at) != c) return false;
    }
    return at == raw.size();
}

}  // namespace

std::string_view decode_argument(std::string_view text, Arena& arena) {
    if (text.find_first_of("%+") == std::string_view::npos) return text;
    char* const out = arena.chars(text.size());
    char* end = out;
    for (std::size_t at = 0; at < text.size();) *end++ = next_decoded(text, at);
    return {out, static_cast<std::size_t>(end - out)};
}

VariableValue find_argument(std::string_view query, std::string_view name, Arena& arena) {
    while (!query.empty()) {
        const std::size_t end = query.find('&');
        const std::string_view pair = query.substr(0, end);
        const std::size_t equals = pair.find('=');
        if (!pair.empty() && same_decoded(pair.substr(0, equals), name)) {
            if (equals == std::string_view::npos) return VariableValue::boolean(true);
            return VariableValue::of(decode_argument(pair.substr(equals + 1), arena));
        }
        if (end == std::string_view::npos) break;
        query.remove_prefix(end + 1);
    }
    return {};
}

bool find_cookie(std::string_view field, std::string_view name, std::string_view& value) noexcept {
    bool found = false;
    for_each_item(field, ';', [&](std::string_view pair) {
        const std::size_t equals = pair.find('=');
        if (found || equals == std::string_view::npos || trim(pair.substr(0, equals)) != name) return;
        value = trim(pair.substr(equals + 1));
        found = true;
    });
    return found;
}

}  // namespace gateway::expr
