// Check rules for tests: two plugins, an expression that is wrong when it is short.
#pragma once

#include "libgateway/config/schema.hpp"
#include "libgateway/sources/check.hpp"

namespace gateway::sources::testing {

struct EchoSettings {
    std::string body;
    static constexpr auto schema = config::fields(config::field("body", &EchoSettings::body, "text"));
};

inline void check_test_plugin(std::string_view name, const json::Value& entry, config::Errors& errors,
                              std::vector<std::string>& warnings) {
    if (name != "echo" && name != "other") return errors.add("unknown plugin [" + std::string(name) + "]");
    EchoSettings settings;
    config::Errors own;
    config::read(entry, settings, own);
    if (own.empty()) return;
    const json::Value* meta = entry.find("_meta");
    if (meta && meta->find("disable")) {
        warnings.emplace_back("disabled, but its settings are wrong");
        return;
    }
    errors.add("failed to check the configuration of plugin " + std::string(name) +
               " err: " + std::string(own.first()));
}

inline CheckRules rules() {
    CheckRules rules;
    rules.plugin = check_test_plugin;
    rules.expression = [](const json::Value& value) -> std::string {
        return value.size() == 1 ? "rule too short" : "";
    };
    return rules;
}

}  // namespace gateway::sources::testing
