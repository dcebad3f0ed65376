#include "libgateway/config/secret_reference.hpp"

#include <cstdlib>

#include "libgateway/base/strings.hpp"

namespace gateway::config {

namespace {

constexpr std::string_view env_scheme = "$env://", secret_scheme = "$secret://";

bool is_env(std::string_view text) noexcept {
    return text.size() >= env_scheme.size() && iequals(text.substr(0, env_scheme.size()), env_scheme);
}

std::optional<std::string> member_of(const char* text, std::string_view member, std::string& why) {
    json::ParseFailure failure;
    const auto parsed = json::try_parse(text, failure);
    const json::Value* found = parsed ? parsed->find(member) : nullptr;
    if (found && found->is_string()) return found->string();
    if (found && found->is_number()) return found->number();
    why = parsed ? "the variable's JSON has no text member " + std::string(member) : "the variable holds no JSON";
    return std::nullopt;
}

std::optional<std::string> resolve_env(std::string_view path, std::string& why) {
    const std::size_t slash = path.find('/');
    const std::string name(path.substr(0, slash));
    const char* text = name.empty() ? nullptr : std::getenv(name.c_str());
    if (!text) {
        why = "environment variable is not set";
        return std::nullopt;
    }
    if (slash == path.npos) return std::string(text);
    return member_of(text, path.substr(slash + 1), why);
}

std::string below(std::string_view field, std::string_view name) {
    return field.empty() ? std::string(name) : std::string(field).append(".").append(name);
}

void resolve_below(json::Value& value, const std::string& field, const SecretFailure& failed) {
    if (value.is_string() && is_secret_reference(value.string())) {
        std::string why;
        const std::string reference = value.string();
        if (auto secret = resolve_secret(reference, why)) {
            const json::Position where = value.where;
            value = json::Value(std::move(*secret));
            value.where = where;
        } else if (failed) {
            failed(reference, field, why);
        }
    } else if (value.is_array()) {
        std::size_t at = 0;
        for (json::Value& item : value.make_array()) resolve_below(item, below(field, std::to_string(++at)), failed);
    } else if (value.is_object()) {
        for (json::Member& member : value.make_object()) resolve_below(member.value, below(field, member.key), failed);
    }
}

}  // namespace

bool is_secret_reference(std::string_view text) noexcept {
    return text.size() > 1 && text[0] == '$' && (is_env(text) || text.starts_with(secret_scheme));
}

std::optional<std::string> resolve_secret(std::string_view reference, std::string& why) {
    if (is_env(reference)) return resolve_env(reference.substr(env_scheme.size()), why);
    why = "no secret conf, secret_uri: " + std::string(reference);
    return std::nullopt;
}

void resolve_secrets(json::Value& value, const SecretFailure& failed) {
    resolve_below(value, {}, failed);
}

bool has_secret_reference(const json::Value& value) noexcept {
    if (value.is_string()) return is_secret_reference(value.string());
    for (const json::Value& item : value.items()) {
        if (has_secret_reference(item)) return true;
    }
    for (const json::Member& member : value.members()) {
        if (has_secret_reference(member.value)) return true;
    }
    return false;
}

}  // namespace gateway::config
