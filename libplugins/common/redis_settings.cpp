#include "libplugins/common/redis_settings.hpp"

#include <fmt/format.h>

#include "libgateway/base/log.hpp"

namespace gateway::plugins {

void RedisSettings::check(const RedisSettings& settings, bool sentinel, config::Errors& errors) {
    const bool cluster = settings.policy == Policy::redis_cluster;
    if (settings.policy == Policy::redis_sentinel) {
        if (sentinel) return errors.add("policy redis-sentinel is not supported by this build");
        const json::Value nowhere;
        const config::Errors::Scope scope(errors, config::Errors::Level::property, "policy", nowhere);
        return errors.add("matches none of the enum values");
    }
    if (settings.policy == Policy::redis && !settings.redis_host)
        return errors.add("then clause did not match", "policy redis needs redis_host");
    if (cluster && (settings.redis_cluster_nodes.empty() || !settings.redis_cluster_name))
        return errors.add("else clause did not match",
                          "policy redis-cluster needs redis_cluster_nodes and redis_cluster_name");
}

RedisPlace::RedisPlace(const RedisSettings& settings)
    : policy_(settings.policy),
      cluster_name_(settings.redis_cluster_name.value_or("")),
      nodes_(settings.redis_cluster_nodes) {
    target_.host = settings.redis_host.value_or("");
    target_.port = settings.redis_port;
    target_.username = settings.redis_username.value_or("");
    target_.password = settings.redis_password.value_or("");
    target_.database = policy_ == Policy::redis ? settings.redis_database : 0;
    target_.timeout = Milliseconds(settings.redis_timeout);
    target_.keepalive = Milliseconds(settings.redis_keepalive_timeout);
    target_.keepalive_pool = settings.redis_keepalive_pool;
    const bool cluster = policy_ == Policy::redis_cluster;
    target_.tls = cluster ? settings.redis_cluster_ssl : settings.redis_ssl;
    target_.tls_check = target_.tls && (cluster ? settings.redis_cluster_ssl_verify : settings.redis_ssl_verify);
}

redis::Database* RedisPlace::of(Exchange& exchange) const {
    redis::Hub* hub = exchange.services().redis();
    if (hub && hub != known_) {
        known_ = hub;
        database_ = policy_ == Policy::redis ? &hub->server(target_) : &hub->cluster(cluster_name_, nodes_, target_);
    }
    return hub ? database_ : nullptr;
}

std::string_view word_of(std::int64_t number, Arena& arena) {
    const fmt::format_int text(number);
    return arena.copy({text.data(), text.size()});
}

std::string_view word_of(double number, Arena& arena) {
    std::array<char, 40> text;
    const auto end = fmt::format_to_n(text.data(), text.size(), "{}", number).out;
    return arena.copy({text.data(), static_cast<std::size_t>(end - text.data())});
}

void log_store_failure(std::string_view what, std::string_view why, std::int64_t now_ms) noexcept {
    thread_local std::int64_t last_second = 0;
    if (now_ms / 1000 == last_second) return;
    last_second = now_ms / 1000;
    log::error("{}: {}", what, why);
}

}  // namespace gateway::plugins
