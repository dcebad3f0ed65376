#include "libgateway/expr/expression.hpp"
#include "libgateway/plugin/check.hpp"
#include "libgateway/sources/check.hpp"

namespace gateway::sources {

CheckRules program_rules() {
    CheckRules rules;
    const auto at = [](PluginPlace place) {
        return [place](std::string_view name, const json::Value& entry, config::Errors& errors,
                       std::vector<std::string>& warnings) { check_plugin(name, entry, errors, warnings, place); };
    };
    rules.plugin = at(PluginPlace::ordinary);
    rules.consumer_plugin = at(PluginPlace::consumer);
    rules.credential_plugin = at(PluginPlace::credential);
    rules.metadata = check_plugin_metadata;
    rules.credential_key = [](std::string_view plugin,
                              const json::Value& entry) -> std::optional<CredentialIndex::Key> {
        const auto key = credential_key_of(plugin, entry);
        if (!key) return std::nullopt;
        return CredentialIndex::Key{std::string(key->attribute), std::string(key->value)};
    };
    rules.expression = [](const json::Value& expression) -> std::string {
        try {
            const expr::Expression compiled(expression);
            return {};
        } catch (const std::exception& error) {
            return error.what();
        }
    };
    return rules;
}

}  // namespace gateway::sources
