// Checks of objects beyond their own schema: plugins, expressions, what this build can do, references between objects.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/delta.hpp"
#include "libgateway/config/diagnostic.hpp"
#include "libgateway/json/value.hpp"
#include "libgateway/plugin/shared_groups.hpp"
#include "libgateway/sources/credential_index.hpp"
#include "libgateway/sources/document.hpp"

namespace gateway::sources {

// What the checks must be told; everything is injected, so that this room can be tested alone.
struct CheckRules {
    // Adds errors about one entry of `plugins`; what is wrong with a disabled one goes into `warnings`.
    std::function<void(std::string_view name, const json::Value& entry, config::Errors& errors,
                       std::vector<std::string>& warnings)>
        plugin;
    // The same on a consumer, or in a credential object.
    using PluginCheck = std::function<void(std::string_view name, const json::Value& entry, config::Errors& errors,
                                           std::vector<std::string>& warnings)>;
    PluginCheck consumer_plugin, credential_plugin;
    // Names of the plugins that an entry runs itself, as multi-auth does: they too must be ones that may be used.
    std::function<std::vector<std::string_view>(std::string_view name, const json::Value& entry)> children;
    // Adds errors about the metadata of a plugin.
    std::function<void(std::string_view plugin, const json::Value& metadata, config::Errors& errors)> metadata;
    // Replaces what is encrypted in an object by what was encrypted, before its checks; what no key reads is a warning.
    std::function<void(config::Kind kind, std::string_view id, json::Value& item, config::Errors& warnings)>
        open_secrets;
    // By which member, and which text in it, an entry of a consumer is found; nothing if it is no credential.
    CredentialIndex::KeyOf credential_key;
    // Empty if the expression compiles, else why not.
    std::function<std::string(const json::Value& expression)> expression;
    // Names that may be used; absent: all that `plugin` knows.
    std::optional<std::vector<std::string>> enabled_plugins;
    std::vector<std::string> schemes{"http"}, balancers{"roundrobin"};
    std::vector<std::string> unbuilt_balancers{"chash", "ewma", "least_conn"};  // of the specification
    bool plugin_config_overrides_route = true;
    bool check_key_match = true;  // of certificates
    // Of objects that are stored already: a certificate that cannot be served keeps its names, with a warning, so that
    // clients that ask for them are not shown another one's.
    bool keep_broken_certificates = false;
};
// The rules of this program: its plugins and its expressions.
CheckRules program_rules();

// All checks of one object on its own. `value` is the item as written, without what only files have. `warnings` are not
// reasons to refuse it.
// `id` is needed where the item does not tell it (plugin_metadata).
void check_item(config::Kind kind, std::string_view id, const json::Value& value, const CheckRules& rules,
                config::Errors& errors, config::Errors& warnings);

// Names of the object that another one is looked up by: does it exist?
using Exists = std::function<bool(config::Kind kind, std::string_view id)>;
// Warnings about references of a route, service, consumer or credential that lead nowhere, with what a request gets
// then.
void check_references(config::Kind kind, const json::Value& value, const Exists& exists, config::Errors& warnings);
// What refuses a consumer or credential that is written: no such group, no such consumer. Empty: nothing.
std::string dangling_consumer(std::string_view id, const json::Value& value, const Exists& exists);

// Text of a reference member ("12" or 12), empty if it is absent.
std::string reference_of(const json::Value& value, std::string_view member);

// Finds, over a whole document: entries of one group that differ (an error), plugins that stand in several global
// rules, and routes where a plugin of the plugin config hides the route's own (or the other way round). Feed it every
// object, then ask.
class CrossCheck {
public:
    explicit CrossCheck(const CheckRules& rules) : rules_(rules), credentials_(rules.credential_key) {}
    void add(config::Kind kind, std::string_view id, const json::Value& value);
    void report(std::string_view file, config::Diagnostics& diagnostics) const;

private:
    struct Named {
        std::string id;
        const json::Value* value;
    };
    void report_overrides(std::string_view file, config::Diagnostics& diagnostics) const;
    void report_global_rules(std::string_view file, config::Diagnostics& diagnostics) const;
    void add_consumer(std::string_view id, const json::Value& value);

    struct Mismatch {
        std::string object, field, text;
        json::Position where;
    };

    const CheckRules& rules_;
    SharedGroups groups_;
    std::vector<Mismatch> mismatches_;
    std::vector<Named> routes_, plugin_configs_, global_rules_;
    CredentialIndex credentials_;
    std::vector<std::pair<Named, std::string>> repeated_keys_;
};

}  // namespace gateway::sources
