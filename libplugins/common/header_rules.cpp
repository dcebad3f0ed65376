#include "libplugins/common/header_rules.hpp"

#include <algorithm>

#include "libgateway/base/log.hpp"
#include "libgateway/base/strings.hpp"
#include "libgateway/config/rules.hpp"
#include "libplugins/common/escape.hpp"

namespace gateway::plugins {
namespace {

using config::Errors;
using Level = config::Errors::Level;

constexpr std::string_view name_pattern = "^[^:]+$", line_pattern = "^[^:]+:[^:]*[^/]$";

// The form {add, set, remove}, as opposed to one where a field happens to be called "set".
bool is_structured(const json::Value& headers) noexcept {
    for (const std::string_view key : {"add", "set", "remove"}) {
        const json::Value* member = headers.find(key);
        if (member && (member->is_object() || member->is_array())) return true;
    }
    return false;
}

void check_name(std::string_view name, Errors& errors) {
    if (name.empty()) return errors.add("invalid field length in header");
    if (!is_field_name(name)) errors.add("invalid field character in header");
}

void check_pattern(std::string_view text, std::string_view pattern, bool matches, Errors& errors) {
    if (matches) return;
    std::string message = "failed to match pattern \"";
    errors.add(message.append(pattern).append("\" with \"").append(text).append("\""));
}

void check_value(const json::Value& value, Errors& errors) {
    if (is_scalar(value)) return;
    if (!value.is_array())
        return errors.add("wrong type: expected one of <string, number, array>, got " +
                          std::string(config::reference_type(value)));
    if (value.size() == 0) errors.add("expect array to have at least 1 items");
    for (std::size_t i = 0; i < value.items().size(); ++i) {
        if (is_scalar(value.items()[i])) continue;
        const Errors::Scope scope(errors, i, value.items()[i]);
        errors.add("wrong type: expected one of <string, number>, got " +
                   std::string(config::reference_type(value.items()[i])));
    }
}

void check_members(std::string_view key, const json::Value& members, Errors& errors) {
    const Errors::Scope scope(errors, Level::property, key, members);
    if (!members.is_object()) return config::wrong_type("object", members, errors);
    if (members.size() == 0) errors.add("expect object to have at least 1 properties");
    for (const json::Member& member : members.members()) {
        const Errors::Scope inner(errors, member.key, std::string(), member.value);
        check_name(member.key, errors);
        check_value(member.value, errors);
    }
}

void check_list(std::string_view key, const json::Value& list, AddForm form, Errors& errors) {
    const Errors::Scope scope(errors, Level::property, key, list);
    if (!list.is_array()) return config::wrong_type("array", list, errors);
    if (list.size() == 0) errors.add("expect array to have at least 1 items");
    for (std::size_t i = 0; i < list.items().size(); ++i) {
        const json::Value& item = list.items()[i];
        const Errors::Scope inner(errors, i, item);
        if (!item.is_string()) {
            config::wrong_type("string", item, errors);
            continue;
        }
        const std::string& text = item.string();
        const std::size_t colon = text.find(':');
        if (form == AddForm::members) {
            check_pattern(text, name_pattern, !text.empty() && colon == std::string::npos, errors);
            continue;
        }
        const bool matches = colon != std::string::npos && colon > 0 && colon + 1 < text.size() &&
                             text.find(':', colon + 1) == std::string::npos && text.back() != '/';
        check_pattern(text, line_pattern, matches, errors);
        if (matches && !is_field_name(trim(std::string_view(text).substr(0, colon)))) {
            errors.add("invalid field character in header");
        }
    }
}

void check_structured(const json::Value& headers, AddForm add_form, Errors& errors) {
    const Errors::Scope scope(errors, Level::property, "headers", headers);
    for (const json::Member& member : headers.members()) {
        if (member.key == "set" || (member.key == "add" && add_form == AddForm::members)) {
            check_members(member.key, member.value, errors);
        } else if (member.key == "add") {
            check_list(member.key, member.value, AddForm::lines, errors);
        } else if (member.key == "remove") {
            check_list(member.key, member.value, AddForm::members, errors);
        } else {
            errors.add_member(member.key, member.where, "additional properties forbidden, found " + member.key);
        }
    }
}

// The old form: every member is a field to set.
void check_flat(const json::Value& headers, Errors& errors) {
    const Errors::Scope scope(errors, "headers", std::string(), headers);
    for (const json::Member& member : headers.members()) {
        const Errors::Scope inner(errors, member.key, std::string(), member.value);
        if (!is_scalar(member.value)) {
            errors.add("invalid type as header value");
            continue;
        }
        check_name(member.key, errors);
        const std::string text = scalar_text(member.value);
        const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
        if (!printable) errors.add("invalid value character in header");
    }
}

bool is_framing(std::string_view name) noexcept {
    return iequals(name, "Content-Length") || iequals(name, "Transfer-Encoding");
}

}  // namespace

bool is_field_name(std::string_view name) noexcept {
    const auto allowed = [](char c) {
        constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
        return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || marks.find(c) != std::string_view::npos;
    };
    return !name.empty() && std::all_of(name.begin(), name.end(), allowed);
}

bool is_scalar(const json::Value& value) noexcept {
    return value.is_string() || value.is_number();
}

std::string scalar_text(const json::Value& value) {
    return value.is_number() ? value.number() : value.string();
}

void HeaderRules::check(const json::Value& headers, AddForm add_form, Errors& errors) {
    if (headers.is_null()) return;
    if (headers.is_object() && headers.size() > 0) {
        return is_structured(headers) ? check_structured(headers, add_form, errors) : check_flat(headers, errors);
    }
    const Errors::Scope scope(errors, Level::property, "headers", headers);
    if (!headers.is_object() && headers.size() > 0) return config::wrong_type("object", headers, errors);
    if (!headers.is_object() && !headers.is_array()) return config::wrong_type("object", headers, errors);
    errors.add("expect object to have at least 1 properties");
}

HeaderRules::HeaderRules(const json::Value& headers, AddForm add_form) {
    if (!headers.is_object()) return;
    const bool structured = is_structured(headers);
    read_members(structured ? headers.find("set") : &headers, set_);
    only_sets_fixed_ = std::all_of(set_.begin(), set_.end(), [](const Rule& rule) {
        return rule.values.size() == 1 && rule.values[0].text.constant() && !rule.values[0].fixed.empty();
    });
    if (!structured) return;
    if (add_form == AddForm::members) {
        read_members(headers.find("add"), add_);
    } else {
        read_lines(headers.find("add"));
    }
    if (const json::Value* remove = headers.find("remove")) {
        for (const json::Value& name : remove->items()) remove_.emplace_back(name.string());
    }
    only_sets_fixed_ = only_sets_fixed_ && add_.empty() && remove_.empty();
}

HeaderRules::Rule HeaderRules::rule_of(std::string_view name, const json::Value& value) {
    Rule rule(name);
    if (!value.is_array()) {
        rule.values.push_back(text_of(scalar_text(value)));
        return rule;
    }
    for (const json::Value& item : value.items()) rule.values.push_back(text_of(scalar_text(item)));
    return rule;
}

HeaderRules::Text HeaderRules::text_of(const std::string& text) {
    Text made{expr::Template(text), {}};
    Arena arena;
    if (made.text.constant()) made.fixed = field_value(made.text.text(), arena);
    return made;
}

void HeaderRules::read_members(const json::Value* members, std::vector<Rule>& to) {
    if (!members) return;
    for (const json::Member& member : members->members()) {
        if (!is_framing(member.key)) to.push_back(rule_of(member.key, member.value));
    }
}

void HeaderRules::read_lines(const json::Value* lines) {
    if (!lines) return;
    for (const json::Value& line : lines->items()) {
        const std::string_view text = line.string();
        const std::size_t colon = text.find(':');
        const std::string_view name = trim(text.substr(0, colon));
        if (!is_framing(name)) add_.push_back(rule_of(name, json::Value(trim(text.substr(colon + 1)))));
    }
}

void HeaderRules::apply_all(http::Fields& fields, const expr::VariableSource& source, Arena& arena,
                            std::span<const std::string_view> captures) const {
    bool fits = true;
    const auto expand = [&](const Text& value) -> std::string_view {
        if (value.text.constant()) return value.fixed;
        return field_value(value.text.expand(source, arena, captures).text, arena);
    };
    for (const Rule& rule : add_) {
        for (const Text& value : rule.values) fits &= fields.add(rule.name, expand(value), rule.id);
    }
    for (const Rule& rule : set_) {
        const std::string_view first = rule.values.size() == 1 ? expand(rule.values[0]) : std::string_view();
        if (first.empty()) fields.remove(rule.name, rule.id);
        if (!first.empty()) fits &= fields.set(rule.name, first, rule.id);
        if (rule.values.size() == 1) continue;
        for (const Text& value : rule.values) fits &= fields.add(rule.name, expand(value), rule.id);
    }
    for (const Rule& rule : remove_) fields.remove(rule.name, rule.id);
    if (!fits) no_room();
}

void HeaderRules::no_room() {
    log::error("no room for more header fields; some that a plugin adds are left out");
}

}  // namespace gateway::plugins
