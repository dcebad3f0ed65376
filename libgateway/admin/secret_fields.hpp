// Secrets of objects on their way in and out of the Admin API: encrypted in the store (Objects::write sees to
// it), open for checks and in GET.
#pragma once

#include <string>
#include <string_view>

#include "libgateway/config/delta.hpp"
#include "libgateway/json/value.hpp"
#include "libgateway/keyring/keyring.hpp"

namespace gateway::admin {

// Null stands for: encrypted fields are not in use.
using KeyringView = const keyring::Keyring*;

// Opens what is encrypted, in place; what no key reads stays as it is.
void open_secrets(config::Kind kind, std::string_view id, json::Value& item, KeyringView ring);
// Whether a text of JSON may hold secrets at all: most objects need not be parsed to be shown.
bool may_hold_secrets(config::Kind kind, std::string_view json) noexcept;

// Whether a private key of a certificate is encrypted still.
bool has_sealed_key(const json::Value& certificate);
// Private keys of certificates are never shown.
void hide_keys(config::Kind kind, json::Value& item);

}  // namespace gateway::admin
