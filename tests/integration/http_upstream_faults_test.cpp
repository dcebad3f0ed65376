// Upstreams that fail: invalid and truncated answers, retries, stale connections, names, time limits.
#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;

namespace {

// A port where nobody listens.
std::string dead_node() {
    std::uint16_t port = 0;
    const gateway::UniqueFd gone = listen_on_free_port(port);
    return "127.0.0.1:" + std::to_string(port);
}

std::string node_list(const std::vector<std::pair<std::string, int>>& list) {
    std::string text = "nodes: [";
    for (const auto& [node, priority] : list) {
        const auto colon = node.rfind(':');
        text += "{host: \"" + node.substr(0, colon) + "\", port: " + node.substr(colon + 1) +
                ", weight: 1, priority: " + std::to_string(priority) + "},";
    }
    return text + "]";
}

GatewayOptions with_nodes(const std::vector<std::pair<std::string, int>>& list, const std::string& further = {}) {
    GatewayOptions options = stage_options("", {.format = "$status [$upstream_status] $request_uri"});
    options.routes = "routes:\n  - id: 1\n    uri: /*\n    upstream:\n      type: roundrobin\n" +
                     indented(node_list(list) + "\n" + further, "      ");
    return options;
}

}  // namespace

TEST_CASE("upstream faults: answers that are none are 502 and their connection is not used again", "[e2e][http]") {
    const std::vector<std::pair<const char*, std::string>> wrong{
        {"HTTP/0.9", "<html>hello</html>"},
        {"another protocol", "SSH-2.0-OpenSSH_9.2\r\n"},
        {"no status", "HTTP/1.1\r\n\r\n"},
        {"status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"},
        {"status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"},
        {"version 2", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"},
        {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc"},
        {"length and coding", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {"negative length", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nab"},
        {"length that is no number", "HTTP/1.1 200 OK\r\nContent-Length: a\r\n\r\nab"},
        {"unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nab"},
        {"chunked not last", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\nab"},
        {"folded line", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n"},
        {"bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"},
        {"blank before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n"},
        {"NUL in a value", std::string("HTTP/1.1 200 OK\r\nA: \0\r\nContent-Length: 0\r\n\r\n", 43)},
        {"101 that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"},
        {"coding with 204", "HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"bad chunks behind the head", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"},
        {"head that is too large", "HTTP/1.1 200 OK\r\nA: " + std::string(70000, 'x') + "\r\n\r\n"},
    };
    Stage stage;
    RawClient client = stage.client();
    for (const auto& [name, bytes] : wrong) {
        INFO(name);
        stage.upstream.script(ScriptedUpstream::sends(bytes));
        const std::size_t before = stage.upstream.accepted();
        const Message answer = client.get("/wrong");
        CHECK(answer.status() == 502);
        CHECK(answer.body.find("502 Bad Gateway") != std::string::npos);
        stage.upstream.script(ScriptedUpstream::answers(200, "good"));
        CHECK(client.get("/good").body == "good");
        CHECK(stage.upstream.accepted() >= before + 1);
    }
}

TEST_CASE("upstream faults: a truncated answer looks truncated", "[e2e][http]") {
    Stage stage;
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    const std::string sized = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello";
    for (const std::string& text :
         {chunked, chunked + "5\r\nhel", chunked + "5", chunked + "0\r\n", chunked + "0\r\nX: 1\r\n", sized}) {
        for (const bool reset : {false, true}) {
            INFO(text << (reset ? " reset" : " closed"));
            std::atomic<bool> begun{false};
            stage.upstream.script([&](Connection& to, const Message&) {
                to.send(text);
                if (!eventually([&] { return begun.load(); })) return;
                reset ? to.reset() : to.close();
            });
            RawClient client = stage.client();
            client.send(make_request("GET", "/"));
            CHECK(client.readable(5s));
            begun = true;
            CHECK_FALSE(client.response().complete);
            CHECK(client.wait_for_end());
        }
    }
    stage.upstream.script(ScriptedUpstream::sends(chunked + "zz\r\n"));
    // As long as nothing of it went out it need not be cut at all.
    const Message page = stage.get("/");
    CHECK(page.status() == 502);
    CHECK(page.complete);
}

TEST_CASE("upstream faults: a truncated answer to HTTP/1.0 ends in a reset, an answer cut by reset is never whole",
          "[e2e][http]") {
    Stage stage({}, [](Connection& to, const Message&) {
        to.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        to.close();
    });
    RawClient old = stage.client();
    old.send("GET / HTTP/1.0\r\n\r\n");
    CHECK(old.wait_for_end());
    CHECK(old.end() == End::reset);
    std::atomic<bool> begun{false};
    stage.upstream.script([&begun](Connection& to, const Message&) {
        to.send("HTTP/1.1 200 OK\r\n\r\nhello");
        if (eventually([&] { return begun.load(); })) to.reset();
    });
    RawClient client = stage.client();
    client.send(make_request("GET", "/"));
    CHECK(client.readable(5s));
    begun = true;
    CHECK_FALSE(client.response().complete);
}

TEST_CASE("upstream faults: bytes behind an answer spoil the connection", "[e2e][http]") {
    Stage stage({}, ScriptedUpstream::sends(make_response(200, "good") + make_response(200, "evil")));
    RawClient client = stage.client();
    for (int round = 0; round < 10; ++round) CHECK(client.get("/").body == "good");
    CHECK(stage.upstream.accepted() == 10);
}

TEST_CASE("upstream faults: a connection that ends while idle is never visible, POST included", "[e2e][http]") {
    for (const bool reset : {false, true}) {
        Stage stage({}, [reset](Connection& to, const Message& request) {
            to.send(make_response(200, request.body));
            reset ? to.reset() : to.close();
        });
        RawClient client = stage.client();
        for (int round = 0; round < 200; ++round) {
            const Message answer = client.ask("POST", "/", {}, "body " + std::to_string(round));
            CHECK(answer.status() == 200);
            // Until the end is on its way, nobody can know of it; from then on the gateway must.
            REQUIRE(eventually([&] { return stage.upstream.open() == 0; }));
        }
        CHECK(stage.upstream.request_count() == 200);
    }
}

TEST_CASE("upstream faults: a reused connection that ends in the request is replaced once, with the whole body",
          "[e2e][http]") {
    std::atomic<int> asked{0};
    Stage stage({}, [&asked](Connection& to, const Message& request) {
        // The second request of each connection meets a close.
        if (asked++ % 2 == 1) return to.close();
        to.send(make_response(200, request.body));
    });
    const std::string chunked =
        "PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    RawClient client = stage.client();
    for (int round = 0; round < 6; ++round) {
        client.send(round % 2 ? chunked : make_request("PUT", "/l", {}, "hello"));
        const Message answer = client.response();
        CHECK(answer.status() == 200);
        CHECK(answer.body == "hello");
    }
}

TEST_CASE("upstream faults: a fresh connection that ends without an answer is 502", "[e2e][http]") {
    for (const auto& answer : {ScriptedUpstream::closes(), ScriptedUpstream::resets(),
                               ScriptedUpstream::sends_and_closes("HTTP/1.1 200 OK\r\nA: b")}) {
        Stage stage({}, answer);
        CHECK(stage.get("/").status() == 502);
        CHECK(stage.upstream.request_count() == 1);
    }
}

TEST_CASE("upstream faults: Connection: close, HTTP/1.0 and the limits of the pool end reuse", "[e2e][http]") {
    const auto connections = [](const std::string& lines, const std::string& upstream_lines, const char* version) {
        Stage stage(
            {.upstream_lines = upstream_lines},
            ScriptedUpstream::sends(std::string(version) + " 200 OK\r\nContent-Length: 2\r\n" + lines + "\r\nok"));
        RawClient client = stage.client();
        for (int round = 0; round < 6; ++round) CHECK(client.get("/").status() == 200);
        return stage.upstream.accepted();
    };
    CHECK(connections("", "", "HTTP/1.1") == 1);
    CHECK(connections("Connection: close\r\n", "", "HTTP/1.1") == 6);
    CHECK(connections("", "", "HTTP/1.0") == 6);
    CHECK(connections("Connection: keep-alive\r\n", "", "HTTP/1.0") == 6);
    CHECK(connections("", "keepalive_pool: {size: 1, requests: 2}", "HTTP/1.1") == 3);
}

TEST_CASE("upstream faults: U1 and U2, shares by weight", "[e2e][upstream]") {
    ScriptedUpstream one, two, never;
    GatewayProcess gateway(
        stage_options(node_map(one.node()) + ", \"" + two.node() + "\": 2, \"" + never.node() + "\": 0", {}));
    RawClient client(gateway.port());
    for (int round = 0; round < 12; ++round) CHECK(client.get("/").status() == 200);
    CHECK(one.request_count() == 4);
    CHECK(two.request_count() == 8);
    CHECK(never.request_count() == 0);
}

TEST_CASE("upstream faults: U3, no node is 503", "[e2e][upstream]") {
    GatewayProcess gateway(stage_options("", {}));
    CHECK(fetch(gateway.port(), "GET", "/").status() == 503);
    CHECK(gateway.log().find("no valid upstream node") != std::string::npos);
}

TEST_CASE("upstream faults: U4 to U6, dead nodes are passed over as often as retries allow", "[e2e][upstream]") {
    ScriptedUpstream live;
    const std::string a = dead_node(), b = dead_node();
    {
        GatewayProcess gateway(with_nodes({{a, 1}, {b, 1}, {live.node(), 0}}));
        CHECK(fetch(gateway.port(), "GET", "/u4").status() == 200);
        CHECK(logged(gateway, "200 [502, 502, 200] /u4"));
        CHECK(fetch(gateway.port(), "POST", "/u4", {}, "body").status() == 200);
    }
    {
        GatewayProcess gateway(with_nodes({{a, 1}, {b, 1}, {live.node(), 0}}, "retries: 1"));
        const Message answer = fetch(gateway.port(), "GET", "/u5");  // U11 as well
        CHECK(answer.status() == 502);
        CHECK(answer.field("x-apisix-upstream-status") == "502, 502");
    }
    GatewayProcess gateway(with_nodes({{a, 0}}, "retries: 0"));
    CHECK(fetch(gateway.port(), "GET", "/u6").status() == 502);
    CHECK(live.request_count() == 2);
}

TEST_CASE("upstream faults: U8, a POST that may have been read is not sent again", "[e2e][upstream]") {
    ScriptedUpstream closing(ScriptedUpstream::closes()), live;
    GatewayProcess gateway(with_nodes({{closing.node(), 1}, {live.node(), 0}}));
    CHECK(fetch(gateway.port(), "POST", "/u8", {}, "body").status() == 502);
    CHECK(fetch(gateway.port(), "PATCH", "/u8", {}, "body").status() == 502);
    CHECK(fetch(gateway.port(), "LOCK", "/u8", {}, "body").status() == 502);
    CHECK(live.request_count() == 0);
    CHECK(fetch(gateway.port(), "PUT", "/u8", {}, "body").status() == 200);
    CHECK(live.requests().at(0).body == "body");
}

TEST_CASE("upstream faults: U9, a status is passed on and not tried again", "[e2e][upstream]") {
    ScriptedUpstream failing(ScriptedUpstream::answers(500, "mine")), live;
    GatewayProcess gateway(with_nodes({{failing.node(), 1}, {live.node(), 0}}));
    const Message answer = fetch(gateway.port(), "GET", "/u9");
    CHECK(answer.status() == 500);
    CHECK(answer.body == "mine");
    CHECK(answer.field("x-apisix-upstream-status") == "500");
    CHECK(live.request_count() == 0);
}

TEST_CASE("upstream faults: U10, a dead first level leads to the next", "[e2e][upstream]") {
    ScriptedUpstream live;
    GatewayProcess gateway(with_nodes({{dead_node(), 0}, {live.node(), -1}}));
    CHECK(fetch(gateway.port(), "GET", "/u10").status() == 200);
}

TEST_CASE("upstream faults: U7 and U13, time-outs are tried again until retry_timeout has passed", "[e2e][upstream]") {
    ScriptedUpstream silent(ScriptedUpstream::stalls()), live;
    {
        GatewayProcess gateway(
            with_nodes({{silent.node(), 1}, {live.node(), 0}}, "timeout: {connect: 1, send: 1, read: 1}"));
        CHECK(fetch(gateway.port(), "GET", "/retried").status() == 200);
        CHECK(logged(gateway, "200 [504, 200] /retried"));
    }
    GatewayProcess gateway(with_nodes({{silent.node(), 1}, {live.node(), 0}},
                                      "retry_timeout: 1\ntimeout: {connect: 1, send: 1, read: 2}"));
    CHECK(fetch(gateway.port(), "GET", "/u13").status() == 502);
    CHECK(gateway.log().find("proxy retry timeout, retry count: 1, deadline: ") != std::string::npos);
    CHECK(live.request_count() == 1);
}

TEST_CASE("upstream faults: localhost is this machine, hosts file or not; an unknown name leaves its node out",
          "[e2e][upstream]") {
    ScriptedUpstream live;
    const std::string port = live.node().substr(live.node().rfind(':'));
    {
        GatewayProcess gateway(with_nodes({{"localhost" + port, 0}}, "pass_host: node"));
        CHECK(fetch(gateway.port(), "GET", "/").status() == 200);
        CHECK(live.requests().at(0).field("host") == "localhost" + port);
    }
    GatewayOptions options = with_nodes({{"no-such-host.invalid:80", 1}, {live.node(), 0}});
    options.apisix += "  dns_resolver: [\"" + dead_node() + "\"]\n  resolver_timeout: 1\n";
    GatewayProcess gateway(options);
    CHECK(fetch(gateway.port(), "GET", "/").status() == 200);
    CHECK(gateway.log().find("dns resolver domain: no-such-host.invalid error: ") != std::string::npos);
    CHECK(gateway.reload(stage_routes("\"no-such-host.invalid:80\": 1", {})).exit == 0);
    CHECK(fetch(gateway.port(), "GET", "/").status() == 503);
}
