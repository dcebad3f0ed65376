#include "tests/support/connection.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/gate.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/scripted_upstream.hpp"

using namespace gateway::test;
using namespace std::chrono_literals;

TEST_CASE("scripted upstream: a request is answered and recorded as it was sent", "[support][scripted_upstream]") {
    ScriptedUpstream upstream(ScriptedUpstream::answers(201, "made", "X-Mark: a\r\n"));
    RawClient client(upstream.port());
    const auto answer = client.ask("POST", "/things?x=1", "X-Two: b\r\nx-two: c\r\n", "body");
    REQUIRE(answer.status() == 201);
    REQUIRE(answer.body == "made");
    REQUIRE(answer.field("x-mark") == "a");
    REQUIRE(client.get("/again").complete);
    const auto seen = upstream.requests();
    REQUIRE(seen.size() == 2);
    REQUIRE(seen[0].method() == "POST");
    REQUIRE(seen[0].target() == "/things?x=1");
    REQUIRE(seen[0].body == "body");
    REQUIRE(seen[0].count("X-Two") == 2);
    REQUIRE(upstream.accepted() == 1);
}

TEST_CASE("message: chunks, trailers and a cut body are told apart", "[support][message]") {
    const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    SECTION("a whole chunked body") {
        ScriptedUpstream upstream(ScriptedUpstream::sends(head + "3\r\nabc\r\n0\r\nT: x\r\n\r\n"));
        const auto answer = RawClient(upstream.port()).get("/");
        REQUIRE(answer.complete);
        REQUIRE(answer.body == "abc");
        REQUIRE(answer.trailers == FieldList{{"T", "x"}});
    }
    SECTION("a body that ends too early") {
        ScriptedUpstream upstream(ScriptedUpstream::sends_and_closes(head + "3\r\nabc\r\n5\r\nde"));
        const auto answer = RawClient(upstream.port()).get("/");
        REQUIRE_FALSE(answer.complete);
        REQUIRE(answer.body == "abcde");
    }
}

TEST_CASE("scripted upstream: each way to end a connection arrives as such", "[support][scripted_upstream]") {
    ScriptedUpstream upstream(ScriptedUpstream::resets());
    RawClient first(upstream.port());
    first.send(make_request("GET", "/"));
    REQUIRE(first.wait_for_end());
    REQUIRE(first.end() == End::reset);

    upstream.script(ScriptedUpstream::closes());
    RawClient second(upstream.port());
    second.send(make_request("GET", "/"));
    REQUIRE(second.wait_for_end());
    REQUIRE(second.end() == End::eof);

    upstream.script(ScriptedUpstream::stalls());
    RawClient third(upstream.port());
    third.send(make_request("GET", "/"));
    REQUIRE(eventually([&] { return upstream.request_count() == 3; }));
    REQUIRE_FALSE(third.readable(20ms));
    third.reset();
    REQUIRE(eventually([&] { return upstream.open() == 0; }));
}

TEST_CASE("scripted upstream: an upgraded connection echoes, raw mode sees the bytes", "[support][scripted_upstream]") {
    ScriptedUpstream echo(ScriptedUpstream::upgrades_and_echoes());
    RawClient client(echo.port());
    REQUIRE(client.get("/ws").status() == 101);
    client.send("ping");
    REQUIRE(client.read_exactly(4) == "ping");

    ScriptedUpstream raw(ScriptedUpstream::Raw{}, [](Connection& to) { to.send(to.read_until("!") + "?"); });
    RawClient other(raw.port());
    other.send("what!");
    REQUIRE(other.read_to_end() == "what!?");
}

TEST_CASE("connection: a wait that runs into its limit throws with what had arrived", "[support][connection]") {
    ScriptedUpstream upstream(ScriptedUpstream::sends("HTTP/1.1 200 OK\r\n"));
    RawClient client(upstream.port());
    client.set_limit(50ms);
    client.send(make_request("GET", "/"));
    REQUIRE_THROWS_WITH(client.response(), contains("nothing arrived") && contains("200 OK"));
}

TEST_CASE("gate: bytes pass sliced, and are cut after the given number", "[support][gate]") {
    ScriptedUpstream upstream(ScriptedUpstream::answers(200, std::string(1000, 'x')));
    Gate gate(upstream.port());
    SECTION("sliced") {
        gate.to_target({.slice = 1});
        gate.from_target({.slice = 7});
        REQUIRE(fetch(gate.port(), "GET", "/").body.size() == 1000);
    }
    SECTION("closed after 200 bytes") {
        gate.from_target({.close_after = 200});
        const auto answer = fetch(gate.port(), "GET", "/");
        REQUIRE_FALSE(answer.complete);
    }
    SECTION("reset after 200 bytes") {
        gate.from_target({.reset_after = 200});
        RawClient client(gate.port());
        client.send(make_request("GET", "/"));
        REQUIRE(client.wait_for_end());
        REQUIRE(client.end() == End::reset);
    }
    SECTION("stalled after the head") {
        gate.to_target({.stall_after = 10});
        RawClient client(gate.port());
        client.send(make_request("GET", "/"));
        REQUIRE_FALSE(client.readable(50ms));
        REQUIRE(upstream.request_count() == 0);
    }
}
