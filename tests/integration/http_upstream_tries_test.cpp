// What an attempt is made of: who is asked, under which Host, over which connection, and what the answer tells of it.
#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;

namespace {

constexpr const char* statuses = "$status [$upstream_status] [$upstream_addr] $request_uri";

// Reads the head and a little of the body, and is gone.
ScriptedUpstream::Talk leaves_early() {
    return [](Connection& from) {
        from.read_until("\r\n\r\n");
        from.read_exactly(100000);
        from.reset();
    };
}

std::string two_nodes(const std::string& first, const std::string& second) {
    return node_map(first) + ", " + node_map(second);
}

std::string dead_node() {
    std::uint16_t port = 0;
    const gateway::UniqueFd gone = listen_on_free_port(port);
    return "127.0.0.1:" + std::to_string(port);
}

}  // namespace

TEST_CASE("upstream tries: with pass_host node each try has its own Host, and the lists one more entry",
          "[e2e][upstream]") {
    ScriptedUpstream live;
    const std::string dead = dead_node();
    GatewayProcess gateway(
        stage_options(two_nodes(dead, live.node()), {.upstream_lines = "pass_host: node", .format = statuses}));
    CHECK(fetch(gateway.port(), "GET", "/one").status() == 200);
    CHECK(fetch(gateway.port(), "GET", "/two").status() == 200);
    for (const Message& seen : live.requests()) CHECK(seen.field("host") == live.node());
    CHECK(logged(gateway, "200 [502, 200] [" + dead + ", " + live.node() + "] /"));
}

TEST_CASE("upstream tries: a body that went out in part is not sent again", "[e2e][upstream]") {
    ScriptedUpstream first(ScriptedUpstream::Raw{}, leaves_early()), second(ScriptedUpstream::Raw{}, leaves_early());
    GatewayProcess gateway(stage_options(two_nodes(first.node(), second.node()), {.format = statuses}));
    RawClient client(gateway.port());
    client.send("PUT /part HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
    client.try_send(std::string(200000, 'x'), 1s);
    CHECK(client.response().status() == 502);
    CHECK(first.accepted() + second.accepted() == 1);
}

TEST_CASE("upstream tries: a single node is tried again as often as retries say", "[e2e][upstream]") {
    Stage stage({.upstream_lines = "retries: 2", .format = statuses}, ScriptedUpstream::closes());
    CHECK(stage.get("/again").status() == 502);
    CHECK(stage.upstream.request_count() == 3);
    CHECK(logged(stage.gateway, "502 [502, 502, 502] "));
}

TEST_CASE("upstream tries: a type that is none serves one node and no more", "[e2e][upstream]") {
    ScriptedUpstream one, two;
    GatewayProcess gateway(stage_options(node_map(one.node()), {}));
    const auto routes = [](const std::string& nodes, const std::string& type) {
        return "routes:\n  - id: 1\n    uri: /*\n    upstream: {type: " + type + ", nodes: {" + nodes + "}}\n";
    };
    CHECK(gateway.reload(routes(node_map(one.node()), "none")).exit == 0);
    CHECK(fetch(gateway.port(), "GET", "/").status() == 200);
    const RunResult warned = gateway.reload(routes(two_nodes(one.node(), two.node()), "none"));
    CHECK(warned.exit == 0);
    CHECK(warned.out.find("unknown balancer \"none\"") != std::string::npos);
    CHECK(fetch(gateway.port(), "GET", "/").status() == 502);
    CHECK(gateway.log().find("invalid balancer type: none") != std::string::npos);
    CHECK(gateway.reload(routes("\"" + one.node() + "\": 0, \"" + two.node() + "\": 0", "roundrobin")).exit == 0);
    CHECK(fetch(gateway.port(), "GET", "/").status() == 502);
    CHECK(gateway.log().find("failed to pick server: ") != std::string::npos);
    CHECK(gateway.reload(routes("\"" + one.node() + "\": 0", "roundrobin")).exit == 0);
    CHECK(fetch(gateway.port(), "GET", "/").status() == 200);
}

TEST_CASE("upstream tries: the status of the upstream is told when it failed, or always where that is set",
          "[e2e][upstream]") {
    Stage stage({}, [](Connection& to, const Message& request) {
        to.send(make_response(request.target() == "/bad" ? 503 : 200, "x"));
    });
    CHECK(stage.get("/good").count("x-apisix-upstream-status") == 0);
    CHECK(stage.get("/bad").field("x-apisix-upstream-status") == "503");
    Stage always({.apisix = "show_upstream_status_in_response_header: true"});
    CHECK(always.get("/good").field("x-apisix-upstream-status") == "200");
    CHECK(always.gateway.reload("routes: []\n").exit == 0);
    const Message none = always.get("/good");
    CHECK(none.status() == 404);
    CHECK(none.count("x-apisix-upstream-status") == 0);
}

TEST_CASE("upstream tries: idle connections go after their time, and the oldest when there are too many",
          "[e2e][upstream]") {
    SECTION("time") {
        const bool by_upstream = GENERATE(true, false);
        Stage stage({.http = by_upstream ? "" : "upstream: {keepalive_timeout: 1s}",
                     .upstream_lines = by_upstream ? "keepalive_pool: {idle_timeout: 1}" : ""});
        CHECK(stage.get("/").status() == 200);
        CHECK(stage.upstream.open() == 1);
        CHECK(eventually([&] { return stage.upstream.open() == 0; }));
    }
    SECTION("number") {
        std::atomic<bool> go{false};
        Stage stage({.upstream_lines = "keepalive_pool: {size: 2}"}, [&go](Connection& to, const Message&) {
            if (eventually([&] { return go.load(); })) to.send(make_response(200, "ok"));
        });
        std::vector<RawClient> clients;
        for (int i = 0; i < 5; ++i) {
            clients.emplace_back(stage.port());
            clients.back().send(make_request("GET", "/"));
        }
        CHECK(eventually([&] { return stage.upstream.open() == 5; }));
        go = true;
        for (RawClient& client : clients) CHECK(client.response().status() == 200);
        CHECK(eventually([&] { return stage.upstream.open() == 2; }));
    }
}
