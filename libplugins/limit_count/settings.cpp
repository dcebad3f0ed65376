#include "libplugins/limit_count/settings.hpp"

namespace gateway::plugins {
namespace {

void check_sync_interval(const LimitCountSettings& settings, config::Errors& errors) {
    if (settings.sync_interval < 0.1) return errors.add("sync_interval should not be smaller than 0.1");
    const auto too_long = [&](const Quantity<1>& window) {
        return !window.is_template() && settings.sync_interval >= static_cast<double>(window.number());
    };
    bool any = settings.time_window && too_long(*settings.time_window);
    for (const LimitCountRule& rule : settings.rules) any = any || too_long(rule.time_window);
    if (any) errors.add("sync_interval should be smaller than time_window");
}

}  // namespace

void LimitCountSettings::check(const LimitCountSettings& settings, config::Errors& errors) {
    const bool rules = !settings.rules.empty();
    if (rules && (settings.count || settings.time_window))
        return errors.add("count/time_window and rules cannot be specified at the same time");
    if (rules && settings.group) return errors.add("group and rules cannot be specified at the same time");
    if (!rules && !(settings.count && settings.time_window))
        return errors.add("value should match only one schema, but matches none",
                          "count and time_window, or rules, are needed");
    RedisSettings::check(settings, true, errors);
    if (settings.sync_interval != -1) check_sync_interval(settings, errors);
    for (std::size_t i = 0; i < settings.rules.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (settings.rules[i].key == settings.rules[j].key)
                return errors.add("duplicate key '" + settings.rules[i].key + "' in rules");
        }
    }
}

}  // namespace gateway::plugins
