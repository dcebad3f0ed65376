// Plugins whose effect lies in the proxy: seen through a whole gateway.
#include <charconv>
#include <filesystem>

#include "libgateway/base/unique_fd.hpp"
#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;

namespace {

std::string plugin(const std::string& name, const std::string& json) {
    return "plugins: {" + name + ": " + json + "}";
}

std::string hex(std::size_t number) {
    char digits[20];
    return {digits, std::to_chars(digits, digits + sizeof digits, number, 16).ptr};
}

std::string chunked(const std::string& body) {
    return "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + hex(body.size()) + "\r\n" + body +
           "\r\n0\r\n\r\n";
}

int status_of_post(Stage& stage, std::size_t size) {
    return fetch(stage.port(), "POST", "/", {}, std::string(size, 'x')).status();
}

}  // namespace

TEST_CASE("client-control: chunked bodies are counted on the way (CC2)", "[e2e][plugins]") {
    Stage stage({.route_lines = plugin("client-control", R"({"max_body_size": 5})")});
    RawClient large = stage.client();
    large.send(chunked("123456"));
    CHECK(large.response().status() == 413);
    RawClient small = stage.client();
    small.send(chunked("12345"));
    CHECK(small.response().status() == 200);
    CHECK(status_of_post(stage, 5) == 200);
    CHECK(status_of_post(stage, 6) == 413);
}

TEST_CASE("client-control: its limit stands in place of the static one (CC4)", "[e2e][plugins]") {
    Stage stage(
        {.http = "client_max_body_size: 1", .route_lines = plugin("client-control", R"({"max_body_size": 0})")});
    CHECK(status_of_post(stage, 100) == 200);
}

TEST_CASE("client-control: without a limit the static one counts (CC5)", "[e2e][plugins]") {
    Stage stage({.http = "client_max_body_size: 1", .route_lines = plugin("client-control", "{}")});
    CHECK(status_of_post(stage, 100) == 413);
    CHECK(status_of_post(stage, 1) == 200);
}

TEST_CASE("client-control: where its filter does not let it run the static limit counts", "[e2e][plugins]") {
    Stage stage(
        {.http = "client_max_body_size: 1",
         .route_lines = plugin("client-control", "{max_body_size: 0, _meta: {filter: [[arg_a, \"==\", \"1\"]]}}")});
    CHECK(fetch(stage.port(), "POST", "/?a=1", {}, "12").status() == 200);
    CHECK(fetch(stage.port(), "POST", "/?a=2", {}, "12").status() == 413);
}

TEST_CASE("real-ip: upstream and log see the client it found", "[e2e][plugins]") {
    Stage stage({.route_lines = plugin("real-ip", R"({"source": "http_x_forwarded_for"})"),
                 .format = "$remote_addr by $realip_remote_addr"});
    CHECK(stage.get("/", "X-Forwarded-For: 9.9.9.9, 1.1.1.1\r\n").status() == 200);
    const Message seen = stage.upstream.requests().at(0);
    CHECK(seen.field("x-real-ip") == "1.1.1.1");
    CHECK(seen.field("x-forwarded-for") == "9.9.9.9, 1.1.1.1, 1.1.1.1");
    CHECK(logged(stage.gateway, "1.1.1.1 by 127.0.0.1"));
}

TEST_CASE("cors: sets of origins come from the plugin metadata (C9)", "[e2e][plugins]") {
    Stage stage({.route_lines = "plugins: {cors: {allow_origins_by_metadata: [k1]}}"});
    const std::string line = "Origin: http://m2.com\r\n";
    CHECK(stage.get("/", line).count("access-control-allow-origin") == 0);
    const RunResult put =
        stage.gateway.put("plugin_metadata", "cors", R"({"allow_origins": {"k1": "http://m1.com,http://m2.com"}})");
    INFO(put.out);
    REQUIRE(put.exit == 0);
    CHECK(stage.get("/", line).field("access-control-allow-origin") == "http://m2.com");
    CHECK(stage.gateway.put("plugin_metadata", "cors", R"({"allow_origins": {"k1": "m1.com"}})").exit != 0);
}

TEST_CASE("file-logger: an entry without a path needs one in the metadata, or is refused (FL5)", "[e2e][plugins]") {
    Stage stage;
    const std::string route =
        R"({"uri": "/logged", "plugins": {"file-logger": {}}, "upstream": {"type": "roundrobin", "nodes": {")" +
        stage.upstream.node() + R"(": 1}}})";
    const RunResult refused = stage.gateway.put("route", "2", route);
    CHECK(refused.exit != 0);
    CHECK(refused.out.find("property \"path\" is not set in either the plugin conf or the metadata") !=
          std::string::npos);
    CHECK(stage.get("/logged").status() == 200);  // by the other route: nothing changed
    const std::string path = (stage.gateway.folder() / "lines.log").string();
    REQUIRE(stage.gateway.put("plugin_metadata", "file-logger", "{\"path\": \"" + path + "\"}").exit == 0);
    const RunResult taken = stage.gateway.put("route", "2", route);
    INFO(taken.out);
    REQUIRE(taken.exit == 0);
    CHECK(stage.get("/logged").status() == 200);
    CHECK(eventually([&] { return std::filesystem::exists(path) && std::filesystem::file_size(path) > 0; }));
}

TEST_CASE("cors: a preflight is answered by the gateway", "[e2e][plugins]") {
    Stage stage({.route_lines = plugin("cors", R"({"allow_origins": "**"})")});
    const Message answer = fetch(stage.port(), "OPTIONS", "/", "Origin: http://a.com\r\n");
    CHECK(answer.status() == 200);
    CHECK(answer.body.empty());
    CHECK(answer.field("access-control-allow-origin") == "http://a.com");
    CHECK(stage.upstream.request_count() == 0);
}

TEST_CASE("request-validation: the upstream gets what was checked, and nothing that was refused", "[e2e][plugins]") {
    Stage stage(
        {.route_lines = plugin(
             "request-validation",
             R"({"max_req_body_size": 100, "body_schema": {"type": "object", "properties": {"b": {"default": 7}}}})")});
    CHECK(fetch(stage.port(), "POST", "/", {}, R"({"c": 1, "c": 2})").status() == 200);
    CHECK(stage.upstream.requests().at(0).body == R"({"c":2,"b":7})");
    RawClient client = stage.client();
    client.send(chunked(R"({"a": 1})"));
    CHECK(client.response().status() == 200);
    CHECK(stage.upstream.requests().at(1).body == R"({"a":1,"b":7})");
    CHECK(stage.upstream.requests().at(1).field("content-length") == "13");
    CHECK(fetch(stage.port(), "POST", "/", {}, "[1]").status() == 400);
    CHECK(status_of_post(stage, 101) == 400);
    CHECK(stage.get("/").status() == 400);
    CHECK(stage.upstream.request_count() == 2);
}

TEST_CASE("gzip: an answer without a length is compressed and ends as it should", "[e2e][plugins]") {
    Stage stage(
        {.route_lines = plugin("gzip", R"({"types": ["text/plain"]})")},
        ScriptedUpstream::sends("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n"));
    RawClient client = stage.client();
    for (int round = 0; round < 2; ++round) {
        const Message answer = client.get("/", "Accept-Encoding: gzip\r\n");
        CHECK(answer.field("content-encoding") == "gzip");
        CHECK(answer.body.substr(0, 2) == "\x1f\x8b");
        CHECK(client.get("/").body == "helloworld");
    }
}

TEST_CASE("forward-auth: the service decides, and gets bodies in one piece (F10)", "[e2e][plugins]") {
    ScriptedUpstream service([](Connection& connection, const Message& question) {
        const bool good = question.field("authorization") == "good";
        ScriptedUpstream::answers(good ? 200 : 403, good ? "" : "who?", "X-User: u1\r\n")(connection, question);
    });
    Stage stage({.route_lines = plugin("forward-auth", R"({"uri": "http://)" + service.node() +
                                                           R"(/auth", "request_method": "POST", )"
                                                           R"("request_headers": ["Authorization"], )"
                                                           R"("upstream_headers": ["X-User"]})")});
    RawClient client = stage.client();
    client.send(
        "POST / HTTP/1.1\r\nHost: a\r\nAuthorization: good\r\nTransfer-Encoding: chunked\r\n\r\n"
        "4\r\nbody\r\n0\r\n\r\n");
    CHECK(client.response().status() == 200);
    CHECK(service.requests().at(0).field("content-length") == "4");
    CHECK(service.requests().at(0).field("transfer-encoding") == "");
    CHECK(service.requests().at(0).body == "body");
    CHECK(stage.upstream.requests().at(0).field("x-user") == "u1");
    CHECK(stage.upstream.requests().at(0).body == "body");
    const Message refused = client.get("/", "Authorization: bad\r\n");
    CHECK(refused.status() == 403);
    CHECK(refused.body == "who?");
    CHECK(service.accepted() == 1);
    CHECK(stage.upstream.request_count() == 1);
}

TEST_CASE("forward-auth: a service that is slow or talks rubbish lets nobody through", "[e2e][plugins]") {
    ScriptedUpstream service(GENERATE_COPY(ScriptedUpstream::stalls(), ScriptedUpstream::closes(),
                                           ScriptedUpstream::sends("rubbish\r\n\r\n")));
    Stage stage({.route_lines = plugin("forward-auth", R"({"uri": "http://)" + service.node() +
                                                           R"(/auth", "timeout": 100, "status_on_error": 503})")});
    CHECK(stage.get("/").status() == 503);
    CHECK(stage.get("/?user=a%0d%0ax:1").status() == 503);
    CHECK(stage.upstream.request_count() == 0);
}

TEST_CASE("proxy-mirror: a server that is down, slow or talks rubbish changes nothing (PM5)", "[e2e][plugins]") {
    ScriptedUpstream mirror(GENERATE_COPY(ScriptedUpstream::stalls(), ScriptedUpstream::resets(),
                                          ScriptedUpstream::sends("rubbish\r\n\r\n")));
    const bool down = GENERATE(false, true);
    std::uint16_t free_port = 0;
    if (down) const gateway::UniqueFd gone = gateway::test::listen_on_free_port(free_port);
    const std::string place = down ? "127.0.0.1:" + std::to_string(free_port) : mirror.node();
    Stage stage({.route_lines = plugin("proxy-mirror", R"({"host": "http://)" + place + R"("})")});
    RawClient client = stage.client();
    for (int i = 0; i < 3; ++i) {
        client.send(chunked("body"));
        CHECK(client.response().status() == 200);
        CHECK(stage.upstream.requests().back().body == "body");
    }
    if (!down) CHECK(eventually([&] { return mirror.request_count() == 3; }));
}

TEST_CASE("proxy-mirror: a copy is what the upstream gets, once for all tries", "[e2e][plugins]") {
    ScriptedUpstream mirror;
    StageOptions options{.upstream_lines = "pass_host: rewrite\nupstream_host: x.test\nretries: 2"};
    options.route_lines = plugin("proxy-mirror", R"({"host": "http://)" + mirror.node() + R"("})");
    Stage stage(options, ScriptedUpstream::closes());
    CHECK(stage.get("/a?b=1", "X-A: 1\r\n").status() == 502);
    CHECK(stage.upstream.request_count() > 0);
    REQUIRE(eventually([&] { return mirror.request_count() > 0; }));
    const Message copy = mirror.requests().at(0);
    CHECK(copy.start_line == "GET /a?b=1 HTTP/1.1");
    CHECK(copy.field("host") == "x.test");
    CHECK(copy.field("x-a") == "1");
    CHECK(mirror.request_count() == 1);
}
