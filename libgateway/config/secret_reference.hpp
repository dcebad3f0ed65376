// References to secrets inside settings: `$env://NAME`, `$env://NAME/member`, `$secret://manager/id/name/key`.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "libgateway/json/value.hpp"

namespace gateway::config {

// Whether the text is a reference and not a value. The scheme `env` is read in any case.
bool is_secret_reference(std::string_view text) noexcept;

// The value it stands for, out of this process's environment; otherwise nothing, and why. Secret managers are not in
// this build: they never resolve.
std::optional<std::string> resolve_secret(std::string_view reference, std::string& why);

// Replaces every reference in `value`, at any depth. What does not resolve stays as it is and is told to `failed` with
// the dotted path of its field.
using SecretFailure = std::function<void(std::string_view reference, std::string_view field, std::string_view why)>;
void resolve_secrets(json::Value& value, const SecretFailure& failed);

// Whether any string in `value` is a reference.
bool has_secret_reference(const json::Value& value) noexcept;

}  // namespace gateway::config
