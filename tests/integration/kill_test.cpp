// Processes that die, stop or are replaced: what is lost, what is not, and how soon all is whole again.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>

#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/steady_load.hpp"

using namespace gateway::test;
using namespace std::chrono_literals;
using Manner = SteadyLoad::Manner;

namespace {

constexpr auto back_limit = 1500ms;  // 1 s is the bound; the rest is for asking

std::string echo_route(const ScriptedUpstream& upstream) {
    return "routes:\n  - {id: 1, uri: /*, enable_websocket: true, upstream: {type: roundrobin, nodes: {\"" +
           upstream.node() + "\": 1}}}\n";
}

// Whether a worker with another pid is ready in that place.
bool back(const GatewayProcess& gateway, std::size_t index, pid_t before) {
    const std::vector<pid_t> pids = gateway.workers();
    return pids.size() > index && pids[index] > 0 && pids[index] != before && gateway.ready();
}

// Holds answers back until it is opened.
class Barrier {
public:
    void wait() {
        std::unique_lock lock(mutex_);
        opened_.wait(lock, [this] { return open_; });
    }
    void open() {
        const std::scoped_lock lock(mutex_);
        open_ = true;
        opened_.notify_all();
    }
    ScriptedUpstream::Answer answer() {
        return [this](Connection& to, const Message& request) {
            if (request.target() == "/held") wait();
            to.send(make_response(200, "ok"));
        };
    }

private:
    std::mutex mutex_;
    std::condition_variable opened_;
    bool open_ = false;
};

// True if the connection gets a whole 200 for what was sent before; false if it ends without.
bool answered(RawClient& client) {
    try {
        return client.response().status() == 200;
    } catch (const ConnectionError&) {
        return false;
    }
}

}  // namespace

TEST_CASE("kill: a worker that dies loses what it had under way and nothing else", "[kill]") {
    Barrier barrier;
    ScriptedUpstream upstream(barrier.answer());
    GatewayProcess gateway({.routes = echo_route(upstream), .workers = 2});
    const std::vector<pid_t> before = gateway.workers();
    std::vector<RawClient> held;
    for (int i = 0; i < 32; ++i) {
        held.emplace_back(gateway.port());
        held.back().set_limit(20s);
        held.back().send(make_request("GET", "/held"));
    }
    REQUIRE(eventually([&] { return upstream.request_count() == held.size(); }));
    const auto connections = [&](std::size_t index) {
        return gateway.status().at("workers").at(index).at("connections").to_number<std::size_t>();
    };
    REQUIRE(eventually([&] { return connections(0) + connections(1) == held.size(); }));
    const std::size_t under_way = connections(0);
    ::kill(before[0], SIGKILL);
    CHECK(eventually([&] { return back(gateway, 0, before[0]); }, back_limit));
    barrier.open();
    const auto lost = std::count_if(held.begin(), held.end(), [](RawClient& client) { return !answered(client); });
    CHECK(static_cast<std::size_t>(lost) == under_way);
    CHECK(gateway.workers()[1] == before[1]);
}

TEST_CASE("kill: connections that wait in the queue of a worker that dies are served by the next", "[kill]") {
    ScriptedUpstream upstream;
    GatewayProcess gateway({.routes = echo_route(upstream)});
    const pid_t before = gateway.workers().at(0);
    freeze(before);
    std::vector<RawClient> waiting;
    for (int i = 0; i < 40; ++i) {
        waiting.emplace_back(gateway.port());
        waiting.back().set_limit(20s);
        waiting.back().send(make_request("GET", "/"));
    }
    ::kill(before, SIGKILL);
    CHECK(std::all_of(waiting.begin(), waiting.end(), answered));
    CHECK(eventually([&] { return back(gateway, 0, before); }, back_limit));
}

TEST_CASE("kill: no new connection waits for a worker that has died or stands still", "[kill]") {
    ScriptedUpstream upstream;
    GatewayProcess gateway({.routes = echo_route(upstream), .workers = 2});
    const std::vector<pid_t> before = gateway.workers();
    SECTION("died") {
        SteadyLoad gets(gateway.port(), Manner::short_gets, 4);
        REQUIRE(eventually([&] { return gets.answered() > 50; }));
        ::kill(before[1], SIGKILL);
        REQUIRE(eventually([&] { return back(gateway, 1, before[1]); }, back_limit));
        const std::size_t then = gets.answered();
        REQUIRE(eventually([&] { return gets.answered() > then + 50; }));
        const LoadResult result = gets.stop();
        INFO(result.first);
        CHECK(result.broken <= 4);  // at most one under way for each client
    }
    SECTION("stands still: steered away within two seconds") {
        freeze(before[1]);
        const auto all_fast = [&] {
            for (int i = 0; i < 20; ++i) {
                RawClient client(gateway.port());
                client.send(make_request("GET", "/"));
                if (!client.readable(200ms)) return false;
            }
            return true;
        };
        CHECK(eventually(all_fast, 2500ms));
        ::kill(before[1], SIGCONT);
        CHECK(eventually([&] { return gateway.ready(); }));
    }
}

constexpr const char* mocked = R"({{"uri": "/{}", "plugins": {{"mocking": {{"response_example": "{}"}}}}}})";

TEST_CASE("kill: traffic goes on without control, which is back soon and knows all", "[kill]") {
    ScriptedUpstream upstream(answer_or_echo);
    GatewayProcess gateway({.routes = echo_route(upstream), .workers = 2});
    const std::vector<pid_t> workers = gateway.workers();
    const pid_t before = gateway.control();
    SteadyLoad posts(gateway.port(), Manner::keep_alive_posts, 4), gets(gateway.port(), Manner::short_gets, 4);
    Tunnels tunnels(gateway.port(), 4);
    REQUIRE(eventually([&] { return posts.answered() > 20 && gets.answered() > 20; }));
    for (const char* id : {"a", "b", "c"}) {  // the last ones wait for the disk when control dies
        REQUIRE(gateway.put("route", id, fmt::format(mocked, id, id)).exit == 0);
    }
    const auto digest = gateway.status().at("digest");
    ::kill(before, SIGKILL);
    CHECK(eventually([&] { return gateway.control() > 0 && gateway.control() != before && gateway.ready(); },
                     back_limit));
    CHECK(gateway.workers() == workers);
    CHECK_THAT(fetch(gateway.port(), "GET", "/c").body, contains("c"));
    CHECK(gateway.status().at("digest") == digest);
    CHECK(posts.stop().broken + gets.stop().broken + tunnels.stop().broken == 0);
    CHECK(gateway.put("route", "x", R"({"uri": "/x", "plugins": {"mocking": {"response_example": "new"}}})").exit == 0);
    CHECK_THAT(fetch(gateway.port(), "GET", "/x").body, contains("new"));
}

TEST_CASE("kill: a worker that dies while control is down serves again with all that was put", "[kill]") {
    ScriptedUpstream upstream;
    GatewayProcess gateway({.routes = echo_route(upstream)});
    REQUIRE(gateway.put("route", "x", R"({"uri": "/x", "plugins": {"mocking": {"response_example": "put"}}})").exit ==
            0);
    const pid_t control = gateway.control(), worker = gateway.workers().at(0);
    const std::uint16_t port = gateway.port();
    freeze(control);  // down for as long as the test likes
    ::kill(worker, SIGKILL);
    RawClient client(port);
    client.set_limit(back_limit);
    CHECK(client.get("/").body == "ok");
    CHECK_THAT(client.get("/x").body, contains("put"));
    ::kill(control, SIGKILL);
    CHECK(eventually([&] { return gateway.control() > 0 && gateway.control() != control && gateway.ready(); }));
    CHECK(gateway.workers().at(0) != worker);
    CHECK_THAT(client.get("/x").body, contains("put"));
}

TEST_CASE("kill: without its master nothing goes on, and a new start binds at once", "[kill]") {
    ScriptedUpstream upstream;
    GatewayProcess gateway({.routes = echo_route(upstream), .workers = 2});
    const std::uint16_t port = gateway.port();
    std::vector<pid_t> children = gateway.workers();
    children.push_back(gateway.control());
    ::kill(gateway.master().pid(), SIGKILL);
    CHECK(eventually([&] { return std::none_of(children.begin(), children.end(), alive); }, 1s));
    CHECK(gateway.master().wait() == 128 + SIGKILL);
    GatewayOptions again{.routes = echo_route(upstream), .workers = 2};
    again.apisix = "  node_listen: [{ip: 127.0.0.1, port: " + std::to_string(port) + "}]\n";
    GatewayProcess next(again);
    CHECK(fetch(port, "GET", "/").status() == 200);
}

TEST_CASE("stop: a second instance is refused and names what it meets", "[kill]") {
    ScriptedUpstream upstream;
    GatewayProcess gateway({.routes = echo_route(upstream)});
    SECTION("the same data_dir") {
        const RunResult second = run({program("gatewayd"), "-c", gateway.config()}, 10s);
        CHECK(second.exit == 1);
        CHECK_THAT(second.out, contains((gateway.folder() / "data").string()));
    }
    SECTION("the same address") {
        const std::string address = "127.0.0.1:" + std::to_string(gateway.port());
        GatewayOptions other{.routes = echo_route(upstream)};
        other.apisix = "  node_listen: [{ip: 127.0.0.1, port: " + std::to_string(gateway.port()) + "}]\n";
        other.wait = false;
        GatewayProcess second(other);
        CHECK(second.master().wait(10s) == 1);
        CHECK_THAT(second.log(), contains(address));
    }
    CHECK(fetch(gateway.port(), "GET", "/").status() == 200);
}

TEST_CASE("stop: QUIT lets requests end with Connection: close, TERM does not wait", "[kill]") {
    Barrier barrier;
    ScriptedUpstream upstream(barrier.answer());
    GatewayProcess gateway({.routes = echo_route(upstream), .workers = 2});
    const std::uint16_t port = gateway.port();
    RawClient idle(port), held(port);
    CHECK(idle.get("/").field("Connection") != "close");
    held.send(make_request("GET", "/held"));
    REQUIRE(eventually([&] { return upstream.request_count() == 2; }));
    SECTION("QUIT") {
        gateway.master().signal(SIGQUIT);
        REQUIRE(eventually([&] { return gateway.log().find("graceful") != std::string::npos || !gateway.ready(); }));
        barrier.open();
        const Message answer = held.response();
        CHECK(answer.status() == 200);
        CHECK(answer.field("Connection") == "close");
        CHECK(idle.wait_for_end(5s));
        CHECK(gateway.master().wait(5s) == 0);
    }
    SECTION("TERM") {
        gateway.master().signal(SIGTERM);
        CHECK(gateway.master().wait(1500ms) == 0);
        CHECK(held.wait_for_end(1s));
        barrier.open();
    }
    CHECK_THROWS_AS(RawClient(port), ConnectionError);
}

TEST_CASE("upgrade: the real binary replaces itself under load and breaks nothing", "[kill]") {
    ScriptedUpstream upstream(answer_or_echo);
    GatewayProcess gateway({.routes = echo_route(upstream), .workers = 2});
    const std::vector<pid_t> before = gateway.workers();
    const pid_t control = gateway.control();
    IdleClients idle(gateway.port(), 20);
    SteadyLoad posts(gateway.port(), Manner::keep_alive_posts, 8), gets(gateway.port(), Manner::short_gets, 8);
    REQUIRE(eventually([&] { return posts.answered() > 50 && gets.answered() > 50; }));
    gateway.master().signal(SIGUSR2);
    const auto replaced = [&] {
        const auto status = gateway.status();
        if (!status.is_object() || status.at("control").at("pid").to_number<pid_t>() == control) return false;
        std::size_t fresh = 0;
        for (const auto& worker : status.at("workers").as_array()) {
            const auto pid = worker.at("pid").to_number<pid_t>();
            fresh += worker.at("state").as_string() == "ready" && std::count(before.begin(), before.end(), pid) == 0;
        }
        return fresh == 2;
    };
    CHECK(eventually(replaced, 15s));
    const std::size_t then = posts.answered();
    CHECK(eventually([&] { return posts.answered() > then + 100; }, 10s));
    CHECK(idle.ask_again() == 20);
    const LoadResult posted = posts.stop(), got = gets.stop();
    INFO(posted.first << " | " << got.first << "\n" << gateway.log());
    CHECK(posted.broken == 0);
    CHECK(got.broken == 0);
    CHECK(gateway.master().running());
    CHECK(eventually([&] { return std::none_of(before.begin(), before.end(), alive); }, 10s));
}

TEST_CASE("upgrade: a put that was accepted while it went on is in force in the new workers", "[kill]") {
    GatewayProcess gateway({.workers = 2});
    const pid_t control = gateway.control();
    const std::uint16_t port = gateway.port();
    std::vector<std::string> accepted;
    const auto put_one = [&] {
        const std::string id = "p" + std::to_string(accepted.size());
        const RunResult put = gateway.put(
            "route", id, R"({"uri":"/)" + id + R"(","plugins":{"mocking":{"response_example":")" + id + R"("}}})");
        INFO(put.out);
        // Refused for the moment, with the reason, or in force.
        if (put.exit != 0) CHECK_THAT(put.out, contains("a new binary is starting") || contains("loading"));
        if (put.exit != 0) return false;
        CHECK(fetch(port, "GET", "/" + id).body == id);
        accepted.push_back(id);
        return true;
    };
    REQUIRE(put_one());
    gateway.master().signal(SIGUSR2);
    const auto upgraded = [&] {
        const pid_t now = gateway.control();
        return now > 0 && now != control;
    };
    CHECK(eventually([&] { return static_cast<void>(put_one()), upgraded(); }, 15s));
    CHECK(eventually(put_one));
    for (const std::string& id : accepted) {
        for (int i = 0; i < 6; ++i) CHECK(fetch(port, "GET", "/" + id).body == id);
    }
}
