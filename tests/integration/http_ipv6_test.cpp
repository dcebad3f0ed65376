// IPv6 on both legs: listeners, forwarded addresses, access log, explain, status.
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;

namespace {

// Containers without IPv6 are common; nothing of it can be shown there.
bool ipv6_is_missing() {
    const gateway::UniqueFd socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 own{};
    own.sin6_family = AF_INET6;
    own.sin6_addr = in6addr_loopback;
    if (socket && ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0) return false;
    WARN("this machine has no IPv6");
    return true;
}

constexpr const char* listeners = "node_listen: [{ip: '[::1]', port: 0, name: six}, {ip: 127.0.0.1, port: 0}]";
constexpr const char* log_format = "$status $request_uri $remote_addr $realip_remote_addr $server_addr $upstream_addr";

std::string ask(Stage& stage, std::string_view target, std::string_view lines, const char* from) {
    RawClient client(stage.port(), from);
    CHECK(client.get(target, lines).status() == 200);
    const Message seen = stage.upstream.requests().back();
    return std::string(seen.field("x-real-ip")) + " | " + std::string(seen.field("x-forwarded-for"));
}

}  // namespace

TEST_CASE("http ipv6: a request over IPv6 goes through, and its address has the usual form", "[e2e][http]") {
    if (ipv6_is_missing()) return;
    Stage stage({.apisix = listeners, .format = log_format});
    CHECK(ask(stage, "/plain", "", "::1") == "::1 | ::1");
    CHECK(ask(stage, "/chain", "X-Forwarded-For: 2001:db8::9\r\n", "::1") == "::1 | 2001:db8::9, ::1");
    CHECK(logged(stage.gateway, "200 /plain ::1 ::1 ::1 " + stage.upstream.node()));
    RawClient client(stage.port(), "::1");
    const std::string authority = "[::1]:" + std::to_string(stage.port());
    client.send("GET / HTTP/1.1\r\nHost: " + authority + "\r\n\r\n");
    CHECK(client.response().status() == 200);
    CHECK(stage.upstream.requests().back().field("host") == authority);
    CHECK(stage.upstream.requests().back().field("x-forwarded-host") == authority);
    RawClient other(stage.gateway.port(1));
    CHECK(other.get("/four").status() == 200);
    CHECK(stage.upstream.requests().back().field("x-real-ip") == "127.0.0.1");
}

TEST_CASE("http ipv6: trust and real addresses know IPv6 networks", "[e2e][http]") {
    if (ipv6_is_missing()) return;
    Stage stage({.http = "real_ip_header: X-Forwarded-For\nreal_ip_from: ['::/64']",
                 .apisix = std::string(listeners) + "\ntrusted_addresses: ['::1/128']",
                 .format = log_format});
    const std::string told =
        ask(stage, "/real", "X-Forwarded-For: [2001:db8::9]:77\r\nX-Forwarded-Proto: https\r\n", "::1");
    CHECK(told == "2001:db8::9 | [2001:db8::9]:77, 2001:db8::9");
    CHECK(stage.upstream.requests().back().field("x-forwarded-proto") == "https");
    CHECK(logged(stage.gateway, "200 /real 2001:db8::9 ::1 "));
}

TEST_CASE("http ipv6: routes, explain and status speak of IPv6 addresses", "[e2e][http]") {
    if (ipv6_is_missing()) return;
    Stage stage({.apisix = listeners, .route_lines = "remote_addrs: ['2001:db8::/32', '::1']"});
    CHECK(ask(stage, "/", "", "::1").starts_with("::1"));
    CHECK(fetch(stage.gateway.port(1), "GET", "/").status() == 404);
    const RunResult found = stage.gateway.ctl({"explain", "GET", "/", "--from", "2001:db8::5"});
    CHECK(found.out.find("no route") == std::string::npos);
    const RunResult none = stage.gateway.ctl({"explain", "GET", "/", "--from", "2001:db9::5"});
    CHECK(none.out.find("no route") != std::string::npos);
    const std::string port = std::to_string(stage.port());
    CHECK(stage.gateway.ctl({"status"}).out.find("[::1]:" + port) != std::string::npos);
    CHECK(stage.gateway.ctl({"--json", "status"}).out.find("\"[::1]:" + port + "\"") != std::string::npos);
}

TEST_CASE("http ipv6: nodes may be IPv6 addresses", "[e2e][http]") {
    if (ipv6_is_missing()) return;
    Stage stage({.apisix = listeners, .format = "$status $http_host $upstream_addr"});
    const std::string node = "[::1]:" + std::to_string(stage.port());
    const RunResult reloaded = stage.gateway.reload(
        "routes:\n  - id: inner\n    uri: /*\n    remote_addr: '::1'\n"
        "    plugins: {mocking: {response_example: inner}}\n"
        "  - id: outer\n    uri: /*\n    remote_addr: 127.0.0.1\n    upstream: {pass_host: node, nodes: {'" +
        node + "': 1}}\n");
    CHECK(reloaded.exit == 0);
    CHECK(fetch(stage.gateway.port(1), "GET", "/").body == "inner");
    CHECK(logged(stage.gateway, "200 " + node + " "));
    CHECK(logged(stage.gateway, "200 localhost " + node));
}
