#include "libgateway/sources/route_file.hpp"

#include <algorithm>

#include "libgateway/config/consumer_objects.hpp"
#include "libgateway/config/forms.hpp"
#include "libgateway/config/read_file.hpp"
#include "libgateway/config/static_config.hpp"
#include "libgateway/config/yaml_reader.hpp"
#include "libgateway/sources/document_reader.hpp"

namespace gateway::sources {

using config::Errors;
using config::Kind;
using config::Severity;
using json::Value;

namespace {

// `#END` and white space, within the last ten bytes.
bool has_end_marker(std::string_view text) noexcept {
    const std::string_view tail = text.substr(text.size() - std::min<std::size_t>(text.size(), 10));
    const std::size_t at = tail.rfind("#END");
    return at != tail.npos && tail.find_first_not_of(" \t\r\n\v\f", at + 4) == tail.npos;
}

// Parsed, with the environment's variables in it; nothing, and errors, if it is not good.
std::optional<Value> parse_file(std::string_view text, const RouteFileSettings& settings,
                                const config::Environment& environment, config::Diagnostics& diagnostics) {
    Errors errors;
    json::ParseFailure why;
    std::optional<Value> file;
    if (settings.json) {
        file = json::try_parse(text, why);
        if (file) config::substitute_values(*file, environment, errors);
    } else {
        const std::string substituted = config::substitute_text(text, environment, errors);
        if (errors.empty()) file = config::try_read_yaml(substituted, why);
    }
    diagnostics.add(errors, settings.path, "");
    if (!errors.empty()) return std::nullopt;
    if (!file) diagnostics.error(settings.path, why.where, "", "failed to parse the file: " + why.what);
    return file;
}

std::string id_expected(Kind kind) {
    if (kind == Kind::consumer) return "expected a username, or <username>/credentials/<id>";
    return "expected an id of 1 to 64 characters of a-z A-Z 0-9 - _ .";
}

}  // namespace

RouteFileResult parse_route_file(std::string_view text, const RouteFileSettings& settings, const CheckRules& rules,
                                 const config::Environment& environment, const Document& previous) {
    RouteFileResult result;
    if (settings.require_end_marker && !settings.json && !has_end_marker(text)) {
        result.diagnostics.error(settings.path, {}, "",
                                 "failed to parse the content of file " + settings.path +
                                     ": missing valid end flag in file " + settings.path);
        return result;
    }
    auto file = parse_file(text, settings, environment, result.diagnostics);
    if (file) read_document(*file, settings, rules, previous, result);
    result.diagnostics.sort();
    return result;
}

RouteFileResult read_route_file(const RouteFileSettings& settings, const CheckRules& rules,
                                const config::Environment& environment, const Document& previous) {
    std::string text;
    if (const int error = config::read_file(settings.path, text)) {
        RouteFileResult result;
        result.diagnostics.error(settings.path, {}, "",
                                 "cannot be read: " + config::why_unreadable(settings.path, error));
        return result;
    }
    return parse_route_file(text, settings, rules, environment, previous);
}

namespace {

struct Given {
    Kind kind;
    std::string_view id, file;
    const CheckRules& rules;
    const Exists& exists;
};

bool is_own_id(Kind kind, std::string_view id, const std::string& own) {
    const auto credential = kind == Kind::consumer ? config::credential_name(id) : std::nullopt;
    return own.empty() || own == id || (credential && own == credential->id);
}

std::optional<CheckedObject> check_value(const Given& given, Value value, config::Diagnostics& diagnostics) {
    const auto& [kind, id, file, rules, exists] = given;
    const std::string object = std::string(config::list_name(kind)) + "/" + std::string(id);
    const auto refuse = [&](json::Position where, std::string message) {
        diagnostics.error(given.file, where, object, std::move(message));
        return std::nullopt;
    };
    if (kind == Kind::settings || kind == Kind::plugins) return refuse({}, "objects of this kind cannot be put");
    if (!config::is_id_of(kind, id)) return refuse({}, id_expected(kind));
    if (!value.is_object()) return refuse(value.where, "wrong type: expected object");
    const std::string own = reference_of(value, "id");
    if (!is_own_id(kind, id, own)) return refuse(value.find("id")->where, "the object's own id is " + own);
    if (kind == Kind::consumer && value.find("username") && reference_of(value, "username") != id) {
        return refuse(value.find("username")->where, "wrong username");
    }
    CheckedObject result{value, std::move(value)};
    Value& checked = result.checked;
    if (kind == Kind::consumer && config::credential_name(id)) checked.set("id", Value(id));
    normalise_item(kind, checked);
    Errors errors, warnings;
    {
        const Errors::Scope scope(errors, "", "", checked);
        const Errors::Scope same(warnings, "", "", checked);
        if (rules.open_secrets) rules.open_secrets(kind, id, checked, warnings);
        check_item(kind, id, checked, rules, errors, warnings);
        std::string dangling = kind == Kind::consumer && errors.empty() ? dangling_consumer(id, checked, exists) : "";
        if (!dangling.empty()) errors.add(std::move(dangling));
        if (kind != Kind::consumer) check_references(kind, checked, exists, warnings);
    }
    diagnostics.add(errors, file, object);
    diagnostics.add(warnings, file, object, Severity::warning);
    if (!errors.empty()) return std::nullopt;
    return result;
}

}  // namespace

std::optional<CheckedObject> check_object(Kind kind, std::string_view id, std::string_view text, std::string_view file,
                                          const CheckRules& rules, const Exists& exists,
                                          config::Diagnostics& diagnostics) {
    const Given given{kind, id, file, rules, exists};
    json::ParseFailure why;
    // JSON is read far faster than YAML, but without lines: it serves where there is nothing to say.
    if (auto value = json::try_parse(text, why)) {
        config::Diagnostics none;
        auto checked = check_value(given, std::move(*value), none);
        if (none.list().empty()) return checked;
    }
    auto value = config::try_read_yaml(text, why);
    if (value) return check_value(given, std::move(*value), diagnostics);
    const std::string object = std::string(config::list_name(kind)) + "/" + std::string(id);
    diagnostics.error(file, why.where, object, "failed to parse the object: " + why.what);
    return std::nullopt;
}

ObjectPtr parse_object(Kind kind, std::string_view id, std::string_view text, std::string_view file,
                       const CheckRules& rules, const Document& current, config::Diagnostics& diagnostics) {
    const Exists exists = [&](Kind other, std::string_view name) { return current.find(other, name) != nullptr; };
    const auto checked = check_object(kind, id, text, file, rules, exists, diagnostics);
    if (!checked) return nullptr;
    const ObjectPtr old = current.find(kind, id);
    return make_object(kind, std::string(id), old ? old->order : current.next_order(kind),
                       json::write(checked->checked), checked->checked.where);
}

}  // namespace gateway::sources
