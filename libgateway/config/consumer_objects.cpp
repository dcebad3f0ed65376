#include "libgateway/config/consumer_objects.hpp"

#include <algorithm>

#include "libgateway/config/idle_objects.hpp"

namespace gateway::config {

namespace {

constexpr std::string_view infix = "/credentials/";

}  // namespace

bool is_username(std::string_view text) noexcept {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

std::optional<CredentialName> credential_name(std::string_view object_id) noexcept {
    const std::size_t at = object_id.find(infix);
    if (at == object_id.npos) return std::nullopt;
    const CredentialName name{object_id.substr(0, at), object_id.substr(at + infix.size())};
    if (!is_username(name.username) || !is_object_id(name.id)) return std::nullopt;
    return name;
}

bool is_id_of(Kind kind, std::string_view id) noexcept {
    if (kind == Kind::consumer) return (is_username(id) && id.size() <= 256) || credential_name(id);
    return kind == Kind::secret ? secret_name(id).has_value() : is_object_id(id);
}

bool is_credential_object(const json::Value& item) noexcept {
    const json::Value* id = item.find("id");
    return !item.find("username") && id && id->string().find(infix) != std::string::npos;
}

void Consumer::check(const Consumer& consumer, Errors& errors) {
    if (consumer.id && *consumer.id != consumer.username) {
        errors.add_member("id", {}, "wrong username", "id, if written, must be the username");
    }
}

}  // namespace gateway::config
