// Limits counted in Redis: shared by machines, with a server that stops, hangs, forgets, or belongs to a cluster.
#include <condition_variable>
#include <thread>

#include "tests/integration/limits_story.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/redis_server.hpp"

using namespace gateway::test;

namespace {

std::string at(const RedisServer& redis, const std::string& more = "") {
    return "policy: redis, redis_host: 127.0.0.1, redis_port: " + std::to_string(redis.port()) + more;
}
std::string limit_count(const std::string& count, const std::string& where) {
    return "limit-count: {count: " + count + ", time_window: 600, " + where + "}";
}

// A port where nobody listens.
std::string nowhere() {
    std::uint16_t port = 0;
    listen_on_free_port(port);
    return "policy: redis, redis_host: 127.0.0.1, redis_port: " + std::to_string(port);
}

}  // namespace

TEST_CASE("limits in redis: without a server requests fail as configured (LC16) (LR6)", "[e2e][limits_redis]") {
    Stage stage(plugins(limit_count("1", nowhere())));
    const Message answer = stage.get("/");
    CHECK(answer.status() == 500);
    CHECK(answer.body == "{\"error_msg\":\"failed to limit count\"}\n");
    Stage slow(plugins("limit-req: {rate: 1, burst: 0, key: remote_addr, " + nowhere() + "}"));
    CHECK(slow.get("/").status() == 500);
    CHECK(slow.get("/").body.find("<center><h1>500") != std::string::npos);
    Stage conn(
        plugins("limit-conn: {conn: 1, burst: 0, default_conn_delay: 0.1, key: remote_addr, " + nowhere() + "}"));
    CHECK(conn.get("/").status() == 500);
}

TEST_CASE("limits in redis: without a server requests pass where that is allowed (LC17)", "[e2e][limits_redis]") {
    Stage stage(plugins(limit_count("1", nowhere() + ", allow_degradation: true")));
    for (int i = 0; i < 3; ++i) {
        const Message answer = stage.get("/");
        CHECK(answer.status() == 200);
        CHECK(answer.field("x-ratelimit-limit").empty());
    }
    Stage slow(plugins("limit-req: {rate: 1, burst: 0, key: remote_addr, allow_degradation: true, " + nowhere() + "}"));
    CHECK(slow.get("/").status() == 200);
    CHECK(slow.get("/").status() == 200);
}

TEST_CASE("limits in redis: two gateways share one quota (LC18)", "[e2e][limits_redis]") {
    RedisServer redis;
    const std::string window = GENERATE("", ", window_type: sliding");
    Stage one(plugins(limit_count("2", at(redis) + window))), other(plugins(limit_count("2", at(redis) + window)));
    const Message first = one.get("/");
    CHECK(first.status() == 200);
    CHECK(first.field("x-ratelimit-remaining") == "1");
    CHECK(other.get("/").status() == 200);
    CHECK(one.get("/").status() == 503);
    CHECK(other.get("/").field("x-ratelimit-remaining") == "0");
}

TEST_CASE("limits in redis: many requests at once pass exactly as often as allowed", "[e2e][limits_redis]") {
    RedisServer redis;
    Stage stage(plugins(limit_count("100", at(redis)), 2));
    Tally tally;
    ask_in_parallel(stage.port(), 20, 20, tally);
    CHECK(tally.passed == 100);
    CHECK(tally.refused == 300);
}

TEST_CASE("limits in redis: a server that stops and returns is used again", "[e2e][limits_redis]") {
    RedisServer redis;
    const bool degrade = GENERATE(true, false);
    Stage stage(plugins(limit_count("2", at(redis, degrade ? ", allow_degradation: true" : ""))));
    RawClient client = stage.client();
    CHECK(client.get("/").field("x-ratelimit-remaining") == "1");
    redis.stop();
    for (int i = 0; i < 5; ++i) CHECK(client.get("/").status() == (degrade ? 200 : 500));
    redis.start();
    CHECK(client.get("/").field("x-ratelimit-remaining") == "1");
    CHECK(client.get("/").status() == 200);
    CHECK(client.get("/").status() == 503);
}

TEST_CASE("limits in redis: a server that hangs holds a request no longer than its time-out", "[e2e][limits_redis]") {
    RedisServer redis;
    Stage stage(plugins(limit_count("9", at(redis, ", redis_timeout: 200, allow_degradation: true"))));
    CHECK(stage.get("/").field("x-ratelimit-remaining") == "8");
    redis.freeze();
    const auto begin = std::chrono::steady_clock::now();
    CHECK(stage.get("/").status() == 200);
    CHECK(std::chrono::steady_clock::now() - begin < 800ms * patience);
    redis.thaw();
    CHECK(eventually([&] { return !stage.get("/").field("x-ratelimit-remaining").empty(); }));
}

TEST_CASE("limits in redis: password, user and database are used; a wrong one is an error", "[e2e][limits_redis]") {
    RedisServer redis({"--requirepass", "secret", "--user", "jack", "on", ">pass", "~*", "+@all"});
    Stage good(plugins(limit_count("2", at(redis, ", redis_password: secret, redis_database: 3"))));
    CHECK(good.get("/").status() == 200);
    CHECK(redis.ask({"-a", "secret", "--no-auth-warning", "-n", "3", "DBSIZE"}) == "1");
    Stage user(plugins(limit_count("2", at(redis, ", redis_username: jack, redis_password: pass"))));
    CHECK(user.get("/").status() == 200);
    Stage bad(plugins(limit_count("2", at(redis, ", redis_password: wrong"))));
    CHECK(bad.get("/").status() == 500);
    CHECK(bad.gateway.log().find("WRONGPASS") != std::string::npos);
}

TEST_CASE("limits in redis: a forgotten script is sent again", "[e2e][limits_redis]") {
    RedisServer redis;
    Stage stage(plugins(limit_count("3", at(redis))));
    CHECK(stage.get("/").status() == 200);
    REQUIRE(redis.ask({"SCRIPT", "FLUSH"}) == "OK");
    CHECK(stage.get("/").field("x-ratelimit-remaining") == "1");
}

TEST_CASE("limits in redis: limit-req waits and refuses", "[e2e][limits_redis]") {
    RedisServer redis;
    Stage stage(plugins("limit-req: {rate: 4, burst: 1, key: remote_addr, " + at(redis) + "}"));
    std::vector<std::thread> threads;
    std::atomic<int> passed{0}, refused{0};
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { ++(stage.get("/").status() == 200 ? passed : refused); });
    for (std::thread& thread : threads) thread.join();
    CHECK(passed == 2);
    CHECK(refused == 2);
    CHECK(std::chrono::steady_clock::now() - begin >= 150ms);
}

TEST_CASE("limits in redis: places of limit-conn are given back, lost ones expire", "[e2e][limits_redis]") {
    RedisServer redis;
    std::mutex mutex;
    std::unique_lock held(mutex);
    std::atomic<int> arrived{0};
    Stage stage(plugins("limit-conn: {conn: 1, burst: 1, default_conn_delay: 0.1, key_ttl: 1, key: remote_addr, " +
                        at(redis) + "}"),
                [&](Connection& to, const Message&) {
                    ++arrived;
                    const std::scoped_lock wait(mutex);
                    to.send(make_response(200, "ok"));
                });
    RawClient one = stage.client(), two = stage.client();
    one.send(make_request("GET", "/"));
    two.send(make_request("GET", "/"));
    REQUIRE(eventually([&] { return arrived == 2; }));
    CHECK(stage.get("/").status() == 503);
    // After key_ttl the two count as lost.
    held.unlock();
    CHECK(one.response().status() == 200);
    CHECK(two.response().status() == 200);
    const std::string key = "limit_conn:*";
    CHECK(eventually([&] { return redis.ask({"--scan", "--pattern", key}).empty(); }));
    CHECK(stage.get("/").status() == 200);
}

TEST_CASE("limits in redis: a cluster of two nodes, its redirections and its failure", "[e2e][limits_redis]") {
    RedisPair cluster;
    const std::string key = "plugin-limit-count:v1:g:all";
    RedisServer &owner = cluster.owner_of(key), &other = cluster.other_than(owner);
    Stage stage(
        plugins("limit-count: {count: 5, time_window: 600, group: g, key: all, key_type: constant, "
                "policy: redis-cluster, redis_cluster_name: c, redis_cluster_nodes: [\"" +
                other.node() + "\"]}"));
    CHECK(stage.get("/").field("x-ratelimit-remaining") == "4");
    CHECK(stage.get("/").field("x-ratelimit-remaining") == "3");
    CHECK(owner.ask({"GET", key}) == "2");

    // The slot moves: the old owner redirects.
    const std::string slot = owner.ask({"CLUSTER", "KEYSLOT", key});
    REQUIRE(owner.ask({"DEL", key}) == "1");
    const std::string id = other.ask({"CLUSTER", "MYID"});
    REQUIRE(other.ask({"CLUSTER", "SETSLOT", slot, "NODE", id}) == "OK");
    REQUIRE(owner.ask({"CLUSTER", "SETSLOT", slot, "NODE", id}) == "OK");
    CHECK(stage.get("/").field("x-ratelimit-remaining") == "4");
    CHECK(other.ask({"GET", key}) == "1");

    other.stop();
    CHECK(stage.get("/").status() == 500);
}
