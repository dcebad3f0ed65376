#include "libgateway/admin/secret_fields.hpp"

#include "libgateway/sources/secrets.hpp"

namespace gateway::admin {

void open_secrets(config::Kind kind, std::string_view id, json::Value& item, KeyringView ring) {
    if (!ring) return;
    sources::each_item_secret(config::list_name(kind), id, item,
                              [ring, kind](const std::string&, json::Value& text, sources::SecretKind what) {
                                  const bool key = what == sources::SecretKind::private_key;
                                  if (key && (kind != config::Kind::ssl || !sources::is_sealed_key(text.string())))
                                      return;
                                  auto opened = ring->decrypt(text.string(),
                                                              key ? keyring::is_private_key : keyring::is_field_text);
                                  if (opened) text = json::Value(std::move(opened->text));
                              });
}

bool has_sealed_key(const json::Value& certificate) {
    const json::Value* const key = certificate.find("key");
    if (key && key->is_string() && sources::is_sealed_key(key->string())) return true;
    const json::Value* const keys = certificate.find("keys");
    if (!keys) return false;
    for (const json::Value& one : keys->items()) {
        if (one.is_string() && sources::is_sealed_key(one.string())) return true;
    }
    return false;
}

void hide_keys(config::Kind kind, json::Value& item) {
    if (kind != config::Kind::ssl) return;
    item.erase("key");
    item.erase("keys");
}

bool may_hold_secrets(config::Kind kind, std::string_view json) noexcept {
    return kind == config::Kind::plugin_metadata || kind == config::Kind::secret ||
           json.find("\"plugins\"") != json.npos;
}

}  // namespace gateway::admin
