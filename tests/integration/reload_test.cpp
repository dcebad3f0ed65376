// Changes under load: nothing breaks, nothing is closed, and what is wrong is told everywhere in the same words.
#include <signal.h>

#include <algorithm>
#include <future>
#include <sstream>

#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/steady_load.hpp"

using namespace gateway::test;
using namespace std::chrono_literals;
using Manner = SteadyLoad::Manner;

namespace {

constexpr std::string_view status_listener = "  status: {ip: 127.0.0.1, port: 0}\n";

std::string node_list(const ScriptedUpstream& first, const ScriptedUpstream* second = nullptr) {
    return "{\"" + first.node() + "\": 1" + (second ? ", \"" + second->node() + "\": 1" : "") + "}";
}

// Every round differs from the one before in a route, a plugin's setting, a global rule and the nodes in use.
std::string routes_of_round(int round, const ScriptedUpstream& first, const ScriptedUpstream& second) {
    const std::string mark = std::to_string(round);
    return "upstreams:\n  - {id: back, type: roundrobin, nodes: " + node_list(first, round % 2 ? &second : nullptr) +
           "}\nglobal_rules:\n  - {id: 1, plugins: {response-rewrite: {headers: {set: {X-Round: '" + mark +
           "'}}}}}\nroutes:\n  - {id: 1, uri: /*, enable_websocket: true, upstream_id: back, desc: 'round " + mark +
           "', plugins: {proxy-rewrite: {headers: {set: {X-Mark: '" + mark + "'}}}}}\n";
}

// Every tenth round has a listener and a worker more, or less.
std::string static_of_round(int round) {
    const bool more = round / 10 % 2 != 0;
    return std::string("apisix:\n  node_listen: [{ip: 127.0.0.1, port: 0}") +
           (more ? ", {ip: 127.0.0.2, port: 0}" : "") +
           "]\nnginx_config: {error_log: stderr, worker_processes: " + (more ? "3" : "2") +
           ", http: {enable_access_log: false}}\ngateway: {data_dir: data, socket: gateway.sock}\n";
}

std::string reloaded_by(const GatewayProcess& gateway) {
    const auto status = gateway.status();
    return std::string(status.at("last_reload").at("by").as_string());
}

std::string mark_of(std::uint16_t port) {
    return std::string(fetch(port, "GET", "/").field("X-Round"));
}

std::vector<std::string> lines_with(const std::string& text, const std::string& part) {
    std::vector<std::string> found;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.find(part) != std::string::npos) found.push_back(line);
    }
    return found;
}

// State of the worker in that place, "none" if the status does not name it.
std::string worker_state(const GatewayProcess& gateway, std::size_t index) {
    const auto status = gateway.status();
    if (!status.is_object() || status.at("workers").as_array().size() <= index) return "none";
    return std::string(status.at("workers").at(index).at("state").as_string());
}

int readiness(std::uint16_t port) {
    return fetch(port, "GET", "/status/ready", "Connection: close\r\n").status();
}

std::uint16_t status_port(const GatewayProcess& gateway) {
    return static_cast<std::uint16_t>(gateway.status().at("status_port").to_number<int>());
}

// Whether twenty new connections are all served at once: none goes to a worker that stands still.
bool all_served(std::uint16_t port) {
    for (int i = 0; i < 20; ++i) {
        RawClient client(port);
        client.send(make_request("GET", "/"));
        if (!client.readable(500ms)) return false;
    }
    return true;
}

}  // namespace

TEST_CASE("reload: thirty changes of everything in use break nothing", "[reload]") {
    ScriptedUpstream first(answer_or_echo), second(answer_or_echo);
    GatewayOptions options;
    options.static_file = static_of_round(0);
    options.routes = routes_of_round(0, first, second);
    GatewayProcess gateway(options);
    const std::vector<pid_t> before = gateway.workers();
    REQUIRE(before.size() == 2);
    const auto port = gateway.port();
    IdleClients idle(port, 50);
    Tunnels tunnels(port, 20);
    SteadyLoad posts(port, Manner::keep_alive_posts, 8), gets(port, Manner::short_gets, 8);
    for (int round = 1; round <= 30; ++round) {
        gateway.write_static(static_of_round(round));
        const RunResult result = gateway.reload(routes_of_round(round, first, second));
        INFO(round << ": " << result.out);
        CHECK((result.exit == 0 || result.exit == 4));  // 4: done, but a worker was late
        const std::size_t enough = posts.answered() + 8;
        REQUIRE(eventually([&] { return posts.answered() >= enough; }, 20s));
    }
    CHECK(mark_of(port) == "30");
    const LoadResult posted = posts.stop(), got = gets.stop(), echoed = tunnels.stop();
    INFO(posted.first << " | " << got.first << " | " << echoed.first);
    CHECK(posted.broken == 0);
    CHECK(got.broken == 0);
    CHECK(echoed.broken == 0);
    CHECK(posted.answered >= 240);
    CHECK(got.answered > 0);
    CHECK(echoed.answered > 20);
    CHECK(idle.ask_again() == 50);
    const std::vector<pid_t> after = gateway.workers();
    REQUIRE(after.size() >= 3);
    CHECK(std::equal(before.begin(), before.end(), after.begin()));
}

TEST_CASE("reload: a changed file is applied by looking, by SIGHUP and by command", "[reload]") {
    ScriptedUpstream first, second;
    GatewayProcess gateway({.routes = routes_of_round(1, first, second)});
    REQUIRE(mark_of(gateway.port()) == "1");
    SECTION("the file is looked at each second") {
        gateway.write_routes(routes_of_round(2, first, second));
        CHECK(eventually([&] { return mark_of(gateway.port()) == "2"; }));
        CHECK(reloaded_by(gateway) == "poll");
    }
    SECTION("SIGHUP") {
        gateway.master().signal(SIGHUP);
        CHECK(eventually([&] { return reloaded_by(gateway) == "SIGHUP"; }));
        gateway.write_routes(routes_of_round(3, first, second));
        gateway.master().signal(SIGHUP);
        CHECK(eventually([&] { return mark_of(gateway.port()) == "3"; }));
    }
    SECTION("gatewayctl: live when the command returns") {
        const RunResult result = gateway.reload(routes_of_round(4, first, second));
        INFO(result.out);
        CHECK(result.exit == 0);
        CHECK(mark_of(gateway.port()) == "4");
    }
}

TEST_CASE("reload: all errors of bad files come out everywhere in the same words, and nothing changes", "[reload]") {
    ScriptedUpstream upstream;
    GatewayProcess gateway({.routes = routes_of_round(1, upstream, upstream)});
    const auto digest = gateway.status().at("digest");
    gateway.write_static(
        "apisix:\n  node_listen: [{ip: 127.0.0.1, port: 0}]\nnginx_config:\n  worker_proceses: 2\n"
        "  error_log: stderr\ngateway: {data_dir: data, socket: gateway.sock}\n");
    const RunResult reload = gateway.reload(
        "routes:\n  - id: 1\n    uri: /*\n    upstrem_id: 1\n  - id: 2\n"
        "    uri: 5\n    plugins: {proxy-rewritee: {}}\n");
    const std::vector<std::string> told = lines_with(reload.out, ": error: ");
    INFO(reload.out);
    CHECK(reload.exit == 1);
    CHECK(told.size() >= 4);
    CHECK_THAT(reload.out, contains("routes.yaml:4:5: error: routes/1 upstrem_id"));
    CHECK_THAT(reload.out, contains("did you mean \"upstream_id\"?"));
    CHECK_THAT(reload.out, contains("did you mean \"proxy-rewrite\"?"));
    CHECK_THAT(reload.out, contains("gateway.yaml:4:3: error: "));
    CHECK_THAT(reload.out, contains("did you mean \"worker_processes\"?"));
    const RunResult check = gateway.ctl({"check"});
    INFO(check.out);
    CHECK(check.exit == 1);
    CHECK(lines_with(check.out, ": error: ") == told);
    for (const std::string& line : told)
        CHECK_THAT(gateway.log(), contains("] " + std::to_string(gateway.control()) + ": " + line));
    const auto status = gateway.status();
    CHECK(status.at("last_reload").at("errors").as_array().size() == told.size());
    CHECK(status.at("last_reload").at("result").as_string() == "refused");
    CHECK(status.at("digest") == digest);
    CHECK(mark_of(gateway.port()) == "1");
}

TEST_CASE("put and delete: single objects change, and stay beside the route file", "[reload]") {
    ScriptedUpstream upstream;
    GatewayProcess gateway({.routes = routes_of_round(1, upstream, upstream), .workers = 2});
    const auto said = [&] { return fetch(gateway.port(), "GET", "/put").body; };
    const auto object = [](const std::string& text) {
        return "{\"uri\": \"/put\", \"plugins\": {\"mocking\": {\"response_example\": \"" + text + "\"}}}";
    };
    REQUIRE(gateway.put("route", "extra", object("one")).exit == 0);
    CHECK_THAT(said(), contains("one"));
    REQUIRE(gateway.put("route", "extra", object("two")).exit == 0);
    CHECK_THAT(said(), contains("two"));
    const RunResult bad = gateway.put("route", "extra", "{\"uri\": 5}");
    CHECK(bad.exit == 1);
    CHECK_THAT(bad.out, contains("uri: wrong type: expected string"));
    REQUIRE(gateway.reload(routes_of_round(2, upstream, upstream)).exit == 0);
    CHECK_THAT(said(), contains("two"));
    CHECK(mark_of(gateway.port()) == "2");
    const RunResult owned = gateway.ctl({"delete", "route", "1"});
    CHECK(owned.exit == 1);
    CHECK_THAT(owned.out, contains("route [1] is defined in "));
    REQUIRE(gateway.ctl({"delete", "route", "extra"}).exit == 0);
    CHECK(said() == "ok");
    CHECK(gateway.ctl({"delete", "route", "extra"}).exit == 1);
}

TEST_CASE("reload: a request under way ends on the configuration it began with", "[reload]") {
    std::promise<void> released;
    std::shared_future<void> release = released.get_future().share();
    ScriptedUpstream upstream([release](Connection& to, const Message& request) {
        if (request.target() == "/slow") release.wait();
        to.send(make_response(200, "ok"));
    });
    GatewayProcess gateway({.routes = routes_of_round(1, upstream, upstream)});
    RawClient client(gateway.port());
    client.send(make_request("GET", "/slow"));
    REQUIRE(eventually([&] { return upstream.request_count() == 1; }));
    const RunResult result = gateway.reload(routes_of_round(2, upstream, upstream));
    released.set_value();
    CHECK(result.exit == 0);
    CHECK(client.response().field("X-Round") == "1");
    CHECK(client.get("/next").field("X-Round") == "2");
}

TEST_CASE("reload: a worker that does not run is named, and the gateway is ready again when it does", "[reload]") {
    ScriptedUpstream upstream;
    GatewayProcess gateway(
        {.routes = routes_of_round(1, upstream, upstream), .workers = 2, .apisix = std::string(status_listener)});
    const auto port = status_port(gateway);
    const std::vector<pid_t> workers = gateway.workers();
    CHECK(readiness(port) == 200);
    freeze(workers[1]);
    CHECK(eventually([&] { return worker_state(gateway, 1) == "lagging"; }, 3s));
    CHECK(worker_state(gateway, 0) == "ready");
    const Message answer = fetch(port, "GET", "/status/ready", "Connection: close\r\n");
    CHECK(answer.status() == 503);
    CHECK_THAT(answer.body, contains("worker id: 1 is lagging"));
    REQUIRE(eventually([&] { return all_served(gateway.port()); }));
    const RunResult put =
        gateway.put("route", "x", R"({"uri": "/x", "plugins": {"mocking": {"response_example": "new"}}})");
    INFO(put.out);
    CHECK(put.exit == 0);
    CHECK_THAT(fetch(gateway.port(), "GET", "/x").body, contains("new"));
    ::kill(workers[1], SIGCONT);
    CHECK(eventually([&] { return readiness(port) == 200; }, 1s));
    CHECK(gateway.workers() == workers);
    const auto rows = gateway.status().at("workers");
    CHECK(rows.at(0).at("digest") == rows.at(1).at("digest"));
}

TEST_CASE("reload: connections to an upstream that did not change stay open", "[reload]") {
    ScriptedUpstream kept, first, second;
    const auto routes = [&](int round) {
        return "upstreams:\n  - {id: kept, type: roundrobin, nodes: " + node_list(kept) +
               "}\n  - {id: moved, type: roundrobin, nodes: " + node_list(round % 2 ? first : second) +
               "}\nroutes:\n  - {id: 1, uri: /kept, upstream_id: kept, desc: 'round " + std::to_string(round) +
               "'}\n  - {id: 2, uri: /moved, upstream_id: moved}\n";
    };
    GatewayProcess gateway({.routes = routes(0)});
    RawClient client(gateway.port());
    for (int round = 0; round < 6; ++round) {
        if (round > 0) REQUIRE(gateway.reload(routes(round)).exit == 0);
        CHECK(client.get("/kept").status() == 200);
        CHECK(client.get("/moved").status() == 200);
    }
    CHECK(kept.accepted() == 1);
    CHECK(first.request_count() == 3);
    CHECK(second.request_count() == 3);
}

TEST_CASE("check: twenty shadowed routes among a thousand are found, and none other", "[reload]") {
    TempDir folder;
    std::string text = "routes:\n";
    for (int i = 0; i < 1000; ++i) {
        const bool hidden = i % 50 == 49;  // the same path as the one before, of less weight
        const bool some_methods = i % 3 == 0 && i % 50 != 48;
        text += "  - {id: r" + std::to_string(i) + ", uri: /r/" + std::to_string(hidden ? i - 1 : i) +
                (hidden ? ", priority: -1" : "") + (some_methods ? ", methods: [GET, PUT]" : "") +
                ", plugins: {mocking: {response_example: x}}}\n";
    }
    const auto file = folder.write("routes.yaml", text);
    const RunResult check = run({program("gatewayctl"), "check", file.string()});
    const std::vector<std::string> found = lines_with(check.out, "no request can reach it");
    INFO(check.out);
    REQUIRE(found.size() == 20);
    for (std::size_t i = 0; i < found.size(); ++i) {
        CHECK_THAT(found[i], contains("routes/r" + std::to_string(50 * i + 49) + ": no request can reach it"));
    }
    CHECK(check.exit == 0);
}
