#include "libgateway/config/idle_objects.hpp"

#include <algorithm>

#include "libgateway/base/strings.hpp"

namespace gateway::config {

namespace {

bool is_word(char c) noexcept {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
}

}  // namespace

bool is_manager_uri(std::string_view text) noexcept {
    const std::size_t slash = text.find('/');
    const bool begins =
        slash != text.npos && slash > 1 && text[slash - 1] == ':' && text.substr(slash).starts_with("//");
    if (!begins) return false;
    const std::string_view host = text.substr(slash + 2);
    if (host.empty()) return false;
    if (is_word(host[0]) || host[0] == '.' || host[0] == '-') return true;
    const std::size_t end = host.find(']');
    if (host[0] != '[' || end == host.npos || end == 1) return false;
    return std::all_of(host.begin() + 1, host.begin() + static_cast<std::ptrdiff_t>(end),
                       [](char c) { return c == ':' || hex_value(c) >= 0; });
}

bool is_secret_manager(std::string_view name) noexcept {
    return name == "vault" || name == "aws" || name == "gcp";
}

std::optional<SecretName> secret_name(std::string_view object_id) noexcept {
    const std::size_t slash = object_id.find('/');
    if (slash == object_id.npos) return std::nullopt;
    const SecretName name{object_id.substr(0, slash), object_id.substr(slash + 1)};
    if (!is_secret_manager(name.manager) || !is_object_id(name.id)) return std::nullopt;
    return name;
}

SchemaTable secret_schema(std::string_view manager) {
    if (manager == "vault") return table_of(VaultManager::schema);
    if (manager == "aws") return table_of(AwsManager::schema);
    if (manager == "gcp") return table_of(GcpManager::schema);
    return {};
}

}  // namespace gateway::config
