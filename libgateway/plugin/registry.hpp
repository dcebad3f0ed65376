// All plugins that this program has, filled by the plugins themselves before main; read only afterwards.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "libgateway/config/schema.hpp"
#include "libgateway/json/value.hpp"
#include "libgateway/plugin/plugin.hpp"

namespace gateway {

// What a plugin may use while it is built from its settings; control builds too (checking), so nothing here is per worker.
struct BuildScope {
    std::string_view where;  // "routes/12", for messages
};

struct PluginType {
    std::string_view name;  // kebab-case
    int priority = 0;       // unique
    std::uint8_t phases = 0;
    OnError on_error = OnError::open;
    bool prefer_route = false;
    // Checks settings (schema, then the plugin's own rules); true if they can be used.
    void (*check)(const json::Value& settings, config::Errors& errors) = nullptr;
    // From settings that passed `check`; throws config::Error otherwise.
    std::unique_ptr<const Plugin> (*create)(const json::Value& settings, BuildScope& scope) = nullptr;
    config::SchemaTable (*schema)() = nullptr;
};

class PluginRegistry {
public:
    void add(const PluginType& type);
    const PluginType* find(std::string_view name) const noexcept;
    // By priority descending.
    const std::vector<PluginType>& types() const noexcept { return types_; }

private:
    std::vector<PluginType> types_;
};
PluginRegistry& plugin_registry();

// One line per plugin: `const Registration<IpRestriction> registration;`. P has: struct Settings, static constexpr name, priority,
// a schema table `schema`, a constructor P(Settings, BuildScope&); optionally `static constexpr OnError on_error` and
// `static void check(const Settings&, config::Errors&)` for rules beyond the schema.
template <class P>
class Registration {
public:
    Registration() {
        PluginType type;
        type.name = P::name;
        type.priority = P::priority;
        type.phases = phases_of<P>();
        if constexpr (requires { P::on_error; }) type.on_error = P::on_error;
        if constexpr (requires { P::prefer_route; }) type.prefer_route = P::prefer_route;
        type.check = [](const json::Value& value, config::Errors& errors) {
            typename P::Settings settings;
            config::read(P::schema, value, settings, errors);
            if constexpr (requires { P::check(settings, errors); }) {
                if (errors.empty()) P::check(settings, errors);
            }
        };
        type.create = [](const json::Value& value, BuildScope& scope) -> std::unique_ptr<const Plugin> {
            typename P::Settings settings;
            config::Errors errors;
            config::read(P::schema, value, settings, errors);
            errors.throw_if_any();
            return std::make_unique<const P>(std::move(settings), scope);
        };
        type.schema = [] { return config::table_of(P::schema); };
        plugin_registry().add(type);
    }
};

}  // namespace gateway
