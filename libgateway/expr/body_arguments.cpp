#include "libgateway/expr/body_arguments.hpp"

#include <algorithm>

#include "libgateway/base/strings.hpp"
#include "libgateway/expr/query.hpp"

namespace gateway::expr {
namespace {

constexpr std::string_view form_type = "application/x-www-form-urlencoded";

bool starts_with_any_case(std::string_view text, std::string_view prefix) noexcept {
    return text.size() >= prefix.size() && iequals(text.substr(0, prefix.size()), prefix);
}
bool contains_any_case(std::string_view text, std::string_view part) noexcept {
    return std::search(text.begin(), text.end(), part.begin(), part.end(),
                       [](char a, char b) { return to_lower(a) == to_lower(b); }) != text.end();
}

// Value of `name=` among the parameters behind the first `;`, without quotes.
std::string_view parameter(std::string_view field, std::string_view name) noexcept {
    std::string_view found;
    const std::size_t first = field.find(';');
    if (first == std::string_view::npos) return {};
    for_each_item(field.substr(first + 1), ';', [&](std::string_view item) {
        const std::size_t equals = item.find('=');
        if (!found.empty() || equals == std::string_view::npos || !iequals(trim(item.substr(0, equals)), name)) return;
        found = trim(item.substr(equals + 1));
        if (found.size() >= 2 && found.front() == '"' && found.back() == '"') found = found.substr(1, found.size() - 2);
    });
    return found;
}

std::string_view take_line(std::string_view& text) noexcept {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    return line;
}

// Position of the next delimiter line at or behind `from`: `--boundary` at the start of a line.
std::size_t find_delimiter(std::string_view body, std::string_view boundary, std::size_t from) noexcept {
    for (std::size_t at = body.find("--", from); at != std::string_view::npos; at = body.find("--", at + 1)) {
        const bool line_start = at == 0 || body[at - 1] == '\n';
        if (line_start && body.substr(at + 2, boundary.size()) == boundary) return at;
    }
    return std::string_view::npos;
}

// Takes the head of a part; whether its disposition names it `name`.
bool take_part_head(std::string_view& part, std::string_view name) noexcept {
    bool wanted = false;
    while (!part.empty()) {
        const std::string_view line = take_line(part);
        if (line.empty()) return wanted;
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !iequals(line.substr(0, colon), "Content-Disposition")) continue;
        wanted = parameter(line.substr(colon + 1), "name") == name;
    }
    return false;
}

}  // namespace

bool find_part(std::string_view content_type, std::string_view body, std::string_view name,
               std::string_view& value) noexcept {
    const std::string_view boundary = parameter(content_type, "boundary");
    if (boundary.empty() || boundary.size() > 70) return false;  // RFC 2046, 5.1.1
    std::size_t at = find_delimiter(body, boundary, 0);
    while (at != std::string_view::npos) {
        const std::size_t behind = at + 2 + boundary.size();
        if (body.substr(behind, 2) == "--") return false;
        const std::size_t next = find_delimiter(body, boundary, behind);
        if (next == std::string_view::npos) return false;  // cut short
        std::string_view part = body.substr(behind, next - behind);
        take_line(part);
        if (take_part_head(part, name)) {
            if (!part.empty() && part.back() == '\n') part.remove_suffix(1);
            if (!part.empty() && part.back() == '\r') part.remove_suffix(1);
            value = part;
            return true;
        }
        at = next;
    }
    return false;
}

VariableValue read_body_argument(const Variable& variable, std::string_view content_type, std::string_view body,
                                 Arena& arena) {
    if (variable.kind == VariableKind::post_arg_form) {
        return starts_with_any_case(content_type, form_type) ? find_argument(body, variable.key, arena)
                                                             : VariableValue();
    }
    if (variable.kind != VariableKind::post_arg_path) return {};
    if (contains_any_case(content_type, "application/json")) return read_json(variable.path, body, arena);
    if (contains_any_case(content_type, form_type)) return find_argument(body, variable.key, arena);
    std::string_view part;
    if (contains_any_case(content_type, "multipart/form-data") && find_part(content_type, body, variable.key, part)) {
        return VariableValue::of(part);
    }
    return {};
}

}  // namespace gateway::expr
