// Stories of `gatewayctl diff --replay`: traffic is logged, a change is thought of, and what it would do is told.
#include <boost/json/parse.hpp>
#include <chrono>
#include <fstream>

#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"

using namespace gateway::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* routes =
    "routes:\n"
    "  - {id: shop, uri: /shop/*, hosts: [shop.example], plugins: {mocking: {response_example: shop}}}\n"
    "  - {id: all, uri: /*, plugins: {mocking: {response_example: all}}}\n";
constexpr const char* with_carts =
    "routes:\n"
    "  - {id: shop, uri: /shop/*, hosts: [shop.example], plugins: {mocking: {response_example: shop}}}\n"
    "  - {id: carts, uri: /shop/carts/*, methods: [POST], plugins: {mocking: {response_example: carts}}}\n"
    "  - {id: all, uri: /*, plugins: {mocking: {response_example: all}}}\n";

GatewayOptions logging() {
    GatewayOptions options;
    options.routes = routes;
    options.nginx_config =
        "  http:\n    access_log: logged.jsonl\n    access_log_format_escape: json\n"
        "    access_log_format: '{\"method\": \"$request_method\", \"host\": \"$http_host\", \"target\": "
        "\"$request_uri\", \"client\": \"$remote_addr\", \"status\": $status}'\n";
    return options;
}
std::string log_of(const GatewayProcess& gateway) {
    return (gateway.folder() / "logged.jsonl").string();
}
std::size_t logged(const GatewayProcess& gateway) {
    std::ifstream file(log_of(gateway));
    std::size_t lines = 0;
    for (std::string line; std::getline(file, line);) ++lines;
    return lines;
}
void ask(GatewayProcess& gateway, std::string_view method, std::string_view target) {
    RawClient client(gateway.port());
    client.send(std::string(method) + " " + std::string(target) +
                " HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\n\r\n");
    REQUIRE(client.response().status() == 200);
}
RunResult replay(const GatewayProcess& gateway, std::vector<std::string> more) {
    std::vector<std::string> command{"diff", "--replay", log_of(gateway)};
    command.insert(command.end(), more.begin(), more.end());
    return gateway.ctl(std::move(command), 60s);
}

}  // namespace

TEST_CASE("replay: what was logged is walked through the change that somebody thinks of", "[e2e][replay]") {
    GatewayProcess gateway(logging());
    for (const char* target : {"/shop/a", "/shop/carts/1", "/else"}) ask(gateway, "GET", target);
    for (const char* target : {"/shop/carts/1", "/shop/carts/2"}) ask(gateway, "POST", target);
    REQUIRE(eventually([&] { return logged(gateway) == 5; }, 20s));

    const std::string draft = gateway.folder().write("draft.yaml", routes).string();
    const RunResult same = replay(gateway, {draft});
    INFO(same.out);
    CHECK(same.exit == 0);
    CHECK(same.out == "5 lines: 5 judged, 0 of them would end elsewhere; 0 not readable\n");

    gateway.folder().write("draft.yaml", with_carts);
    const RunResult other = replay(gateway, {draft});
    INFO(other.out);
    CHECK(other.exit == 2);
    CHECK(other.out.find("2 requests: another route") == 0);
    CHECK(other.out.find("POST shop.example/shop/carts/1") != std::string::npos);

    // The words come true: it is the very route that answers afterwards.
    const RunResult json = replay(gateway, {"--json", draft});
    CHECK(json.exit == 2);
    const auto group = boost::json::parse(json.out).at("groups").at(0);
    CHECK(group.at("before").at("route") == "shop");
    CHECK(group.at("after").at("route") == "carts");
    gateway.write_routes(with_carts);
    CHECK(replay(gateway, {}).exit == 2);  // without FILE: what a reload would do
    REQUIRE(gateway.ctl({"reload"}).exit == 0);
    RawClient client(gateway.port());
    client.send("POST /shop/carts/1 HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\n\r\n");
    CHECK(client.response().body == "carts");
    CHECK(replay(gateway, {}).exit == 0);
}

TEST_CASE("replay: lines that cannot be judged are named, a bad file and a bad log are refused", "[e2e][replay]") {
    GatewayProcess gateway(logging());
    const std::string draft = gateway.folder().write("draft.yaml", with_carts).string();
    gateway.folder().write("logged.jsonl",
                           "{\"method\": \"POST\", \"host\": \"shop.example\", \"target\": \"/shop/carts/1\"}\n"
                           "{\"method\": \"GET\", \"target\": \"/\"}\n"
                           "127.0.0.1 - - GET /\n");
    const RunResult partly = replay(gateway, {draft});
    INFO(partly.out);
    CHECK(partly.exit == 2);
    CHECK(partly.out.find("1 not judged, the first in line 2: it has no http_host or host") != std::string::npos);
    CHECK(partly.out.find("not readable: line 3: no JSON") != std::string::npos);
    CHECK(partly.out.find("3 lines: 1 judged, 1 of them would end elsewhere; 1 not readable") != std::string::npos);

    gateway.folder().write("logged.jsonl", "127.0.0.1 - - GET /\n");
    CHECK(replay(gateway, {draft}).exit == 1);
    gateway.folder().write("draft.yaml", "routes:\n  - {id: a, uris: 3}\n");
    const RunResult bad = replay(gateway, {draft});
    CHECK(bad.exit == 1);
    CHECK(bad.out.find("draft.yaml:2") != std::string::npos);
    CHECK(gateway.ctl({"diff", "--rev", "1", "--replay", log_of(gateway)}).exit == 2);
    CHECK(gateway.ctl({"diff", "--replay", "/nonexistent", draft}).exit == 1);
}

TEST_CASE("replay: 100,000 lines take no longer than ten seconds and hold up nobody", "[e2e][replay]") {
    GatewayProcess gateway(logging());
    std::string lines;
    for (int i = 0; i < 100'000; ++i) {
        lines += R"({"method": "POST", "host": "shop.example", "target": "/shop/carts/)" + std::to_string(i) +
                 R"(?a=b", "client": "10.0.0.1", "status": 200})" + "\n";
    }
    gateway.folder().write("logged.jsonl", lines);
    const std::string draft = gateway.folder().write("draft.yaml", with_carts).string();
    const auto start = std::chrono::steady_clock::now();
    const RunResult result = replay(gateway, {draft});
    const auto took = std::chrono::steady_clock::now() - start;
    CHECK(result.exit == 2);
    CHECK(result.out.find("100000 requests: another route") == 0);
    CHECK(took < 10s * patience);
}
