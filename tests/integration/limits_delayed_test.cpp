// limit-count with delayed synchronisation: real gateways, a real Redis that stops and returns.
#include <signal.h>

#include "tests/integration/limits_story.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/redis_server.hpp"

using namespace gateway::test;

namespace {

const std::string key = "plugin-limit-count:v1:g:all";

StageOptions delayed(const RedisServer& redis, const std::string& more, int workers = 1) {
    StageOptions options;
    options.route_lines = "plugins: {limit-count: {time_window: 600, group: g, policy: redis, redis_host: 127.0.0.1, " +
                          ("redis_port: " + std::to_string(redis.port()) + ", " + more + "}}");
    options.workers = workers;
    return options;
}
std::string all(const std::string& more) {
    return "key: all, key_type: constant, " + more;
}

std::string remaining(Stage& stage, std::string_view lines = {}) {
    const Message answer = stage.get("/", lines);
    return answer.status() == 200 ? std::string(answer.field("x-ratelimit-remaining")) : "refused";
}

}  // namespace

TEST_CASE("limits, delayed: two gateways learn of each other after an interval", "[e2e][limits_delayed]") {
    RedisServer redis;
    const StageOptions options = delayed(redis, all("count: 5, sync_interval: 0.1"));
    Stage one(options), other(options);
    CHECK(remaining(one) == "4");
    CHECK(remaining(one) == "3");
    CHECK(remaining(one) == "2");
    REQUIRE(eventually([&] { return redis.ask({"GET", key}) == "3"; }));
    CHECK(remaining(other) == "1");
    CHECK(remaining(other) == "0");
    CHECK(remaining(other) == "refused");
    REQUIRE(eventually([&] { return redis.ask({"GET", key}) == "5"; }));
    // The copy of the first is from before; what it admits by it makes it learn.
    int passed = 0;
    CHECK(eventually([&] {
        const bool refused = remaining(one) == "refused";
        passed += refused ? 0 : 1;
        return refused;
    }));
    CHECK(passed <= 2);
}

TEST_CASE("limits, delayed: requests in between do not reach Redis", "[e2e][limits_delayed]") {
    RedisServer redis;
    Stage stage(delayed(redis, all("count: 900, sync_interval: 60")));
    RawClient client = stage.client();
    for (int i = 0; i < 100; ++i) CHECK(client.get("/").status() == 200);
    CHECK(redis.ask({"GET", key}) == "1");
    // The worker tells the rest before it ends.
    CHECK(stage.gateway.stop(SIGQUIT) == 0);
    CHECK(redis.ask({"GET", key}) == "100");
}

TEST_CASE("limits, delayed: two workers share what the machine knows", "[e2e][limits_delayed]") {
    RedisServer redis;
    const std::string window = GENERATE("fixed", "sliding");
    Stage stage(delayed(redis, all("count: 100, sync_interval: 0.1, window_type: " + window), 2));
    Tally tally;
    ask_in_parallel(stage.port(), 20, 20, tally);
    CHECK(tally.passed >= 100);
    CHECK(tally.passed <= 110);  // between taking and noting what is being told a few may slip through
    CHECK(tally.passed + tally.refused == 400);
}

TEST_CASE("limits, delayed: without Redis the machine counts alone, with it again together", "[e2e][limits_delayed]") {
    RedisServer redis;
    Stage stage(delayed(redis, "count: 3, sync_interval: 0.1, key: http_k"));
    CHECK(remaining(stage, "k: a\r\n") == "2");
    redis.stop();
    CHECK(remaining(stage, "k: a\r\n") == "1");
    CHECK(remaining(stage, "k: b\r\n") == "2");
    CHECK(remaining(stage, "k: b\r\n") == "1");
    CHECK(remaining(stage, "k: b\r\n") == "0");
    CHECK(remaining(stage, "k: b\r\n") == "refused");
    CHECK(stage.gateway.log().find("Redis cannot be told, this machine counts alone") != std::string::npos);
    redis.start();
    // What the copy of `a` admitted is told; `b` begins anew.
    CHECK(eventually([&] { return redis.ask({"GET", "plugin-limit-count:v1:g:a"}) == "1"; }));
    CHECK(remaining(stage, "k: a\r\n") == "0");
    CHECK(eventually([&] { return remaining(stage, "k: b\r\n") != "refused"; }));
    CHECK(redis.ask({"GET", "plugin-limit-count:v1:g:b"}) == "1");
}

TEST_CASE("limits, delayed: windows no longer than the interval ask Redis each time", "[e2e][limits_delayed]") {
    RedisServer redis;
    StageOptions options = delayed(redis, all("count: 9, sync_interval: 60"));
    const std::size_t at = options.route_lines.find("time_window: 600");
    options.route_lines.replace(at, 16, "time_window: \"${http_window ?? 600}\"");
    Stage stage(options);
    for (int i = 0; i < 3; ++i) CHECK(stage.get("/", "window: 50\r\n").status() == 200);
    CHECK(redis.ask({"GET", key}) == "3");
}
