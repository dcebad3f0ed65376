// Limits counted in Redis over TLS: certificates right and wrong, servers that stall or speak something else, a
// cluster.
#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/tls_front.hpp"

using namespace gateway::test;

namespace {

StageOptions plugins(const TestAuthority& trusted, const std::string& list) {
    StageOptions options;
    options.route_lines = "plugins: {" + list + "}";
    options.apisix = "ssl: {ssl_trusted_certificate: " + trusted.file().string() + "}";
    return options;
}

std::string at(std::uint16_t port, const std::string& more = ", redis_ssl_verify: true") {
    return "policy: redis, redis_host: 127.0.0.1, redis_ssl: true, redis_port: " + std::to_string(port) + more;
}
std::string limit_count(const std::string& where) {
    return "limit-count: {count: 9, time_window: 600, " + where + "}";
}

// Status of a request that is counted behind a front with this certificate, and whether the log has `told`.
void expect_refused(const TestAuthority& trusted, std::uint16_t port, const std::string& told) {
    Stage stage(plugins(trusted, limit_count(at(port))));
    CHECK(stage.get("/").status() == 500);
    INFO(stage.gateway.log());
    CHECK(stage.gateway.log().find(told) != std::string::npos);
}

}  // namespace

TEST_CASE("limits in redis: a server with TLS counts for every plugin", "[e2e][limits_redis_tls]") {
    TestAuthority authority;
    RedisServer redis(authority, authority.issue("IP:127.0.0.1"), {"--requirepass", "secret"});
    const std::string where = at(redis.port(), ", redis_ssl_verify: true, redis_password: secret, redis_database: 2");
    Stage stage(plugins(authority, limit_count(where) + ", limit-req: {rate: 100, burst: 9, key: remote_addr, " +
                                       where + "}, limit-conn: {conn: 9, burst: 1, default_conn_delay: 0.1, " +
                                       "key: remote_addr, " + where + "}"));
    CHECK(stage.get("/").field("x-ratelimit-remaining") == "8");
    CHECK(stage.get("/").field("x-ratelimit-remaining") == "7");
    const std::string keys = redis.ask({"-a", "secret", "--no-auth-warning", "-n", "2", "KEYS", "*"});
    CHECK(keys.find("limit-count") != std::string::npos);
    CHECK(keys.find("limit_req") != std::string::npos);
    CHECK(stage.gateway.log().find("TLS") == std::string::npos);
}

TEST_CASE("limits in redis: its connections over TLS are kept, and replaced when they die", "[e2e][limits_redis_tls]") {
    TestAuthority authority;
    RedisServer redis;
    TlsFront front(authority.issue("IP:127.0.0.1"), redis.port());
    Stage stage(plugins(authority, limit_count(at(front.port()))));
    RawClient client = stage.client();
    CHECK(client.get("/").field("x-ratelimit-remaining") == "8");
    CHECK(client.get("/").field("x-ratelimit-remaining") == "7");
    CHECK(front.handshakes() == 1);
    REQUIRE(redis.ask({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}) == "1");
    CHECK(client.get("/").field("x-ratelimit-remaining") == "6");
    CHECK(front.handshakes() == 2);
    CHECK(front.resumed() == 1);
}

TEST_CASE("limits in redis: a certificate for another name is refused where it is checked", "[e2e][limits_redis_tls]") {
    TestAuthority authority;
    RedisServer redis;
    TlsFront front(authority.issue("DNS:localhost"), redis.port());
    expect_refused(authority, front.port(), "TLS: certificate verify failed: IP address mismatch");
    Stage named(plugins(authority,
                        "limit-count: {count: 9, time_window: 600, policy: redis, redis_ssl: true, "
                        "redis_ssl_verify: true, redis_host: localhost, redis_port: " +
                            std::to_string(front.port()) + "}"));
    CHECK(named.get("/").status() == 200);
    Stage unchecked(plugins(authority, limit_count(at(front.port(), ""))));
    CHECK(unchecked.get("/").status() == 200);
}

TEST_CASE("limits in redis: a certificate of an unknown authority is refused where it is checked",
          "[e2e][limits_redis_tls]") {
    TestAuthority authority, stranger;
    RedisServer redis;
    TlsFront front(stranger.issue("IP:127.0.0.1"), redis.port());
    expect_refused(authority, front.port(), "TLS: certificate verify failed: unable to get local issuer certificate");
    Stage unchecked(plugins(authority, limit_count(at(front.port(), ""))));
    CHECK(unchecked.get("/").status() == 200);
}

TEST_CASE("limits in redis: a handshake that stalls holds a request no longer than the time-out",
          "[e2e][limits_redis_tls]") {
    TestAuthority authority;
    ScriptedUpstream stalls(ScriptedUpstream::Raw(), [](Connection& guest) { guest.wait_for_end(60s); });
    Stage stage(plugins(authority, limit_count(at(stalls.port(), ", redis_timeout: 200, allow_degradation: true"))));
    const auto begin = std::chrono::steady_clock::now();
    CHECK(stage.get("/").status() == 200);
    CHECK(std::chrono::steady_clock::now() - begin < 800ms * patience);
    CHECK(stalls.accepted() == 1);
    CHECK(stage.gateway.log().find("timeout") != std::string::npos);
}

TEST_CASE("limits in redis: TLS with a plain server, and plain words with a TLS server, are errors",
          "[e2e][limits_redis_tls]") {
    TestAuthority authority;
    ScriptedUpstream plain(ScriptedUpstream::Raw(), [](Connection& guest) {
        guest.fill();
        guest.send("-ERR unknown command\r\n");
        guest.wait_for_end(60s);
    });
    expect_refused(authority, plain.port(), "TLS: wrong version number");
    RedisServer redis(authority, authority.issue("IP:127.0.0.1"));
    Stage stage(plugins(
        authority, limit_count("policy: redis, redis_host: 127.0.0.1, redis_port: " + std::to_string(redis.port()))));
    CHECK(stage.get("/").status() == 500);
}

TEST_CASE("limits in redis: a cluster whose nodes speak TLS", "[e2e][limits_redis_tls]") {
    TestAuthority authority;
    const TestCertificate certificate = authority.issue("IP:127.0.0.1");
    RedisPair cluster(authority, certificate);
    const std::string key = "plugin-limit-count:v1:g:all";
    RedisServer &owner = cluster.owner_of(key), &other = cluster.other_than(owner);
    Stage stage(plugins(authority,
                        "limit-count: {count: 5, time_window: 600, group: g, key: all, key_type: constant, "
                        "policy: redis-cluster, redis_cluster_name: c, redis_cluster_ssl: true, "
                        "redis_cluster_ssl_verify: true, redis_cluster_nodes: [\"" +
                            other.node() + "\"]}"));
    CHECK(stage.get("/").field("x-ratelimit-remaining") == "4");
    CHECK(stage.get("/").field("x-ratelimit-remaining") == "3");
    CHECK(owner.ask({"GET", key}) == "2");
}
