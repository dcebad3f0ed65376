#include "libgateway/admin/secret_fields.hpp"

#include "libgateway/sources/secrets.hpp"

namespace gateway::admin {

namespace {

// Visits the secret fields of plugins.
template <class Visit>
void each_field(config::Kind kind, std::string_view id, json::Value& item, const Visit& visit) {
    sources::each_item_secret(config::list_name(kind), id, item,
                              [&](const std::string&, json::Value& text, sources::SecretKind what) {
                                  if (what == sources::SecretKind::plugin_field) visit(text);
                              });
}

}  // namespace

void open_secrets(config::Kind kind, std::string_view id, json::Value& item, KeyringView ring) {
    if (!ring) return;
    each_field(kind, id, item, [ring](json::Value& text) {
        if (auto opened = ring->decrypt(text.string())) text = json::Value(std::move(opened->text));
    });
}

void seal_secrets(config::Kind kind, std::string_view id, json::Value& item, KeyringView ring) {
    if (!ring || !ring->writer()) return;
    each_field(kind, id, item, [ring](json::Value& text) { text = json::Value(ring->encrypt(text.string())); });
}

bool may_hold_secrets(config::Kind kind, std::string_view json) noexcept {
    return kind == config::Kind::plugin_metadata || json.find("\"plugins\"") != json.npos;
}

}  // namespace gateway::admin
