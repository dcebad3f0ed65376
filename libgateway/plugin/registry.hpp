// All plugins that this program has, filled by the plugins themselves before main; read only afterwards.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/schema.hpp"
#include "libgateway/json/value.hpp"
#include "libgateway/plugin/auth.hpp"
#include "libgateway/plugin/plugin.hpp"

namespace gateway {

// What the static file says about this node, for plugins. The same in control (checking) and in workers.
struct NodeScope {
    json::Value plugin_attr = json::Value::object();  // `plugin_attr`: plugin name -> attributes
    std::vector<std::uint16_t> tls_ports;             // ports of the listeners that speak TLS
    static const NodeScope& none() noexcept;
};

// What a plugin may use while it is built from its settings; control builds too (checking), so nothing here is per
// worker.
struct BuildScope {
    std::string_view where;  // "routes/12", for messages
    const NodeScope& node = NodeScope::none();
    const json::Value* metadata = nullptr;  // of this plugin, checked; null: there is none
    const json::Value* config = nullptr;    // the entry being built, `_meta` included
    // "/apisix/routes/12:3735928559": object and version of the entry, the beginning of keys of counters that belong to
    // both. A change elsewhere in the object leaves it as it is (plugins/README.md 3.5 of the specification).
    std::string counter_prefix() const;
    // Attribute of `plugin_attr.<plugin>`; null if there is none.
    const json::Value* attribute(std::string_view plugin, std::string_view key) const noexcept;
};

struct PluginType {
    std::string_view name;  // kebab-case
    int priority = 0;       // unique
    std::string_view version = "0.1";
    std::uint8_t phases = 0;
    OnError on_error = OnError::open;
    bool prefer_route = false;
    // Checks settings (schema, then the plugin's own rules); what is wrong is added.
    void (*check)(const json::Value& settings, config::Errors& errors) = nullptr;
    // From settings that passed `check`; throws config::Error otherwise.
    std::unique_ptr<const Plugin> (*create)(const json::Value& settings, BuildScope& scope) = nullptr;
    config::SchemaTable (*schema)() = nullptr;

    // --- plugins of type auth
    bool is_auth = false;
    std::uint8_t auth_slot = ConsumerDirectory::no_slot;  // where its credentials are kept, if it has any
    std::string_view credential_key;                      // the member by which they are found
    void (*check_credential)(const json::Value& settings, config::Errors& errors) = nullptr;
    Credential::Build build_credential = nullptr;
    config::SchemaTable (*credential_schema)() = nullptr;
    // Its `rewrite` must come before authentication, with the route's settings, though a consumer may have others.
    bool before_auth = false;

    // --- plugins that have metadata
    void (*check_metadata)(const json::Value& metadata, config::Errors& errors) = nullptr;
    config::SchemaTable (*metadata_schema)() = nullptr;
    // The group in which an entry shares its state with those of other objects, which must then be equal; null: none.
    std::string_view (*group_of)(const json::Value& settings) = nullptr;
    // Names of the plugins that an entry runs itself; null: none.
    std::vector<std::string_view> (*children)(const json::Value& settings) = nullptr;

    // Texts that are kept encrypted and never shown, as their schemas mark them (config::encrypted_paths). What a path
    // leads to is a text, an array of texts or a map of texts.
    std::vector<std::string> encrypt_fields, credential_encrypt_fields, metadata_encrypt_fields;
};

class PluginRegistry {
public:
    void add(const PluginType& type);
    const PluginType* find(std::string_view name) const noexcept;
    // By priority descending, then by name.
    const std::vector<PluginType>& types() const noexcept { return types_; }
    // What makes the set unusable (a name or a priority taken twice), to be reported at start; empty if it is sound.
    std::string problem() const;

private:
    std::vector<PluginType> types_;
};
PluginRegistry& plugin_registry();
// Whether that plugin is known and of type auth: its entries on consumers are credentials, and never run.
bool is_auth_plugin(std::string_view name) noexcept;

// Settings from JSON: the schema, then `P::check(settings, errors)` where P has rules beyond it.
template <class P>
void read_settings(const json::Value& value, typename P::Settings& settings, config::Errors& errors) {
    const std::size_t before = errors.size();
    config::read(P::schema, value, settings, errors);
    if constexpr (requires { P::check(settings, errors); }) {
        if (errors.size() == before) P::check(settings, errors);
    }
}

// Metadata of P as its plugin_metadata object says, or the defaults. A field of the settings should win over it.
template <class P>
typename P::Metadata read_metadata(const BuildScope& scope) {
    typename P::Metadata metadata;
    config::Errors errors;
    if (scope.metadata) config::read(*scope.metadata, metadata, errors);
    errors.throw_if_any();
    return metadata;
}

// Of the text of a credential that passed its check: secrets are resolved; throws config::Error if one does not.
json::Value read_credential(std::string_view json);

template <class P>
std::unique_ptr<const CredentialSettings> build_credential(std::string_view json) {
    auto made = std::make_unique<CredentialOf<P>>();
    config::Errors errors;
    config::read(read_credential(json), made->value, errors);
    errors.throw_if_any();
    if constexpr (requires { P::prepare(made->value); }) P::prepare(made->value);
    return made;
}

// What P says about itself beyond the necessary.
template <class P>
void add_traits(PluginType& type) {
    if constexpr (requires { P::version; }) type.version = P::version;
    if constexpr (requires { P::on_error; }) type.on_error = P::on_error;
    if constexpr (requires { P::prefer_route; }) type.prefer_route = P::prefer_route;
    if constexpr (requires { P::is_auth; }) type.is_auth = P::is_auth;
    if constexpr (requires { P::before_auth; }) type.before_auth = P::before_auth;
    if constexpr (requires { P::credential_key; }) {
        type.auth_slot = gateway::auth_slot<P>();
        type.credential_key = P::credential_key;
        type.build_credential = gateway::build_credential<P>;
        type.credential_schema = [] { return config::table_of(P::Credential::schema); };
        type.credential_encrypt_fields = config::encrypted_paths(type.credential_schema().json_schema());
        type.check_credential = [](const json::Value& value, config::Errors& errors) {
            typename P::Credential credential;
            config::read(value, credential, errors);
        };
    }
    if constexpr (requires { typename P::Metadata; }) {
        type.metadata_schema = [] { return config::table_of(P::Metadata::schema); };
        type.metadata_encrypt_fields = config::encrypted_paths(type.metadata_schema().json_schema());
        type.check_metadata = [](const json::Value& value, config::Errors& errors) {
            typename P::Metadata metadata;
            config::read(value, metadata, errors);
        };
    }
}

template <class P>
PluginType plugin_type() {
    PluginType type;
    type.name = P::name;
    type.priority = P::priority;
    type.phases = phases_of<P>();
    add_traits<P>(type);
    type.check = [](const json::Value& value, config::Errors& errors) {
        typename P::Settings settings;
        read_settings<P>(value, settings, errors);
    };
    type.create = [](const json::Value& value, BuildScope& scope) -> std::unique_ptr<const Plugin> {
        typename P::Settings settings;
        config::Errors errors;
        errors.allow_references();
        read_settings<P>(value, settings, errors);
        errors.throw_if_any();
        return std::make_unique<const P>(std::move(settings), scope);
    };
    type.schema = [] { return config::table_of(P::schema); };
    type.encrypt_fields = config::encrypted_paths(type.schema().json_schema());
    if constexpr (requires { P::group_of; }) type.group_of = P::group_of;
    if constexpr (requires { P::children; }) type.children = P::children;
    return type;
}

// One line per plugin: `const Registration<IpRestriction> registration;`. P has: struct Settings, static constexpr
// name, priority, a schema table `schema`, a constructor P(Settings, BuildScope&); optionally `static constexpr OnError
// on_error`, `static constexpr bool prefer_route`, `before_auth`, `static constexpr std::string_view version`, `static
// void check(const Settings&, config::Errors&)`, `static std::string_view group_of(const json::Value&)`, `static
// std::vector<std::string_view> children(const json::Value&)`, `struct Metadata` with a schema, and what auth.hpp tells
// of auth plugins.
template <class P>
class Registration {
public:
    Registration() { plugin_registry().add(plugin_type<P>()); }
};

}  // namespace gateway
