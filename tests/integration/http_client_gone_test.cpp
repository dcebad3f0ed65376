// Clients that leave: before the answer the upstream exchange is cancelled and the log says 499.
#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;

namespace {

bool upstream_let_go(Stage& stage) {
    return eventually([&] { return stage.upstream.open() == 0; });
}

}  // namespace

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
