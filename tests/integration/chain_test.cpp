// Plugins through the whole gateway: rewriting on both sides, answers of their own, merging, global rules, slow
// filters.
#include "tests/integration/body_stream.hpp"
#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;

namespace {

// A catch-all route with these plugins (flow YAML).
StageOptions plugins(const std::string& list) {
    return {.route_lines = "plugins: {" + list + "}"};
}

}  // namespace

TEST_CASE("chain: proxy-rewrite changes what the upstream sees", "[e2e][chain]") {
    Stage stage(
        plugins("proxy-rewrite: {regex_uri: [\"^/old/(.*)\", \"/new/$1\"], host: inner.example, method: PUT,"
                " headers: {set: {X-Api: v2}, remove: [X-Gone]}}"));
    CHECK(stage.get("/old/a%20b?q=1", "X-Gone: 1\r\nX-Api: v1\r\n").status() == 200);
    const Message request = stage.upstream.requests().at(0);
    CHECK(request.method() == "PUT");
    CHECK(request.target() == "/new/a%20b?q=1");
    CHECK(request.field("host") == "inner.example");
    CHECK(request.field("x-api") == "v2");
    CHECK(request.count("x-gone") == 0);
}

TEST_CASE("chain: response-rewrite replaces status, fields and body, framing follows", "[e2e][chain]") {
    Stage stage(plugins("response-rewrite: {status_code: 203, body: \"another body\", headers: {set: {X-Made: here}}}"),
                ScriptedUpstream::answers(200, "the upstream's own body", "ETag: x\r\n"));
    RawClient client = stage.client();
    for (int round = 0; round < 3; ++round) {
        const Message answer = client.get("/");
        CHECK(answer.status() == 203);
        CHECK(answer.body == "another body");
        CHECK(answer.field("x-made") == "here");
        CHECK(answer.complete);
    }
    CHECK(client.ask("HEAD", "/").status() == 203);
    CHECK(client.get("/").body == "another body");
    const std::string old = stage.conversation("GET / HTTP/1.0\r\n\r\n");
    CHECK(old.ends_with("\r\n\r\nanother body"));
}

TEST_CASE("chain: response-rewrite filters rewrite a streamed body", "[e2e][chain]") {
    Stage stage(plugins("response-rewrite: {filters: [{regex: hello, scope: global, replace: HALLO}]}"),
                ScriptedUpstream::sends(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nhello h\r\n4\r\nello\r\n0\r\n\r\n"));
    RawClient client = stage.client();
    CHECK(client.get("/").body == "HALLO HALLO");
    CHECK(client.get("/").body == "HALLO HALLO");
}

TEST_CASE("chain: ip-restriction judges the real client, before anything reaches the upstream", "[e2e][chain]") {
    StageOptions options = plugins("ip-restriction: {blacklist: [9.9.9.0/24], message: gone}");
    options.http = "real_ip_header: X-Real-IP";
    Stage stage(options);
    const Message refused = stage.get("/", "X-Real-IP: 9.9.9.9\r\n");
    CHECK(refused.status() == 403);
    CHECK(refused.body.find("gone") != std::string::npos);
    CHECK(stage.upstream.accepted() == 0);
    CHECK(stage.get("/", "X-Real-IP: 8.8.8.8\r\n").status() == 200);
}

TEST_CASE("chain: request-id is the same at the upstream and the client", "[e2e][chain]") {
    Stage stage(plugins("request-id: {}"));
    const Message answer = stage.get("/");
    CHECK(answer.field("x-request-id").size() >= 20);
    CHECK(stage.upstream.requests().at(0).field("x-request-id") == answer.field("x-request-id"));
    CHECK(stage.get("/", "X-Request-Id: mine\r\n").field("x-request-id") == "mine");
}

TEST_CASE("chain: plugins that answer keep the connection, also behind a body", "[e2e][chain]") {
    for (const auto& [list, status] :
         std::vector<std::pair<std::string, int>>{{"redirect: {uri: /elsewhere, ret_code: 301}", 301},
                                                  {"mocking: {response_status: 202, response_example: made}", 202},
                                                  {"fault-injection: {abort: {http_status: 418, body: fault}}", 418}}) {
        INFO(list);
        Stage stage(plugins(list));
        RawClient client = stage.client();
        CHECK(client.get("/").status() == status);
        CHECK(client.ask("POST", "/", {}, std::string(300000, 'b')).status() == status);
        CHECK(client.ask("HEAD", "/").status() == status);
        CHECK(client.get("/").status() == status);
        CHECK(stage.upstream.accepted() == 0);
    }
}

TEST_CASE("chain: a status that cannot end an exchange becomes 500", "[e2e][chain]") {
    const std::string plugin = GENERATE(
        "mocking: {response_example: x, response_status: 100}", "mocking: {response_example: x, response_status: 199}",
        "fault-injection: {abort: {http_status: 1000}}", "redirect: {uri: /b, ret_code: 1000}");
    Stage stage({.route_lines = "plugins: {" + plugin + "}"});
    RawClient client = stage.client();
    INFO(plugin);
    CHECK(client.get("/a").status() == 500);
    CHECK(client.get("/a").status() == 500);
}

TEST_CASE("chain: echo surrounds a body of the upstream", "[e2e][chain]") {
    Stage stage(plugins("echo: {before_body: \"<\", after_body: \">\", headers: {X-Echo: \"1\"}}"));
    RawClient client = stage.client();
    for (int round = 0; round < 3; ++round) CHECK(client.get("/").body == "<ok>");
    CHECK(client.get("/").field("x-echo") == "1");
}

TEST_CASE("chain: fault-injection delays without holding up others", "[e2e][chain]") {
    Stage stage(plugins("fault-injection: {delay: {duration: 1, vars: [[[\"uri\", \"==\", \"/slow\"]]]}}"));
    RawClient slow = stage.client();
    slow.send(make_request("GET", "/slow"));
    CHECK(stage.get("/fast").status() == 200);
    CHECK(stage.upstream.request_count() == 1);
    CHECK(slow.response().status() == 200);
}

TEST_CASE("chain: service, plugin_config and route are merged; plugin_config wins over the route", "[e2e][chain]") {
    ScriptedUpstream upstream;
    GatewayOptions options;
    options.routes =
        "upstreams:\n  - {id: u, type: roundrobin, nodes: {\"" + upstream.node() +
        "\": 1}}\n"
        "services:\n  - {id: s, upstream_id: u, plugins: {request-id: {}, echo: {body: service}}}\n"
        "plugin_configs:\n  - {id: p, plugins: {echo: {body: config}}}\n"
        "routes:\n  - {id: 1, uri: /merged, service_id: s, plugin_config_id: p, plugins: {echo: {body: route}}}\n"
        "  - {id: 2, uri: /service, service_id: s}\n"
        "  - {id: 3, uri: /off, service_id: s, plugins: {echo: {_meta: {disable: true}, body: x}}}\n"
        "  - {id: 4, uri: /lost, upstream_id: u, plugin_config_id: none}\n"
        "  - {id: 5, uri: /homeless, service_id: none}\n";
    GatewayProcess gateway(options);
    const auto body = [&](const char* path) { return fetch(gateway.port(), "GET", path).body; };
    CHECK(body("/merged") == "config");
    CHECK(body("/service") == "service");
    CHECK(body("/off") == "ok");
    CHECK(fetch(gateway.port(), "GET", "/merged").count("x-request-id") == 1);
    CHECK(fetch(gateway.port(), "GET", "/lost").status() == 503);
    CHECK(fetch(gateway.port(), "GET", "/homeless").status() == 404);
}

TEST_CASE("chain: global rules see every request, those without a route too", "[e2e][chain]") {
    ScriptedUpstream upstream;
    GatewayOptions options;
    options.routes =
        "global_rules:\n  - {id: 1, plugins: {request-id: {}, response-rewrite: {headers: {set: {X-All: \"1\"}}}}}\n" +
        stage_routes(node_map(upstream.node()), {});
    options.routes.replace(options.routes.find("uri: /*"), 7, "uri: /here");
    GatewayProcess gateway(options);
    RawClient client(gateway.port());
    const Message found = client.get("/here"), lost = client.get("/nowhere");
    CHECK(found.status() == 200);
    CHECK(found.field("x-all") == "1");
    CHECK(lost.status() == 404);
    CHECK(lost.body == "{\"error_msg\":\"404 Route Not Found\"}\n");
    CHECK(lost.field("x-all") == "1");
    CHECK(lost.count("x-request-id") == 1);
    CHECK(client.get("/here").body == "ok");
}

TEST_CASE("chain: a global body filter on answers of the gateway does not carry anything over", "[e2e][chain]") {
    ScriptedUpstream upstream(ScriptedUpstream::sends(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Secret: 1\r\n\r\n"));
    GatewayOptions options;
    options.routes = "global_rules:\n  - {id: 1, plugins: {echo: {before_body: \"<\", after_body: \">\"}}}\n" +
                     stage_routes(node_map(upstream.node()), {});
    options.routes.replace(options.routes.find("uri: /*"), 7, "uri: /here");
    GatewayProcess gateway(options);
    RawClient client(gateway.port());
    for (int round = 0; round < 3; ++round) {
        CHECK(client.get("/here").trailers.size() == 1);
        const Message lost = client.get("/nowhere");
        CHECK(lost.status() == 404);
        CHECK(lost.trailers.empty());
        CHECK(lost.complete);
    }
}

TEST_CASE("chain: a slow body filter under a slow client holds back the upstream, and every byte arrives",
          "[e2e][chain]") {
    constexpr std::uint64_t blocks = 64;  // 4 MiB
    std::atomic<std::uint64_t> sent{0};
    ScriptedUpstream upstream(ScriptedUpstream::Raw{}, [&](Connection& to) {
        to.read_until("\r\n\r\n");
        to.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(blocks * 65536) + "\r\n\r\n");
        for (std::uint64_t n = 0; n < blocks; ++n, ++sent) to.send(pattern_block(n));
        to.wait_for_end(60s);
    });
    GatewayOptions options = stage_options(node_map(upstream.node()), plugins("test-slow-body: {delay_ms: 30}"));
    options.environment = {"GATEWAY_TEST_PLUGINS=1"};
    options.further = "plugins: [test-slow-body]\n";
    GatewayProcess gateway(options);
    const pid_t worker = gateway.workers().at(0);
    const long before = resident_kib(worker);
    RawClient client(gateway.port(), "127.0.0.1", 16384);
    client.set_limit(60s);
    client.send(make_request("GET", "/"));
    client.read_until("\r\n\r\n");
    const Digest digest = drain(client, blocks * 65536);
    CHECK(digest == pattern_digest(blocks));
#ifndef GATEWAY_SANITIZED
    CHECK(resident_kib(worker) - before < 8 * 1024);
#else
    static_cast<void>(before);
#endif
}

TEST_CASE("chain: the debug header names the plugins that ran", "[e2e][chain]") {
    StageOptions options = plugins("echo: {body: x}, request-id: {}");
    options.apisix = "enable_debug: true";
    Stage stage(options);
    CHECK(stage.get("/").field("apisix-plugins") == "request-id, echo");
}
