// Routing as a client meets it: answers without a route, conditions on the body, and the values of variables.
#include <regex>

#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;

namespace {

// The access log's line for one request, in this format.
std::string line_of(Stage& stage, std::string_view request) {
    RawClient client = stage.client();
    client.send(request);
    static_cast<void>(client.response());
    std::string line;
    REQUIRE(eventually([&] {
        std::ifstream file(stage.gateway.folder() / "access.log");
        return static_cast<bool>(std::getline(file, line));
    }));
    return line;
}

StageOptions logging(std::string format, std::string route_lines = {}) {
    StageOptions options;
    options.format = std::move(format);
    options.route_lines = std::move(route_lines);
    return options;
}

std::string json_body(std::string_view body, std::string_view target = "/") {
    return make_request("POST", target, "Content-Type: application/json\r\n", body);
}

int status_of(GatewayProcess& gateway, std::string_view request) {
    RawClient client(gateway.port());
    client.send(request);
    return client.response().status();
}

}  // namespace

TEST_CASE("routing: without a route the answer is 404 in JSON, with an unknown service a page", "[e2e][routing]") {
    GatewayProcess gateway({.routes = "routes:\n  - {id: 1, uri: /lost, service_id: gone}\n"});
    const Message none = fetch(gateway.port(), "GET", "/none");
    CHECK(none.status() == 404);
    CHECK(none.body == "{\"error_msg\":\"404 Route Not Found\"}\n");
    CHECK(none.field("content-type") == "text/plain; charset=utf-8");
    const Message lost = fetch(gateway.port(), "GET", "/lost");
    CHECK(lost.status() == 404);
    CHECK(lost.body.find("<html>") != std::string::npos);
    CHECK(status_of(gateway, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n") == 404);
    CHECK(status_of(gateway, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n") == 404);
}

TEST_CASE("routing: a method that no route can name takes only routes without methods", "[e2e][routing]") {
    const std::string says = ", plugins: {mocking: {response_example: ";
    GatewayProcess gateway(
        {.routes =
             "routes:\n  - {id: 1, uri: /m, methods: [GET, POST, PUT, DELETE, PATCH, HEAD, OPTIONS, TRACE, PURGE]" +
             says + "named}}}\n  - {id: 2, uri: /m, priority: -1" + says + "any}}}\n"});
    CHECK(fetch(gateway.port(), "PURGE", "/m").body == "named");
    CHECK(fetch(gateway.port(), "PROPFIND", "/m").body == "any");
    CHECK(fetch(gateway.port(), "FROB", "/m").body == "any");
    CHECK(fetch(gateway.port(), "get", "/m").body == "any");
}

TEST_CASE("routing: a condition on the body is judged before the route is taken, the body goes on whole",
          "[e2e][routing]") {
    Stage stage(logging("$route_id", "vars: [[post_arg.model.name, ==, deepseek]]"));
    const std::string body = R"({"model": {"name": "deepseek"}, "more": ")" + std::string(100'000, 'x') + "\"}";
    RawClient client = stage.client();
    client.send(json_body(body));
    CHECK(client.response().status() == 200);
    CHECK(stage.upstream.requests().at(0).body == body);
    client.send(json_body(R"({"model": {"name": "other"}})"));
    CHECK(client.response().status() == 404);
    CHECK(stage.upstream.request_count() == 1);
}

TEST_CASE("routing: GraphQL documents have a size limit; what is wrong with one is logged once", "[e2e][routing]") {
    ScriptedUpstream upstream(ScriptedUpstream::answers(200, "ok"));
    GatewayProcess gateway(
        {.routes = route_to(upstream.node(), "    vars: [[graphql_operation, ==, query], [graphql_name, ==, find]]\n"),
         .further = "graphql: {max_size: 64}\n"});
    const std::string small = "query find { user { name } }";
    CHECK(status_of(gateway, json_body("{\"query\": \"" + small + "\"}")) == 200);
    CHECK(fetch(gateway.port(), "GET", "/?query=query%20find%7Bname%7D").status() == 200);
    CHECK(status_of(gateway, json_body("{\"query\": \"" + small + std::string(40, ' ') + "\"}")) == 404);
    CHECK(status_of(gateway, json_body("{\"query\": \"query find {\"}", "/broken")) == 404);
    REQUIRE(eventually([&] { return gateway.log().find("syntax error") != std::string::npos; }));
    const std::string log = gateway.log();
    CHECK(log.find("of POST / HTTP/1.1: larger than graphql.max_size") != std::string::npos);
    CHECK(log.find("of POST /broken HTTP/1.1: syntax error") == log.rfind("of POST /broken"));
}

TEST_CASE("variables: the request, as sent and as normalised", "[e2e][variables]") {
    Stage stage(
        logging("$uri|$request_uri|$real_request_uri|$request_line|$args|$is_args|$arg_a|$arg_none|$request_method|"
                "$host|$http_host|$scheme|$https|$server_protocol|$server_name|$remote_addr|$remote_user|"
                "$content_type|$content_length|$http_x_two|$cookie_sid|$request_length|$document_uri|$method"));
    const std::string request =
        "PUT //a/b%20c?a=1+2&b=3 HTTP/1.1\r\nHost: Example.COM:81\r\nAuthorization: Basic dXNlcjpwYXNz\r\n"
        "Content-Type: text/plain\r\nX-Two: one\r\nx-two: two\r\nCookie: x=1; sid=A1\r\nContent-Length: 4\r\n\r\ndata";
    CHECK(line_of(stage, request) ==
          "/a/b c|/a/b c?a=1+2&b=3|//a/b%20c?a=1+2&b=3|PUT //a/b%20c?a=1+2&b=3 HTTP/1.1|a=1+2&b=3|?|1 2|-|PUT|"
          "example.com|Example.COM:81|http||HTTP/1.1|_|127.0.0.1|user|text/plain|4|one, two|A1|" +
              std::to_string(request.size()) + "|/a/b c|PUT");
}

TEST_CASE("variables: connection, process and clock", "[e2e][variables]") {
    Stage stage(
        logging("$server_addr $server_port $realip_remote_addr $pid $connection_requests $remote_port "
                "$realip_remote_port $msec $time_iso8601 [$time_local] $tcpinfo_rtt $tcpinfo_snd_cwnd "
                "$connection $connection_time $request_id $hostname $proxy_protocol_addr $ssl_protocol"));
    const std::string line = line_of(stage, make_request("GET", "/"));
    const std::string start = "127.0.0.1 " + std::to_string(stage.port()) + " 127.0.0.1 " +
                              std::to_string(stage.gateway.workers().at(0)) + " 1 ";
    INFO(line);
    CHECK(line.starts_with(start));
    CHECK(std::regex_match(
        line.substr(start.size()),
        std::regex(R"((\d+) \1 \d{10}\.\d{3} \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d \[\d\d/\w{3}/\d{4}:\d\d:)"
                   R"(\d\d:\d\d [+-]\d{4}\] \d+ \d+ \d+ \d+\.\d{3} [0-9a-f]{32} \S+ - -)")));
}

TEST_CASE("variables: the upstream's side", "[e2e][variables]") {
    Stage stage(logging("$route_id|$route_name|$service_id|$upstream_addr|$upstream_status|$upstream_scheme|"
                        "$upstream_host|$upstream_uri|$upstream_http_x_up|$upstream_cookie_sid|$upstream_trailer_x_sum|"
                        "$sent_trailer_x_sum|$sent_http_x_up|$balancer_ip:$balancer_port|$upstream_unresolved_host|"
                        "$upstream_response_length|$status|$body_bytes_sent|$request_completion|$upstream_upgrade|"
                        "$consumer_name",
                        "name: all"),
                ScriptedUpstream::sends("HTTP/1.1 201 Created\r\nX-Up: yes\r\nSet-Cookie: sid=B2; Path=/\r\n"
                                        "Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"
                                        "5\r\nhello\r\n0\r\nX-Sum: 99\r\n\r\n"));
    const std::string node = stage.upstream.node();
    CHECK(line_of(stage, "GET /a?b HTTP/1.1\r\nHost: up.example\r\nTE: trailers\r\n\r\n") ==
          "1|all|-|" + node + "|201|http|up.example|/a?b|yes|B2|99|99|yes|" + node + "|127.0.0.1|5|201|5|OK|-|-");
}

TEST_CASE("variables: an upgrade is told to the log", "[e2e][variables]") {
    Stage stage(logging("$upstream_upgrade|$upstream_connection", "enable_websocket: true"),
                ScriptedUpstream::answers(426, "no"));
    CHECK(line_of(stage, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n") ==
          "websocket|upgrade");
}
