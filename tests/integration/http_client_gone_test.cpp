// Clients that leave: before the answer the upstream exchange is cancelled and the log says 499.
#include "tests/integration/http_story.hpp"
#include "tests/support/black_hole.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/scripted_dns.hpp"

using namespace gateway::test;

namespace {

bool upstream_let_go(Stage& stage) {
    return eventually([&] { return stage.upstream.open() == 0; });
}

void leave(RawClient& client, bool reset) {
    reset ? client.reset() : client.half_close();
}

bool is_served(const GatewayProcess& gateway, std::string_view target) {
    return gateway.ctl({"--json", "show", "connections"}).out.find(target) != std::string::npos;
}

}  // namespace

TEST_CASE("client gone: while the gateway connects, the attempt is given up at once", "[e2e][gone]") {
    BlackHole hole;
    ScriptedUpstream other;
    GatewayOptions options =
        stage_options(node_map(hole.node()), {.format = "$status [$upstream_status] $request_uri"});
    options.routes += "  - id: 2\n    uri: /other\n    upstream: {nodes: {\"" + other.node() + "\": 1}}\n";
    GatewayProcess gateway(options);
    for (const bool reset : {false, true}) {
        RawClient client(gateway.port());
        client.send(make_request("GET", reset ? "/reset" : "/closed"));
        CHECK(eventually([&] { return hole.visitors() == 1; }));
        leave(client, reset);
        CHECK(eventually([&] { return hole.visitors() == 0; }));
        CHECK(logged(gateway, reset ? "499 [-] /reset" : "499 [-] /closed"));
    }
    CHECK(fetch(gateway.port(), "GET", "/other").status() == 200);
}

TEST_CASE("client gone: while a name is looked up, and others who wait for it get their answer", "[e2e][gone]") {
    ScriptedDns names;
    ScriptedUpstream upstream;
    GatewayOptions options = stage_options("\"slow.example:" + std::to_string(upstream.port()) + "\": 1", {});
    options.apisix += "  dns_resolver: [\"" + names.server() + "\"]\n  resolver_timeout: 60\n";
    GatewayProcess gateway(options);
    RawClient leaving(gateway.port()), resetting(gateway.port()), staying(gateway.port());
    leaving.send(make_request("GET", "/leaves"));
    staying.send(make_request("GET", "/stays"));
    resetting.send(make_request("GET", "/resets"));
    CHECK(eventually([&] {
        return names.questions() > 0 && is_served(gateway, "/leaves") && is_served(gateway, "/stays") &&
               is_served(gateway, "/resets");
    }));
    leave(leaving, false);
    leave(resetting, true);
    CHECK(logged(gateway, "499 /leaves"));
    CHECK(logged(gateway, "499 /resets"));
    CHECK(upstream.accepted() == 0);
    names.speak();
    CHECK(staying.response().status() == 200);
    CHECK(upstream.request_count() == 1);
    CHECK(fetch(gateway.port(), "GET", "/known").status() == 200);
}

TEST_CASE("client gone: FIN or RST before the answer cancels the upstream exchange, 499 in the log", "[e2e][gone]") {
    Stage stage({}, ScriptedUpstream::stalls());
    for (const bool reset : {false, true}) {
        RawClient client = stage.client();
        client.send(make_request("GET", reset ? "/reset" : "/closed"));
        CHECK(eventually([&] { return stage.upstream.open() == 1; }));
        reset ? client.reset() : client.half_close();
        CHECK(upstream_let_go(stage));
        CHECK(logged(stage.gateway, reset ? "499 /reset" : "499 /closed"));
    }
}

TEST_CASE("client gone: in the middle of its upload", "[e2e][gone]") {
    Stage stage;
    for (const bool reset : {false, true}) {
        RawClient client = stage.client();
        client.send("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf");
        CHECK(eventually([&] { return stage.upstream.open() == 1; }));
        reset ? client.reset() : client.close();
        CHECK(upstream_let_go(stage));
    }
    CHECK(logged(stage.gateway, "499 /up"));
    for (const Message& seen : stage.upstream.requests()) CHECK_FALSE(seen.complete);
}

TEST_CASE("client gone: in the middle of a download that goes on", "[e2e][gone]") {
    Stage stage({}, [](Connection& to, const Message&) {
        to.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (;;) to.send("5\r\nhello\r\n");
    });
    RawClient client = stage.client();
    client.send(make_request("GET", "/down"));
    CHECK(client.read_until("hello").starts_with("HTTP/1.1 200"));
    client.reset();
    CHECK(upstream_let_go(stage));
    CHECK(logged(stage.gateway, "200 /down"));
}

TEST_CASE("client gone: a reset in a download that is silent", "[e2e][gone]") {
    Stage stage({}, [](Connection& to, const Message&) {
        to.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        to.wait_for_end(60s);
    });
    RawClient client = stage.client();
    client.send(make_request("GET", "/silent"));
    CHECK(client.read_until("hello").starts_with("HTTP/1.1 200"));
    client.reset();
    CHECK(upstream_let_go(stage));
}

TEST_CASE("client gone: a client that has ended its half still gets an answer that has begun", "[e2e][gone]") {
    std::atomic<bool> go{false};
    Stage stage({}, [&go](Connection& to, const Message&) {
        to.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        if (!eventually([&] { return go.load(); })) return;
        to.send("5\r\nworld\r\n0\r\n\r\n");
    });
    RawClient client = stage.client();
    client.send(make_request("GET", "/half"));
    CHECK(client.read_until("hello").starts_with("HTTP/1.1 200"));
    client.half_close();
    go = true;
    CHECK(client.read_to_end().ends_with("5\r\nworld\r\n0\r\n\r\n"));
}

TEST_CASE("client gone: while a retry is due nothing more is tried", "[e2e][gone]") {
    ScriptedUpstream first(ScriptedUpstream::stalls()), second(ScriptedUpstream::stalls());
    GatewayProcess gateway(stage_options(node_map(first.node()) + ", " + node_map(second.node()),
                                         {.upstream_lines = "timeout: {connect: 9, send: 9, read: 9}"}));
    RawClient client(gateway.port());
    client.send(make_request("GET", "/"));
    CHECK(eventually([&] { return first.open() + second.open() == 1; }));
    client.close();
    CHECK(eventually([&] { return first.open() + second.open() == 0; }));
    CHECK(logged(gateway, "499 /"));
    CHECK(first.accepted() + second.accepted() == 1);
}

TEST_CASE("client gone: many at once leave nothing behind", "[e2e][gone]") {
    Stage stage({}, ScriptedUpstream::stalls());
    for (int round = 0; round < 3; ++round) {
        std::vector<RawClient> clients;
        for (int i = 0; i < 50; ++i) {
            clients.emplace_back(stage.port());
            clients.back().send(make_request("GET", "/many"));
        }
        CHECK(eventually([&] { return stage.upstream.open() == 50; }));
        clients.clear();
        CHECK(upstream_let_go(stage));
    }
    stage.upstream.script(ScriptedUpstream::answers(200, "ok"));
    CHECK(stage.get("/").status() == 200);
}
