// Limits counted in a Redis that sentinels name: it moves, dies, is missing, or is a replica.
#include <chrono>

#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/redis_server.hpp"

using namespace gateway::test;
using namespace std::chrono_literals;

namespace {

const std::string key = "plugin-limit-count:v1:g:all";

StageOptions limited(const std::string& sentinels, const std::string& more = "") {
    StageOptions options;
    options.route_lines =
        "plugins: {limit-count: {count: 900, time_window: 600, group: g, key: all, key_type: constant, "
        "policy: redis-sentinel, redis_master_name: m, redis_sentinels: [" +
        sentinels + "]" + more + "}}";
    return options;
}

// A port where nobody listens.
std::string nobody() {
    std::uint16_t port = 0;
    listen_on_free_port(port);
    return "{host: 127.0.0.1, port: " + std::to_string(port) + "}";
}

bool logged(const Stage& stage, std::string_view text) {
    return eventually([&] { return stage.gateway.log().find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE("limits with sentinels: a master that moves is followed without a request lost", "[e2e][limits_sentinel]") {
    RedisGroup group;
    Stage stage(limited(group.sentinel.entry()));
    RawClient client = stage.client();
    CHECK(client.get("/").field("x-ratelimit-remaining") == "899");
    CHECK(group.master.ask({"GET", key}) == "1");
    REQUIRE(group.sentinel.ask({"SENTINEL", "FAILOVER", "m"}) == "OK\n");
    const auto moved = [&] {
        CHECK(client.get("/").status() == 200);
        return group.sentinel.master() == group.replica.port() && group.master.ask({"ROLE"}).rfind("slave", 0) == 0;
    };
    REQUIRE(eventually(moved, 30s));
    CHECK(client.get("/").status() == 200);
    const int before = std::stoi(group.replica.ask({"GET", key}));
    CHECK(client.get("/").status() == 200);
    CHECK(std::stoi(group.replica.ask({"GET", key})) == before + 1);
}

TEST_CASE("limits with sentinels: a master that dies is replaced", "[e2e][limits_sentinel]") {
    RedisGroup group;
    Stage stage(limited(group.sentinel.entry()));
    for (int i = 0; i < 3; ++i) CHECK(stage.get("/").status() == 200);
    REQUIRE(eventually([&] { return group.replica.ask({"GET", key}) == "3"; }));
    group.master.stop();
    CHECK(stage.get("/").status() == 500);
    REQUIRE(eventually([&] { return stage.get("/").status() == 200; }, 30s));
    CHECK(group.sentinel.master() == group.replica.port());
    CHECK(group.replica.ask({"GET", key}) == "4");
}

TEST_CASE("limits with sentinels: they are needed to find the server, not to use it", "[e2e][limits_sentinel]") {
    RedisServer redis;
    RedisSentinel sentinel(redis);
    REQUIRE(eventually([&] { return sentinel.master() == redis.port(); }));
    // The first entry does not answer: the next one is asked.
    Stage stage(limited(nobody() + ", " + sentinel.entry()));
    CHECK(stage.get("/").field("x-ratelimit-remaining") == "899");
    sentinel.stop();
    CHECK(stage.get("/").field("x-ratelimit-remaining") == "898");
    // Lost connections make it ask again; what is known serves on.
    redis.stop();
    CHECK(stage.get("/").status() == 500);
    redis.start();
    CHECK(eventually([&] { return stage.get("/").status() == 200; }));
}

TEST_CASE("limits with sentinels: without an answer requests fail in time, or pass", "[e2e][limits_sentinel]") {
    RedisServer redis;
    RedisSentinel sentinel(redis);
    REQUIRE(eventually([&] { return sentinel.master() == redis.port(); }));
    Stage alone(limited(nobody()));
    CHECK(alone.get("/").status() == 500);
    CHECK(logged(alone, "sentinel: "));
    Stage degraded(limited(nobody(), ", allow_degradation: true"));
    CHECK(degraded.get("/").status() == 200);
    StageOptions unknown = limited(sentinel.entry());
    unknown.route_lines.replace(unknown.route_lines.find("master_name: m"), 14, "master_name: n");
    Stage other(unknown);
    CHECK(other.get("/").status() == 500);
    CHECK(logged(other, "sentinel: it does not know that master"));
    Stage slow(limited(sentinel.entry(), ", redis_connect_timeout: 300, redis_read_timeout: 200"));
    CHECK(slow.get("/").status() == 200);
    redis.freeze();
    const auto begin = std::chrono::steady_clock::now();
    CHECK(slow.get("/").status() == 500);
    CHECK(std::chrono::steady_clock::now() - begin < 1s * patience);
    redis.thaw();
    CHECK(eventually([&] { return slow.get("/").status() == 200; }));
}

TEST_CASE("limits with sentinels: passwords, database and role are used", "[e2e][limits_sentinel]") {
    RedisServer redis({"--requirepass", "secret"});
    RedisSentinel sentinel(redis, "sentinel auth-pass m secret\nrequirepass guard\n");
    const std::string all = ", redis_password: secret, redis_database: 3";
    const auto found = [&] {
        return sentinel.ask({"-a", "guard", "--no-auth-warning", "PING"}).find("PONG") != std::string::npos;
    };
    REQUIRE(eventually(found));
    Stage good(limited(sentinel.entry(), ", sentinel_password: guard" + all));
    CHECK(good.get("/").status() == 200);
    CHECK(redis.ask({"-a", "secret", "--no-auth-warning", "-n", "3", "DBSIZE"}) == "1");
    Stage bad(limited(sentinel.entry(), ", sentinel_password: wrong" + all));
    CHECK(bad.get("/").status() == 500);
    CHECK(logged(bad, "sentinel: WRONGPASS"));

    RedisGroup group({"--replica-read-only", "no"});
    Stage second(limited(group.sentinel.entry(), ", redis_role: slave"));
    CHECK(second.get("/").status() == 200);
    CHECK(group.replica.ask({"GET", key}) == "1");
    CHECK(group.master.ask({"DBSIZE"}) == "0");
    REQUIRE(group.replica.ask({"CONFIG", "SET", "replica-read-only", "yes"}) == "OK");
    CHECK(second.get("/").status() == 500);
    CHECK(logged(second, "READONLY"));
}
