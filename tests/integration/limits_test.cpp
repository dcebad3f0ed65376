// Limits that hold for the whole machine: over all workers, through reloads, and when workers are killed.
#include <signal.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/integration/limits_story.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;

namespace {

// An upstream that holds its answers until it is opened.
class Held {
public:
    ScriptedUpstream::Answer answer() {
        return [this](Connection& to, const Message&) {
            ++arrived;
            std::unique_lock lock(mutex_);
            opened_.wait(lock, [this] { return open_; });
            to.send(make_response(200, "ok"));
        };
    }
    void open() {
        const std::scoped_lock lock(mutex_);
        open_ = true;
        opened_.notify_all();
    }
    std::atomic<int> arrived{0};

private:
    std::mutex mutex_;
    std::condition_variable opened_;
    bool open_ = false;
};

}  // namespace

TEST_CASE("limits: four workers together admit exactly the quota (LC22)", "[e2e][limits]") {
    const auto [count, connections, each] = GENERATE(table<int, int, int>({{100, 40, 10}, {1000, 50, 100}}));
    Stage stage(plugins("limit-count: {count: " + std::to_string(count) + ", time_window: 600}", 4));
    Tally tally;
    ask_in_parallel(stage.port(), connections, each, tally);
    CHECK(tally.passed == count);
    CHECK(tally.refused == connections * each - count);
    CHECK(stage.upstream.request_count() == static_cast<std::size_t>(count));
    const auto table = stage.gateway.status().at("tables").at(0);
    CHECK(table.at("table").as_string() == "plugin-limit-count");
    CHECK(table.at("entries").to_number<int>() == 1);
}

TEST_CASE("limits: four workers together admit exactly the quota of a sliding window", "[e2e][limits]") {
    Stage stage(plugins("limit-count: {count: 200, time_window: 86400, window_type: sliding}", 4));
    Tally tally;
    ask_in_parallel(stage.port(), 20, 50, tally);
    CHECK(tally.passed == 200);
    CHECK(tally.other == 0);
}

TEST_CASE("limits: counters outlive killed workers and reloads", "[e2e][limits]") {
    Stage stage(plugins("limit-count: {count: 50, time_window: 600}", 2));
    Tally tally;
    ask_in_parallel(stage.port(), 4, 10, tally);
    REQUIRE(tally.passed == 40);
    const std::vector<pid_t> before = stage.gateway.workers();
    for (const pid_t pid : before) ::kill(pid, SIGKILL);
    REQUIRE(eventually([&] {
        const std::vector<pid_t> now = stage.gateway.workers();
        return now.size() == 2 && now[0] > 0 && now[1] > 0 && now[0] != before[0] && now[1] != before[1] &&
               stage.gateway.ready();
    }));
    REQUIRE(stage.gateway.ctl({"reload"}).exit == 0);
    ask_in_parallel(stage.port(), 4, 10, tally);
    CHECK(tally.passed == 50);
    CHECK(tally.refused == 30);
}

TEST_CASE("limits: the quota is told in the answer, and replaces the upstream's fields", "[e2e][limits]") {
    Stage stage(plugins("limit-count: {count: 1, time_window: 60, rejected_code: 429, rejected_msg: later}", 1),
                ScriptedUpstream::answers(200, "ok", "X-RateLimit-Limit: 999\r\n"));
    const Message first = stage.get("/"), second = stage.get("/");
    CHECK(first.field("x-ratelimit-limit") == "1");
    CHECK(first.count("x-ratelimit-limit") == 1);
    CHECK(first.field("x-ratelimit-remaining") == "0");
    CHECK(first.field("x-ratelimit-reset") == "60");
    CHECK(second.status() == 429);
    CHECK(second.body == "{\"error_msg\":\"later\"}\n");
    CHECK(second.field("x-ratelimit-remaining") == "0");
}

TEST_CASE("limits: two workers count connections together (LN7)", "[e2e][limits]") {
    Held held;
    Stage stage(plugins("limit-conn: {conn: 2, burst: 1, default_conn_delay: 0.1, key: remote_addr}", 2),
                held.answer());
    std::vector<std::thread> threads;
    Tally tally;
    for (int i = 0; i < 10; ++i) threads.emplace_back([&] { tally.count(stage.get("/").status()); });
    CHECK(eventually([&] { return tally.refused == 7 && held.arrived == 3; }));
    held.open();
    for (std::thread& thread : threads) thread.join();
    CHECK(tally.passed == 3);
    CHECK(stage.get("/").status() == 200);
}

TEST_CASE("limits: a client that gives up while it waits frees its place (LN8)", "[e2e][limits]") {
    Held held;
    Stage stage(plugins("limit-conn: {conn: 1, burst: 0, default_conn_delay: 0.1, key: remote_addr}", 1),
                held.answer());
    {
        RawClient impatient = stage.client();
        impatient.send(make_request("GET", "/"));
        REQUIRE(eventually([&] { return held.arrived == 1; }));
        CHECK(stage.get("/").status() == 503);
    }
    held.open();
    CHECK(eventually([&] { return stage.get("/").status() == 200; }));
}

TEST_CASE("limits: places of a killed worker are free again", "[e2e][limits]") {
    Held held;
    Stage stage(plugins("limit-conn: {conn: 2, burst: 0, default_conn_delay: 0.1, key: remote_addr}", 1),
                held.answer());
    RawClient one = stage.client(), two = stage.client();
    one.send(make_request("GET", "/"));
    two.send(make_request("GET", "/"));
    REQUIRE(eventually([&] { return held.arrived == 2; }));
    CHECK(stage.get("/").status() == 503);
    const pid_t before = stage.gateway.workers().at(0);
    ::kill(before, SIGKILL);
    held.open();
    REQUIRE(eventually([&] {
        const auto pids = stage.gateway.workers();
        return pids.size() == 1 && pids[0] > 0 && pids[0] != before && stage.gateway.ready();
    }));
    CHECK(stage.get("/").status() == 200);
    CHECK(stage.get("/").status() == 200);
}

TEST_CASE("limits: the burst of limit-req waits without holding up others", "[e2e][limits]") {
    Stage stage(plugins("limit-req: {rate: 2, burst: 1, key: http_who}", 1));
    CHECK(stage.get("/", "Who: a\r\n").status() == 200);
    RawClient slow = stage.client();
    const auto begin = std::chrono::steady_clock::now();
    slow.send(make_request("GET", "/", "Who: a\r\n"));
    CHECK(stage.get("/", "Who: b\r\n").status() == 200);
    CHECK(slow.response().status() == 200);
    CHECK(std::chrono::steady_clock::now() - begin >= 300ms);
}

TEST_CASE("limits: the breaker opens after failures in any worker", "[e2e][limits]") {
    Stage stage(plugins("api-breaker: {break_response_code: 502, break_response_body: open, "
                        "break_response_headers: [{key: X-Open, value: \"$remote_addr\"}]}",
                        2),
                ScriptedUpstream::answers(500, "bad"));
    for (int i = 0; i < 3; ++i) CHECK(stage.get("/a").status() == 500);
    REQUIRE(eventually([&] { return stage.get("/a").status() == 502; }));
    const Message answer = stage.get("/a");
    CHECK(answer.body == "open");
    CHECK(answer.field("x-open") == "127.0.0.1");
    CHECK(stage.get("/b").status() == 500);
}

TEST_CASE("limits: routes of one group that disagree are refused, by put and in the file", "[e2e][limits]") {
    Stage stage(plugins("limit-count: {count: 2, time_window: 60, group: g}", 1));
    const auto route = [&](int count) {
        return R"({"uri":"/other","upstream":{"type":"roundrobin","nodes":{")" + stage.upstream.node() +
               R"(":1}},"plugins":{"limit-count":{"count":)" + std::to_string(count) +
               R"(,"time_window":60,"group":"g"}}})";
    };
    const RunResult refused = stage.gateway.put("route", "2", route(3));
    CHECK(refused.exit == 1);
    CHECK(refused.out.find("group conf mismatched") != std::string::npos);
    REQUIRE(stage.gateway.put("route", "2", route(2)).exit == 0);
    CHECK(stage.get("/").status() == 200);
    CHECK(stage.get("/other").status() == 200);
    CHECK(stage.get("/").status() == 503);
    const std::string list =
        "routes:\n  - {id: 1, uri: /a, plugins: {limit-count: {count: 2, time_window: 60, group: g}}}\n"
        "  - {id: 3, uri: /b, plugins: {limit-count: {count: 9, time_window: 60, group: g}}}\n";
    const RunResult reload = stage.gateway.reload(list);
    CHECK(reload.exit != 0);
    CHECK(reload.out.find("group conf mismatched") != std::string::npos);
}

TEST_CASE("limits: a table as small as the static file says evicts, warns and tells so", "[e2e][limits]") {
    StageOptions options = plugins("limit-count: {count: 1, time_window: 600, key: arg_k}", 1);
    options.http = "lua_shared_dict: {plugin-limit-count: 64k, prometheus-metrics: 15m}";
    Stage stage(options);
    const auto table = [&] { return stage.gateway.status().at("tables").at(0); };
    const int capacity = table().at("capacity").to_number<int>();
    CHECK(capacity < 1000);
    RawClient client = stage.client();
    for (int i = 0; i < capacity + 50; ++i) client.get("/?k=" + std::to_string(i));
    CHECK(table().at("evictions").to_number<int>() >= 50);
    CHECK(eventually([&] {
        return stage.gateway.log().find("shared memory zone plugin-limit-count is full") != std::string::npos;
    }));
}
