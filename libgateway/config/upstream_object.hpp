// The object `upstream` as it is written: nodes, balancing, time limits, pool, TLS, health checks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/object_parts.hpp"

namespace gateway::config {

// Keys of chash that hash variables, or a header or cookie.
inline constexpr std::string_view hash_vars_pattern =
    "^((uri|server_name|server_addr|request_uri|remote_port|remote_addr|query_string|host|hostname|mqtt_client_id)"
    "|arg_[0-9a-zA-z_-]+)$";
inline constexpr std::string_view hash_header_pattern = "^[a-zA-Z0-9-_]+$";

struct KeepalivePool {
    std::uint32_t size = 320;
    double idle_timeout = 60;
    std::uint32_t requests = 1000;
    static constexpr auto schema =
        fields(field("size", &KeepalivePool::size, "idle connections kept per worker", at_least(1)),
               field("idle_timeout", &KeepalivePool::idle_timeout, "seconds; 0: never expire", at_least(0)),
               field("requests", &KeepalivePool::requests, "requests per connection", at_least(1)));
};

struct UpstreamTls {
    std::optional<std::string> client_cert, client_key;
    std::optional<ObjectId> client_cert_id;
    bool verify = false;
    static constexpr auto schema =
        fields(field("client_cert", &UpstreamTls::client_cert, "PEM", length(128, 65536)),
               field("client_key", &UpstreamTls::client_key, "PEM", length(64, 65536)),
               field("client_cert_id", &UpstreamTls::client_cert_id, "ssl object of type client"),
               field("verify", &UpstreamTls::verify, "check the upstream's certificate and name"))
            .depends("client_cert", "client_key")
            .depends("client_key", "client_cert");
    static void check(const UpstreamTls& tls, Errors& errors);
};

struct CheckHealthy {
    std::uint32_t interval = 1;
    std::vector<std::uint16_t> http_statuses;
    std::uint32_t successes = 2;
    static constexpr auto schema =
        fields(field("interval", &CheckHealthy::interval, "seconds between probes", at_least(1)),
               field("http_statuses", &CheckHealthy::http_statuses, "statuses that count", items(1), unique,
                     each(range(200, 599))),
               field("successes", &CheckHealthy::successes, "in a row", range(1, 254)));
};
struct CheckUnhealthy {
    std::uint32_t interval = 1;
    std::vector<std::uint16_t> http_statuses;
    std::uint32_t http_failures = 5, tcp_failures = 2, timeouts = 3;
    static constexpr auto schema =
        fields(field("interval", &CheckUnhealthy::interval, "seconds between probes", at_least(1)),
               field("http_statuses", &CheckUnhealthy::http_statuses, "statuses that count", items(1), unique,
                     each(range(200, 599))),
               field("http_failures", &CheckUnhealthy::http_failures, "in a row", range(1, 254)),
               field("tcp_failures", &CheckUnhealthy::tcp_failures, "in a row", range(1, 254)),
               field("timeouts", &CheckUnhealthy::timeouts, "in a row", range(1, 254)));
};
struct PassiveHealthy {
    std::vector<std::uint16_t> http_statuses;
    std::uint32_t successes = 5;
    static constexpr auto schema = fields(field("http_statuses", &PassiveHealthy::http_statuses, "statuses that count",
                                                items(1), unique, each(range(200, 599))),
                                          field("successes", &PassiveHealthy::successes, "in a row", range(0, 254)));
};
struct PassiveUnhealthy {
    std::vector<std::uint16_t> http_statuses;
    std::uint32_t tcp_failures = 2, timeouts = 7, http_failures = 5;
    static constexpr auto schema =
        fields(field("http_statuses", &PassiveUnhealthy::http_statuses, "statuses that count", items(1), unique,
                     each(range(200, 599))),
               field("tcp_failures", &PassiveUnhealthy::tcp_failures, "in a row", range(0, 254)),
               field("timeouts", &PassiveUnhealthy::timeouts, "in a row", range(0, 254)),
               field("http_failures", &PassiveUnhealthy::http_failures, "in a row", range(0, 254)));
};
struct ActiveCheck {
    std::string type = "http";
    double timeout = 1;
    std::uint32_t concurrency = 10;
    std::optional<std::string> host;
    std::optional<std::uint16_t> port;
    std::string http_method = "GET", http_path = "/", http_req_body;
    bool https_verify_certificate = true;
    std::vector<std::string> req_headers;
    CheckHealthy healthy;
    CheckUnhealthy unhealthy;
    static constexpr auto schema =
        fields(field("type", &ActiveCheck::type, "kind of probe", one_of("http", "https", "tcp")),
               field("timeout", &ActiveCheck::timeout, "seconds"),
               field("concurrency", &ActiveCheck::concurrency, "probes at a time"),
               field("host", &ActiveCheck::host, "default: the node's", pattern(host_pattern, is_host_pattern)),
               field("port", &ActiveCheck::port, "default: the node's", range(1, 65535)),
               field("http_method", &ActiveCheck::http_method, "method of the probe",
                     one_of("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE", "PURGE")),
               field("http_path", &ActiveCheck::http_path, "path of the probe"),
               field("http_req_body", &ActiveCheck::http_req_body, "body of the probe"),
               field("https_verify_certificate", &ActiveCheck::https_verify_certificate, "with type https"),
               field("req_headers", &ActiveCheck::req_headers, "`Name: value`", items(1)),
               field("healthy", &ActiveCheck::healthy, "what makes a node usable"),
               field("unhealthy", &ActiveCheck::unhealthy, "what makes a node unusable"));
};
struct PassiveCheck {
    std::string type = "http";
    PassiveHealthy healthy;
    PassiveUnhealthy unhealthy;
    static constexpr auto schema =
        fields(field("type", &PassiveCheck::type, "kind of traffic", one_of("http", "https", "tcp")),
               field("healthy", &PassiveCheck::healthy, "what makes a node usable"),
               field("unhealthy", &PassiveCheck::unhealthy, "what makes a node unusable"));
};
// Read and checked; this build does not act on it yet.
struct HealthChecks {
    std::optional<ActiveCheck> active;
    std::optional<PassiveCheck> passive;
    static constexpr auto schema = fields(field("active", &HealthChecks::active, "probes"),
                                          field("passive", &HealthChecks::passive, "judgement of live traffic"))
                                       .any_of("active", "active,passive");
};

enum class PassHost : std::uint8_t { pass, node, rewrite };
constexpr auto enum_names(PassHost) {
    using Pair = std::pair<std::string_view, PassHost>;
    return std::array{Pair{"pass", PassHost::pass}, Pair{"node", PassHost::node}, Pair{"rewrite", PassHost::rewrite}};
}
enum class HashOn : std::uint8_t { vars, header, cookie, consumer, vars_combinations };
constexpr auto enum_names(HashOn) {
    using Pair = std::pair<std::string_view, HashOn>;
    return std::array{Pair{"vars", HashOn::vars}, Pair{"header", HashOn::header}, Pair{"cookie", HashOn::cookie},
                      Pair{"consumer", HashOn::consumer}, Pair{"vars_combinations", HashOn::vars_combinations}};
}

struct Upstream {
    std::optional<ObjectId> id;
    std::string name, desc;
    Labels labels;
    std::optional<std::int64_t> create_time, update_time;
    std::string type = "roundrobin";
    std::optional<Nodes> nodes;
    std::optional<std::string> service_name, discovery_type;
    RawObject discovery_args;
    HashOn hash_on = HashOn::vars;
    std::optional<std::string> key;
    std::optional<std::uint32_t> retries;  // absent: number of nodes - 1
    double retry_timeout = 0;              // seconds; 0: no limit
    std::optional<Timeouts> timeout;
    std::string scheme = "http";
    PassHost pass_host = PassHost::pass;
    std::optional<std::string> upstream_host;
    std::optional<KeepalivePool> keepalive_pool;
    std::optional<UpstreamTls> tls;
    std::optional<HealthChecks> checks;

    static constexpr auto schema =
        fields(field("id", &Upstream::id, "name of the object"),
               field("name", &Upstream::name, "for people", length(1, 256)),
               field("desc", &Upstream::desc, "for people", length(0, 256)),
               field("labels", &Upstream::labels, "free marks"),
               field("create_time", &Upstream::create_time, "no effect in files"),
               field("update_time", &Upstream::update_time, "no effect in files"),
               field("type", &Upstream::type, "balancer"), field("nodes", &Upstream::nodes, "servers"),
               field("service_name", &Upstream::service_name, "name in a discovery", length(1, 256)),
               field("discovery_type", &Upstream::discovery_type, "provider of the discovery"),
               field("discovery_args", &Upstream::discovery_args, "arguments of the provider"),
               field("hash_on", &Upstream::hash_on, "source of the hash key"),
               field("key", &Upstream::key, "hash key of chash"),
               field("retries", &Upstream::retries, "further tries; default: number of nodes - 1", at_least(0)),
               field("retry_timeout", &Upstream::retry_timeout, "seconds for all tries; 0: no limit", at_least(0)),
               field("timeout", &Upstream::timeout, "limits of one try"),
               field("scheme", &Upstream::scheme, "protocol to the upstream",
                     one_of("http", "https", "grpc", "grpcs", "tcp", "tls", "udp", "kafka")),
               field("pass_host", &Upstream::pass_host, "Host that is sent"),
               field("upstream_host", &Upstream::upstream_host, "Host with pass_host: rewrite",
                     pattern(host_pattern, is_host_pattern)),
               field("keepalive_pool", &Upstream::keepalive_pool, "idle connections"),
               field("tls", &Upstream::tls, "client certificate and verification"),
               field("checks", &Upstream::checks, "health checks"))
            .exactly_one("nodes", "service_name,discovery_type")
            .closed();
    // Rules of upstream.md 1.3 beyond the schema.
    static void check(const Upstream& upstream, Errors& errors);
};

}  // namespace gateway::config
