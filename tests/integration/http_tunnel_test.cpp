// Upgrades: a WebSocket is relayed byte for byte where the route allows it; nothing else opens a tunnel.
#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;

namespace {

const std::string upgrade =
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

StageOptions allowed(const std::string& upstream_lines = {}) {
    return {.upstream_lines = upstream_lines, .route_lines = "enable_websocket: true"};
}

}  // namespace

TEST_CASE("http tunnel: a WebSocket is relayed both ways, bytes behind the request included", "[e2e][tunnel]") {
    Stage stage(allowed(), ScriptedUpstream::upgrades_and_echoes());
    RawClient client = stage.client();
    client.send(upgrade + "first bytes");
    const Message answer = client.response();
    CHECK(answer.status() == 101);
    CHECK(answer.field("upgrade") == "websocket");
    CHECK(answer.field("connection") == "upgrade");
    CHECK(client.read_exactly(11) == "first bytes");
    const Message request = stage.upstream.requests().at(0);
    CHECK(request.field("upgrade") == "websocket");
    CHECK(request.field("connection") == "upgrade");
    CHECK(request.field("sec-websocket-key") == "dGhlIHNhbXBsZSBub25jZQ==");
    const std::string large(1 << 20, 'w');
    std::thread writer([&] { client.try_send(large, 10s); });
    CHECK(client.read_exactly(large.size()) == large);
    writer.join();
    client.close();
    CHECK(eventually([&] { return stage.upstream.open() == 0; }));
    CHECK(logged(stage.gateway, "101 /ws"));
}

TEST_CASE("http tunnel: U19, without enable_websocket the upstream sees a plain request", "[e2e][tunnel]") {
    Stage stage;
    RawClient client = stage.client();
    client.send(upgrade);
    CHECK(client.response().status() == 200);
    const Message request = stage.upstream.requests().at(0);
    CHECK(request.count("upgrade") == 0);
    CHECK(request.count("connection") == 0);
    CHECK(client.get("/next").status() == 200);
}

TEST_CASE("http tunnel: an upstream that refuses the upgrade answers like any other", "[e2e][tunnel]") {
    Stage stage(allowed(), ScriptedUpstream::answers(403, "no"));
    RawClient client = stage.client();
    client.send(upgrade);
    CHECK(client.response().status() == 403);
    client.send(upgrade);
    CHECK(client.response().body == "no");
    CHECK(stage.upstream.accepted() == 1);
}

TEST_CASE("http tunnel: neither h2c nor CONNECT nor an upgrade of POST opens one", "[e2e][tunnel]") {
    Stage stage(allowed(), ScriptedUpstream::upgrades_and_echoes());
    for (const std::string& request :
         {std::string("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: "
                      "h2c\r\nHTTP2-Settings: AAM\r\n\r\n"),
          std::string("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n"),
          std::string("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n"),
          std::string(
              "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx"),
          std::string("GET / HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")}) {
        INFO(request);
        RawClient client = stage.client();
        client.send(request);
        CHECK(client.response().status() == 502);  // the upstream's 101 was not asked for
    }
    for (const Message& seen : stage.upstream.requests()) CHECK(seen.count("upgrade") == 0);
    const std::size_t before = stage.upstream.request_count();
    RawClient client = stage.client();
    client.send("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n");
    const int status = client.response().status();
    CHECK((status >= 400 && status < 600));
    CHECK(stage.upstream.request_count() == before);
}

TEST_CASE("http tunnel: the end of one half leaves the other open", "[e2e][tunnel]") {
    Stage stage(allowed(), [](Connection& to, const Message&) {
        to.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
        const std::string all = to.read_to_end();
        to.send("you said " + all);
    });
    RawClient client = stage.client();
    client.send(upgrade);
    CHECK(client.response().status() == 101);
    client.send("hello");
    client.half_close();
    CHECK(client.read_to_end() == "you said hello");
    CHECK(client.end() == End::eof);

    stage.upstream.script([](Connection& to, const Message&) {
        to.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nbye");
        to.half_close();
        to.read_until("still here");
    });
    RawClient second = stage.client();
    second.send(upgrade);
    CHECK(second.response().status() == 101);
    CHECK(second.read_to_end() == "bye");
    second.send("still here");
    second.half_close();
    CHECK(eventually([&] { return stage.upstream.open() == 0; }));
}

TEST_CASE("http tunnel: a reset of one side ends the other", "[e2e][tunnel]") {
    Stage stage(allowed(), ScriptedUpstream::upgrades_and_echoes());
    RawClient client = stage.client();
    client.send(upgrade);
    CHECK(client.response().status() == 101);
    client.reset();
    CHECK(eventually([&] { return stage.upstream.open() == 0; }));
    stage.upstream.script([](Connection& to, const Message&) {
        to.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
        to.read_until("now");
        to.reset();
    });
    RawClient second = stage.client();
    second.send(upgrade + "now");
    CHECK(second.response().status() == 101);
    CHECK(second.wait_for_end());
}

TEST_CASE("http tunnel: a quiet tunnel ends after the read time, a busy one does not", "[e2e][tunnel]") {
    Stage stage(allowed("timeout: {connect: 5, send: 5, read: 1}"), ScriptedUpstream::upgrades_and_echoes());
    RawClient client = stage.client();
    client.send(upgrade);
    CHECK(client.response().status() == 101);
    const auto begun = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begun < 2500ms) {
        client.send("beat");
        CHECK(client.read_exactly(4) == "beat");
    }
    CHECK(client.wait_for_end(5s));
    CHECK(eventually([&] { return stage.upstream.open() == 0; }));
}

TEST_CASE("http tunnel: an open tunnel outlives a reload of its route", "[e2e][tunnel]") {
    Stage stage(allowed(), ScriptedUpstream::upgrades_and_echoes());
    RawClient client = stage.client();
    client.send(upgrade);
    CHECK(client.response().status() == 101);
    CHECK(stage.gateway.reload("routes: []\n").exit == 0);
    CHECK(stage.get("/").status() == 404);
    client.send("still there");
    CHECK(client.read_exactly(11) == "still there");
}
