#include "libgateway/config/environment.hpp"

#include <cstdlib>

#include "libgateway/base/strings.hpp"

namespace gateway::config {

namespace {

constexpr std::string_view opening = "${{", closing = "}}";

bool is_name(std::string_view text) noexcept {
    for (const char c : text) {
        if (!is_digit(c) && (to_lower(c) < 'a' || to_lower(c) > 'z') && c != '_') return false;
    }
    return !text.empty();
}

std::string missing_text(std::string_view name) {
    return "failed to handle configuration: can't find environment variable " + std::string(name);
}

// What stands between the braces; nothing if it is not a reference to a variable at all.
struct Reference {
    std::string_view name;
    std::optional<std::string_view> fallback;
};
std::optional<Reference> read_reference(std::string_view inside) noexcept {
    const std::size_t assign = inside.find(":=");
    Reference reference{trim(inside.substr(0, assign)), std::nullopt};
    if (assign != inside.npos) reference.fallback = trim(inside.substr(assign + 2));
    if (!is_name(reference.name)) return std::nullopt;
    return reference;
}

// Replaces references; `missing(name, offset)` is told about variables that are not there. True if anything was
// replaced.
template <class Missing>
bool replace(std::string_view text, const Environment& environment, std::string& out, Missing&& missing) {
    bool changed = false;
    std::size_t done = 0;
    for (std::size_t at; (at = text.find(opening, done)) != text.npos;) {
        const std::size_t end = text.find(closing, at + opening.size());
        if (end == text.npos) break;
        out.append(text, done, at - done);
        done = end + closing.size();
        const auto reference = read_reference(text.substr(at + opening.size(), end - at - opening.size()));
        const auto found = reference ? environment(std::string(reference->name)) : std::nullopt;
        if (found) {
            out += *found;
        } else if (reference && reference->fallback) {
            out += *reference->fallback;
        } else {
            if (reference) missing(reference->name, at);
            out.append(text, at, done - at);
            continue;
        }
        changed = true;
    }
    out.append(text, done);
    return changed;
}

bool in_comment(std::string_view text, std::size_t at) noexcept {
    const std::size_t line = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
    return trim(text.substr(line, at - line)).starts_with('#');
}

json::Position position_of(std::string_view text, std::size_t at) noexcept {
    json::Position where{1, 1};
    for (const char c : text.substr(0, at))
        where = c == '\n' ? json::Position{where.line + 1, 1} : json::Position{where.line, where.column + 1};
    return where;
}

std::string replace_in(const std::string& text, json::Position where, const Environment& environment, Errors& errors,
                       bool& changed) {
    std::string out;
    changed = replace(text, environment, out,
                      [&](std::string_view name, std::size_t) { errors.add_member({}, where, missing_text(name)); });
    return out;
}

void substitute_string(json::Value& value, const Environment& environment, Errors& errors) {
    if (value.string().find(opening) == std::string::npos) return;
    bool changed = false;
    std::string text = replace_in(value.string(), value.where, environment, errors, changed);
    if (!changed) return;
    const json::Position where = value.where;
    if (json::is_number_text(text)) {
        value = json::Value::number_from(std::move(text));
    } else if (text == "true" || text == "false") {
        value = text == "true";
    } else {
        value = std::move(text);
    }
    value.where = where;
}

}  // namespace

Environment process_environment() {
    return [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        return value ? std::optional<std::string>(value) : std::nullopt;
    };
}

std::string substitute_text(std::string_view text, const Environment& environment, Errors& errors) {
    std::string out;
    out.reserve(text.size());
    replace(text, environment, out, [&](std::string_view name, std::size_t at) {
        if (!in_comment(text, at)) errors.add_member({}, position_of(text, at), missing_text(name));
    });
    return out;
}

void substitute_values(json::Value& value, const Environment& environment, Errors& errors) {
    if (value.is_string()) {
        substitute_string(value, environment, errors);
    } else if (value.is_array()) {
        for (json::Value& item : value.make_array()) substitute_values(item, environment, errors);
    } else if (value.is_object()) {
        for (json::Member& member : value.make_object()) {
            bool changed = false;
            member.key = replace_in(member.key, member.where, environment, errors, changed);
            substitute_values(member.value, environment, errors);
        }
        json::drop_repeated_members(value);
    }
}

}  // namespace gateway::config
