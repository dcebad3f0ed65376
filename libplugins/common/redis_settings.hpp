// Where a plugin's counters are kept: in the memory of the machine or in Redis; the settings that all such plugins
// share.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/plugin/registry.hpp"
#include "libgateway/redis/client.hpp"

namespace gateway::plugins {

enum class Policy : unsigned char { local, redis, redis_cluster, redis_sentinel };

constexpr auto enum_names(Policy) {
    return std::array{std::pair{std::string_view("local"), Policy::local},
                      std::pair{std::string_view("redis"), Policy::redis},
                      std::pair{std::string_view("redis-cluster"), Policy::redis_cluster},
                      std::pair{std::string_view("redis-sentinel"), Policy::redis_sentinel}};
}

enum class RedisRole : unsigned char { master, slave };

constexpr auto enum_names(RedisRole) {
    return std::array{std::pair{std::string_view("master"), RedisRole::master},
                      std::pair{std::string_view("slave"), RedisRole::slave}};
}

struct RedisSentinel {
    std::string host;
    std::uint16_t port = 0;
    static constexpr auto schema =
        config::fields(
            config::field("host", &RedisSentinel::host, "name or address", config::required, config::length(2)),
            config::field("port", &RedisSentinel::port, "its port", config::required, config::range(1, 65535)))
            .closed();
};

// Base of the settings of such a plugin; its schema is made with with_redis(), or with with_sentinels() if
// it knows policy redis-sentinel.
struct RedisSettings {
    Policy policy = Policy::local;
    std::optional<std::string> redis_host, redis_username, redis_password, redis_cluster_name;
    std::optional<std::string> sentinel_username, sentinel_password, redis_master_name;
    std::uint16_t redis_port = 6379;
    std::uint32_t redis_database = 0, redis_timeout = 1000, redis_connect_timeout = 1000, redis_read_timeout = 1000;
    std::optional<std::uint32_t> redis_keepalive_timeout;  // its default is one of the policy
    std::uint32_t redis_keepalive_pool = 100;
    bool redis_ssl = false, redis_ssl_verify = false, redis_cluster_ssl = false, redis_cluster_ssl_verify = false;
    std::vector<std::string> redis_cluster_nodes;
    std::vector<RedisSentinel> redis_sentinels;
    RedisRole redis_role = RedisRole::master;

    // What the policy needs. `sentinel`: whether the plugin knows that policy.
    static void check(const RedisSettings& settings, bool sentinel, config::Errors& errors);
};

// The fields of S, which derives from RedisSettings: its own and the common ones.
template <class S, class... Own>
constexpr auto with_redis(Own... own) {
    using config::field;
    using Text = std::optional<std::string>;
    return config::fields(
        own..., field<S, Policy>("policy", &S::policy, "where the counters are kept"),
        field<S, Text>("redis_host", &S::redis_host, "server of policy redis", config::length(2)),
        field<S, std::uint16_t>("redis_port", &S::redis_port, "its port", config::range(1, 65535)),
        field<S, Text>("redis_username", &S::redis_username, "user for AUTH", config::length(1)),
        field<S, Text>("redis_password", &S::redis_password, "password for AUTH; empty: none", config::encrypted),
        field<S, Text>("sentinel_password", &S::sentinel_password, "password for AUTH to sentinels; empty: none",
                       config::encrypted),
        field<S, std::uint32_t>("redis_database", &S::redis_database, "number for SELECT", config::at_least(0)),
        field<S, std::uint32_t>("redis_timeout", &S::redis_timeout, "ms that a request waits for Redis at most",
                                config::range(1, 4294967295.0)),
        field<S, bool>("redis_ssl", &S::redis_ssl, "TLS to that server"),
        field<S, bool>("redis_ssl_verify", &S::redis_ssl_verify, "check its certificate"),
        field<S, std::optional<std::uint32_t>>("redis_keepalive_timeout", &S::redis_keepalive_timeout,
                                               "ms that an idle connection is kept; 10000, with sentinels 60000",
                                               config::range(1000, 4294967295.0)),
        field<S, std::uint32_t>("redis_keepalive_pool", &S::redis_keepalive_pool,
                                "idle connections of a worker to one server", config::range(1, 4294967295.0)),
        field<S, std::vector<std::string>>("redis_cluster_nodes", &S::redis_cluster_nodes,
                                           "some nodes of policy redis-cluster, host:port", config::items(1),
                                           config::each(config::length(2, 100))),
        field<S, Text>("redis_cluster_name", &S::redis_cluster_name, "tells clusters apart"),
        field<S, bool>("redis_cluster_ssl", &S::redis_cluster_ssl, "TLS to the nodes"),
        field<S, bool>("redis_cluster_ssl_verify", &S::redis_cluster_ssl_verify, "check their certificates"));
}

// The same and what policy redis-sentinel has.
template <class S, class... Own>
constexpr auto with_sentinels(Own... own) {
    using config::field;
    using Text = std::optional<std::string>;
    return with_redis<S>(
        own...,
        field<S, std::vector<RedisSentinel>>("redis_sentinels", &S::redis_sentinels,
                                             "the sentinels of policy redis-sentinel", config::items(1)),
        field<S, Text>("redis_master_name", &S::redis_master_name, "name of the servers that they watch",
                       config::length(1)),
        field<S, RedisRole>("redis_role", &S::redis_role, "which of those servers is used"),
        field<S, std::uint32_t>("redis_connect_timeout", &S::redis_connect_timeout,
                                "ms to find the server and connect to it at most", config::range(1, 4294967295.0)),
        field<S, std::uint32_t>("redis_read_timeout", &S::redis_read_timeout,
                                "ms from sending a command to its reply at most", config::range(1, 4294967295.0)),
        field<S, Text>("sentinel_username", &S::sentinel_username, "user for AUTH to sentinels"));
}

// The database that the settings name. One worker.
class RedisPlace {
public:
    explicit RedisPlace(const RedisSettings& settings);
    bool local() const noexcept { return policy_ == Policy::local; }
    // Null where there is no network.
    redis::Database* of(Exchange& exchange) const;

private:
    redis::Database* find(redis::Hub& hub) const;

    Policy policy_;
    redis::Target target_;
    std::string cluster_name_;
    std::vector<std::string> nodes_;
    redis::SentinelGroup group_;
    mutable redis::Hub* known_ = nullptr;  // that database_ belongs to
    mutable redis::Database* database_ = nullptr;
};

// Whole numbers and doubles as words of a command, in the arena.
std::string_view word_of(std::int64_t number, Arena& arena);
std::string_view word_of(double number, Arena& arena);

// An error line, at most one per second and worker: a store that is down is met by every request.
void log_store_failure(std::string_view what, std::string_view why, std::int64_t now_ms) noexcept;

}  // namespace gateway::plugins
