#include "libgateway/expr/expression.hpp"
#include "libgateway/plugin/check.hpp"
#include "libgateway/sources/check.hpp"

namespace gateway::sources {

CheckRules program_rules() {
    CheckRules rules;
    rules.plugin = check_plugin;
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
