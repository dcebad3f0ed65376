#include "libgateway/admin/secret_fields.hpp"

#include "libgateway/sources/secrets.hpp"

namespace gateway::admin {

void open_secrets(config::Kind kind, std::string_view id, json::Value& item, KeyringView ring) {
    if (!ring) return;
    sources::each_item_secret(config::list_name(kind), id, item,
                              [ring](const std::string&, json::Value& text, sources::SecretKind what) {
                                  if (what != sources::SecretKind::plugin_field) return;
                                  if (auto opened = ring->decrypt(text.string()))
                                      text = json::Value(std::move(opened->text));
                              });
}

bool may_hold_secrets(config::Kind kind, std::string_view json) noexcept {
    return kind == config::Kind::plugin_metadata || json.find("\"plugins\"") != json.npos;
}

}  // namespace gateway::admin
