// All plugins that this program has, filled by the plugins themselves before main; read only afterwards.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/schema.hpp"
#include "libgateway/json/value.hpp"
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
    const json::Value* metadata = nullptr;  // object of plugin_metadata/<plugin>; null: none
    // Attribute of `plugin_attr.<plugin>`; null if there is none.
    const json::Value* attribute(std::string_view plugin, std::string_view key) const noexcept;
};

struct PluginType {
    std::string_view name;  // kebab-case
    int priority = 0;       // unique
    std::uint8_t phases = 0;
    OnError on_error = OnError::open;
    bool prefer_route = false;
    // Checks settings (schema, then the plugin's own rules); what is wrong is added.
    void (*check)(const json::Value& settings, config::Errors& errors) = nullptr;
    // From settings that passed `check`; throws config::Error otherwise.
    std::unique_ptr<const Plugin> (*create)(const json::Value& settings, BuildScope& scope) = nullptr;
    config::SchemaTable (*schema)() = nullptr;
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

// Settings from JSON: the schema, then `P::check(settings, errors)` where P has rules beyond it.
template <class P>
void read_settings(const json::Value& value, typename P::Settings& settings, config::Errors& errors) {
    const std::size_t before = errors.size();
    config::read(P::schema, value, settings, errors);
    if constexpr (requires { P::check(settings, errors); }) {
        if (errors.size() == before) P::check(settings, errors);
    }
}

template <class P>
PluginType plugin_type() {
    PluginType type;
    type.name = P::name;
    type.priority = P::priority;
    type.phases = phases_of<P>();
    if constexpr (requires { P::on_error; }) type.on_error = P::on_error;
    if constexpr (requires { P::prefer_route; }) type.prefer_route = P::prefer_route;
    type.check = [](const json::Value& value, config::Errors& errors) {
        typename P::Settings settings;
        read_settings<P>(value, settings, errors);
    };
    type.create = [](const json::Value& value, BuildScope& scope) -> std::unique_ptr<const Plugin> {
        typename P::Settings settings;
        config::Errors errors;
        read_settings<P>(value, settings, errors);
        errors.throw_if_any();
        return std::make_unique<const P>(std::move(settings), scope);
    };
    type.schema = [] { return config::table_of(P::schema); };
    return type;
}

// One line per plugin: `const Registration<IpRestriction> registration;`. P has: struct Settings, static constexpr
// name, priority, a schema table `schema`, a constructor P(Settings, BuildScope&); optionally `static constexpr OnError
// on_error`, `static constexpr bool prefer_route` and `static void check(const Settings&, config::Errors&)`.
template <class P>
class Registration {
public:
    Registration() { plugin_registry().add(plugin_type<P>()); }
};

}  // namespace gateway
