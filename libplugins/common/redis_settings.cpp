#include "libplugins/common/redis_settings.hpp"

#include <fmt/format.h>

#include "libgateway/base/log.hpp"

namespace gateway::plugins {

void RedisSettings::check(const RedisSettings& settings, bool sentinel, config::Errors& errors) {
    const Policy policy = settings.policy;
    if (policy == Policy::redis_sentinel && !sentinel) {
        const json::Value nowhere;
        const config::Errors::Scope scope(errors, config::Errors::Level::property, "policy", nowhere);
        return errors.add("matches none of the enum values");
    }
    if (policy == Policy::redis && !settings.redis_host)
        return errors.add("then clause did not match", "policy redis needs redis_host");
    if (policy == Policy::redis_cluster && (settings.redis_cluster_nodes.empty() || !settings.redis_cluster_name))
        return errors.add("else clause did not match",
                          "policy redis-cluster needs redis_cluster_nodes and redis_cluster_name");
    if (policy == Policy::redis_sentinel && (settings.redis_sentinels.empty() || !settings.redis_master_name))
        return errors.add("else clause did not match",
                          "policy redis-sentinel needs redis_sentinels and redis_master_name");
}

namespace {

constexpr std::uint32_t kept_ms = 10'000, kept_with_sentinels_ms = 60'000;

redis::SentinelGroup group_of(const RedisSettings& settings, redis::Target common) {
    redis::SentinelGroup group;
    for (const RedisSentinel& one : settings.redis_sentinels) group.sentinels.emplace_back(one.host, one.port);
    group.master_name = settings.redis_master_name.value_or("");
    group.role = settings.redis_role == RedisRole::master ? redis::Role::master : redis::Role::replica;
    group.username = settings.sentinel_username.value_or("");
    group.password = settings.sentinel_password.value_or("");
    group.common = std::move(common);
    return group;
}

}  // namespace

RedisPlace::RedisPlace(const RedisSettings& settings)
    : policy_(settings.policy),
      cluster_name_(settings.redis_cluster_name.value_or("")),
      nodes_(settings.redis_cluster_nodes) {
    const bool cluster = policy_ == Policy::redis_cluster, sentinel = policy_ == Policy::redis_sentinel;
    target_.host = settings.redis_host.value_or("");
    target_.port = settings.redis_port;
    target_.username = settings.redis_username.value_or("");
    target_.password = settings.redis_password.value_or("");
    target_.database = cluster ? 0 : settings.redis_database;
    target_.timeout = Milliseconds(sentinel ? settings.redis_read_timeout : settings.redis_timeout);
    target_.connect_timeout = Milliseconds(sentinel ? settings.redis_connect_timeout : 0);
    target_.keepalive =
        Milliseconds(settings.redis_keepalive_timeout.value_or(sentinel ? kept_with_sentinels_ms : kept_ms));
    target_.keepalive_pool = settings.redis_keepalive_pool;
    target_.tls = cluster ? settings.redis_cluster_ssl : !sentinel && settings.redis_ssl;
    target_.tls_check = target_.tls && (cluster ? settings.redis_cluster_ssl_verify : settings.redis_ssl_verify);
    if (sentinel) group_ = group_of(settings, target_);
}

redis::Database* RedisPlace::find(redis::Hub& hub) const {
    if (policy_ == Policy::redis_sentinel) return &hub.sentinels(group_);
    return policy_ == Policy::redis ? &hub.server(target_) : &hub.cluster(cluster_name_, nodes_, target_);
}

redis::Database* RedisPlace::of(Exchange& exchange) const {
    redis::Hub* hub = exchange.services().redis();
    if (hub && hub != known_) {
        known_ = hub;
        database_ = find(*hub);
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
