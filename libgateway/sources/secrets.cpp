#include "libgateway/sources/secrets.hpp"

#include "libgateway/base/hash.hpp"
#include "libgateway/config/consumer_objects.hpp"
#include "libgateway/config/idle_objects.hpp"
#include "libgateway/config/secret_reference.hpp"
#include "libgateway/plugin/encrypted_fields.hpp"

namespace gateway::sources {

namespace {

using config::Kind;
using json::Value;

void visit_key(const std::string& path, Value* text, const ItemVisitor& visit) {
    if (text && text->is_string() && !config::is_secret_reference(text->string()))
        visit(path, *text, SecretKind::private_key);
}

void visit_client_key(const std::string& path, Value& upstream, const ItemVisitor& visit) {
    Value* tls = upstream.find("tls");
    if (tls) visit_key(path + "tls.client_key", tls->find("client_key"), visit);
}

void visit_certificate(Value& item, const ItemVisitor& visit) {
    visit_key("key", item.find("key"), visit);
    Value* keys = item.find("keys");
    if (!keys || !keys->is_array()) return;
    std::size_t at = 0;
    for (Value& key : keys->make_array()) visit_key("keys[" + std::to_string(at++) + "]", &key, visit);
}

void visit_plugins(PluginPlace place, Value& item, const ItemVisitor& visit) {
    Value* plugins = item.find("plugins");
    if (!plugins || !plugins->is_object()) return;
    for (json::Member& entry : plugins->make_object()) {
        const std::string before = "plugins." + entry.key + ".";
        each_secret(entry.key, place, entry.value, [&](const std::string& path, Value& text) {
            visit(before + path, text, SecretKind::plugin_field);
        });
    }
}

// Of a manager of secrets, found by its name.
void visit_manager(std::string_view id, Value& item, const ItemVisitor& visit) {
    const Value* own = item.find("id");
    auto name = config::secret_name(id);
    if (!name && own) name = config::secret_name(own->string());
    if (!name) return;
    for (const std::string& path : config::encrypted_paths(config::secret_schema(name->manager).json_schema())) {
        const std::size_t dot = path.find('.');
        Value* holder = dot == path.npos ? &item : item.find(path.substr(0, dot));
        Value* text = holder ? holder->find(dot == path.npos ? path : path.substr(dot + 1)) : nullptr;
        if (text && text->is_string() && !config::is_secret_reference(text->string()))
            visit(path, *text, SecretKind::plugin_field);
    }
}

bool is_pem(std::string_view text) noexcept {
    return text.starts_with("---");
}

void replace(Value& text, std::string with) {
    const json::Position where = text.where;
    text = Value(std::move(with));
    text.where = where;
}

void open_field(const std::string& path, Value& text, const keyring::Keyring& ring, config::Errors& warnings) {
    const std::string& stored = text.string();
    if (auto opened = ring.decrypt(stored)) return replace(text, std::move(opened->text));
    const keyring::Shape shape = keyring::shape_of(stored);
    if (shape == keyring::Shape::plain) return;
    if (shape == keyring::Shape::cbc) {
        warnings.add_member(path, text.where,
                            "it looks encrypted, but no key of the keyring reads it: it is taken as plain text");
        return;
    }
    warnings.add_member(path, text.where,
                        "it is encrypted with key " + stored.substr(3, keyring::Key::id_size) +
                            ", which is not in the keyring or does not fit: it is not readable");
    const Hash128 hash = hash128(stored);
    replace(text, "$secret://keyring/not-readable/" + std::to_string(hash.low) + std::to_string(hash.high));
}

// What no key reads stays as it is: the check of the object tells of it.
void open_key(Value& text, const keyring::Keyring& ring) {
    if (is_pem(text.string())) return;
    if (auto opened = ring.decrypt(text.string(), keyring::is_private_key)) replace(text, std::move(opened->text));
}

}  // namespace

void each_item_secret(std::string_view list, std::string_view id, Value& item, const ItemVisitor& visit) {
    if (!item.is_object()) return;
    if (list == "ssls") return visit_certificate(item, visit);
    if (list == config::list_name(Kind::secret)) return visit_manager(id, item, visit);
    if (list == config::list_name(Kind::plugin_metadata)) {
        return each_metadata_secret(
            id, item, [&](const std::string& path, Value& text) { visit(path, text, SecretKind::plugin_field); });
    }
    const bool consumer = list == config::list_name(Kind::consumer);
    visit_plugins(!consumer                                                           ? PluginPlace::ordinary
                  : config::credential_name(id) || config::is_credential_object(item) ? PluginPlace::credential
                                                                                      : PluginPlace::consumer,
                  item, visit);
    if (list == config::list_name(Kind::upstream)) visit_client_key("", item, visit);
    if (Value* upstream = item.find("upstream")) visit_client_key("upstream.", *upstream, visit);
}

void open_item(Kind kind, std::string_view id, Value& item, const keyring::Keyring& ring, config::Errors& warnings) {
    each_item_secret(config::list_name(kind), id, item, [&](const std::string& path, Value& text, SecretKind what) {
        if (what == SecretKind::plugin_field) return open_field(path, text, ring, warnings);
        if (kind == Kind::ssl) open_key(text, ring);
    });
}

bool is_sealed_key(std::string_view text) noexcept {
    return !is_pem(text) && !config::is_secret_reference(text);
}

void seal_item(Kind kind, std::string_view id, Value& item, const keyring::Keyring& ring) {
    if (!ring.writer()) return;
    // The reference keeps its managers in plain text, and reads no other.
    if (kind == Kind::secret && ring.form == keyring::Form::reference) return;
    each_item_secret(config::list_name(kind), id, item, [&](const std::string&, Value& text, SecretKind what) {
        const std::string& now = text.string();
        if (keyring::shape_of(now) == keyring::Shape::sealed) return;
        const bool field = what == SecretKind::plugin_field;
        const auto opened = ring.decrypt(now, field ? keyring::is_field_text : keyring::is_private_key);
        // Encrypted once more it would be lost to the key that reads it.
        if (!opened && !field && keyring::shape_of(now) == keyring::Shape::cbc) return;
        replace(text, ring.encrypt(opened ? opened->text : now));
    });
}

void mask_item(Kind kind, std::string_view id, Value& item) {
    if (kind == Kind::plugin_metadata) return mask_secrets(id, item);
    if (Value* plugins = item.find("plugins"); plugins && plugins->is_object()) {
        for (json::Member& entry : plugins->make_object()) mask_secrets(entry.key, entry.value);
    }
    const auto mask = [](const std::string&, Value& text, SecretKind) { replace(text, std::string(secret_mask)); };
    each_item_secret(config::list_name(kind), id, item, mask);
}

}  // namespace gateway::sources
