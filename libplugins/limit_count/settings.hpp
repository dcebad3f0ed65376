// Settings of limit-count: their schema, and the rules between them.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "libplugins/common/limit_key.hpp"
#include "libplugins/common/quantity.hpp"
#include "libplugins/common/redis_settings.hpp"

namespace gateway::plugins {

enum class WindowType : unsigned char { fixed, sliding };

constexpr auto enum_names(WindowType) {
    return std::array{std::pair{std::string_view("fixed"), WindowType::fixed},
                      std::pair{std::string_view("sliding"), WindowType::sliding}};
}

struct LimitCountRule {
    Quantity<1> count, time_window;
    std::string key;
    std::optional<std::string> header_prefix;
    static constexpr auto schema = config::fields(
        config::field("count", &LimitCountRule::count, "requests per window", config::required),
        config::field("time_window", &LimitCountRule::time_window, "seconds", config::required),
        config::field("key", &LimitCountRule::key, "template; the rule counts if one of its variables is set",
                      config::required),
        config::field("header_prefix", &LimitCountRule::header_prefix, "in names of fields; its number without it"));
};

struct LimitCountSettings : RedisSettings {
    std::optional<Quantity<1>> count, time_window;
    WindowType window_type = WindowType::fixed;
    std::vector<LimitCountRule> rules;
    std::string key = "remote_addr";
    KeyType key_type = KeyType::var;
    std::optional<std::string> group;
    int rejected_code = 503;
    std::optional<std::string> rejected_msg;
    bool allow_degradation = false, show_limit_quota_header = true;
    double sync_interval = -1;

    static constexpr auto make_schema();
    static void check(const LimitCountSettings& settings, config::Errors& errors);
};

constexpr auto LimitCountSettings::make_schema() {
    return with_sentinels<LimitCountSettings>(
        config::field("count", &LimitCountSettings::count, "requests per window: number or template"),
        config::field("time_window", &LimitCountSettings::time_window, "seconds: number or template"),
        config::field("window_type", &LimitCountSettings::window_type, "how windows follow each other"),
        config::field("rules", &LimitCountSettings::rules, "several limits at once, instead of count and time_window",
                      config::items(1)),
        config::field("key", &LimitCountSettings::key, "what is counted apart"),
        config::field("key_type", &LimitCountSettings::key_type, "how `key` is read"),
        config::field("group", &LimitCountSettings::group, "one counter for all routes that name the same group"),
        config::field("rejected_code", &LimitCountSettings::rejected_code, "status of a refusal",
                      config::range(200, 599)),
        config::field("rejected_msg", &LimitCountSettings::rejected_msg, "text of a refusal", config::length(1)),
        config::field("allow_degradation", &LimitCountSettings::allow_degradation,
                      "let requests pass where they cannot be counted"),
        config::field("show_limit_quota_header", &LimitCountSettings::show_limit_quota_header,
                      "tell the client in X-RateLimit-* fields"),
        config::field("sync_interval", &LimitCountSettings::sync_interval,
                      "seconds between two synchronisations with Redis; -1: every decision asks it"));
}

// Names of the fields that tell the client.
struct LimitCountMetadata {
    std::string limit_header = "X-RateLimit-Limit", remaining_header = "X-RateLimit-Remaining";
    std::string reset_header = "X-RateLimit-Reset";
    static constexpr auto schema = config::fields(
        config::field("limit_header", &LimitCountMetadata::limit_header, "field with the quota", config::length(1)),
        config::field("remaining_header", &LimitCountMetadata::remaining_header, "field with what is left of it",
                      config::length(1)),
        config::field("reset_header", &LimitCountMetadata::reset_header, "field with the seconds until it is renewed",
                      config::length(1)));
};

}  // namespace gateway::plugins
