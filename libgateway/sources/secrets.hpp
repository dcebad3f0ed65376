// The secrets in objects: where they stand, how they are opened for use and masked for people.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "libgateway/config/delta.hpp"
#include "libgateway/config/errors.hpp"
#include "libgateway/json/value.hpp"
#include "libgateway/keyring/keyring.hpp"

namespace gateway::sources {

enum class SecretKind : std::uint8_t { plugin_field, private_key };
using ItemVisitor = std::function<void(const std::string& path, json::Value& text, SecretKind kind)>;

// Every text of an item of that list of a route file ("routes", …, "ssls") which is kept encrypted, with its dotted
// path: fields of plugins, private keys of certificates and of upstreams' clients, keys of managers of secrets.
// References to secrets are left out.
void each_item_secret(std::string_view list, std::string_view id, json::Value& item, const ItemVisitor& visit);

// Decrypts the fields of plugins in place. What no key reads stays: it is plain text, with a warning if it looks
// encrypted. What is in the gateway's own form cannot be plain: it becomes a reference that never resolves, so that a
// credential is left out and nobody gets in by showing the stored text. Of private keys only those of certificates are
// opened: is_sealed_key tells which no key reads.
void open_item(config::Kind kind, std::string_view id, json::Value& item, const keyring::Keyring& ring,
               config::Errors& warnings);

// Whether the private key of a certificate is neither PEM nor a reference: what is left of one that no key reads.
bool is_sealed_key(std::string_view text) noexcept;

// For keeping: encrypts every secret anew, but for those in the gateway's own form already. Without a key that encrypts
// nothing changes; keys of managers stay where the form is the reference's, which reads them in plain text alone.
void seal_item(config::Kind kind, std::string_view id, json::Value& item, const keyring::Keyring& ring);

// Every secret becomes "***".
void mask_item(config::Kind kind, std::string_view id, json::Value& item);

}  // namespace gateway::sources
