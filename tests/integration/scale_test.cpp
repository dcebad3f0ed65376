// Thousands of routes: all are served, one change among them is quick and hurts nobody. Large sizes are in bench/.
#include <signal.h>

#include <chrono>

#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/steady_load.hpp"

using namespace gateway::test;
using namespace std::chrono_literals;

namespace {

constexpr int many = 5000;

// Route i answers "<i>" itself; what is left goes to the upstream, by the youngest route of its path.
std::string many_routes(const ScriptedUpstream& upstream, bool by_host) {
    std::string text = "routes:\n";
    for (int i = 0; i < many; ++i) {
        const std::string number = std::to_string(i);
        text += "  - {id: r" + number + (by_host ? ", uri: /*, host: h" + number + ".example" : ", uri: /r/" + number) +
                ", plugins: {mocking: {content_type: text/plain, response_example: '<" + number + ">'}}}\n";
    }
    text += "  - {id: rest, uri: /*, upstream: {type: roundrobin, nodes: {\"" + upstream.node() + "\": 1}}}\n";
    return text;
}

std::string change(int number) {
    return R"({"uri": "/change", "plugins": {"mocking": {"response_example": "v)" + std::to_string(number) + R"("}}})";
}

}  // namespace

TEST_CASE("scale: each of thousands of routes is found, by path and by host", "[scale]") {
    ScriptedUpstream upstream;
    const bool by_host = GENERATE(false, true);
    GatewayProcess gateway({.routes = many_routes(upstream, by_host), .workers = 2});
    RawClient client(gateway.port());
    for (int i = 0; i < many; i += 97) {
        const std::string number = std::to_string(i);
        client.send(by_host ? "GET /x HTTP/1.1\r\nHost: h" + number + ".example\r\n\r\n"
                            : make_request("GET", "/r/" + number));
        CHECK_THAT(client.response().body, contains("<" + number + ">"));
    }
    CHECK(client.get("/other").body == "ok");
}

TEST_CASE("scale: single changes among thousands are live in every worker at once and break nothing", "[scale]") {
    ScriptedUpstream upstream(answer_or_echo);
    GatewayProcess gateway({.routes = many_routes(upstream, false), .workers = 2});
    SteadyLoad posts(gateway.port(), SteadyLoad::Manner::keep_alive_posts, 4);
    SteadyLoad gets(gateway.port(), SteadyLoad::Manner::short_gets, 4);
    for (int number = 1; number <= 25; ++number) {
        const RunResult put = gateway.put("route", "change", change(number));
        INFO(put.out);
        REQUIRE(put.exit == 0);
        // Either worker may take the connection.
        for (int i = 0; i < 4; ++i)
            CHECK_THAT(fetch(gateway.port(), "GET", "/change").body, contains("v" + std::to_string(number)));
    }
    const LoadResult posted = posts.stop(), got = gets.stop();
    INFO(posted.first << " | " << got.first);
    CHECK(posted.broken + got.broken == 0);
    CHECK(posted.answered > 0);
    const auto rows = gateway.status().at("workers");
    CHECK(rows.at(0).at("digest") == rows.at(1).at("digest"));
    CHECK(rows.at(0).at("revision").to_number<int>() == 26);
}

TEST_CASE("scale: a worker that dies serves thousands of routes again within two seconds, without control too",
          "[scale]") {
    ScriptedUpstream upstream;
    GatewayProcess gateway({.routes = many_routes(upstream, false)});
    const std::uint16_t port = gateway.port();
    const pid_t worker = gateway.workers()[0], control = gateway.control();
    if (GENERATE(false, true)) freeze(control);  // one that stands still is no help
    ::kill(worker, SIGKILL);
    const auto began = std::chrono::steady_clock::now();
    CHECK(fetch(port, "GET", "/r/4999").body == "<4999>");
    CHECK(std::chrono::steady_clock::now() - began < 2s * patience);
    ::kill(control, SIGCONT);
    CHECK(eventually([&] { return gateway.ready() && gateway.workers()[0] != worker; }));
}
