// Bodies and framing between client and upstream: every kind of body both ways, interim answers, persistence.
#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/gate.hpp"

using namespace gateway::test;

namespace {

// What the upstream must have seen of the n-th request.
Message seen(const Stage& stage, std::size_t n = 0) {
    return stage.upstream.requests().at(n);
}

}  // namespace

TEST_CASE("http bodies: a chunked request goes on chunked, with its trailers, without those that are no trailers",
          "[e2e][http]") {
    Stage stage;
    RawClient client = stage.client();
    client.send(
        "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
        "4\r\nabcd\r\n3\r\nefg\r\n0\r\nX-Sum: 7\r\nContent-Length: 3\r\nHost: b\r\nAuthorization: x\r\n\r\n");
    CHECK(client.response().status() == 200);
    const Message request = seen(stage);
    CHECK(request.body == "abcdefg");
    CHECK(request.count("content-length") == 0);
    REQUIRE(request.trailers.size() == 1);
    CHECK(request.trailers[0].first == "X-Sum");
    CHECK(request.trailers[0].second == "7");
    CHECK(client.get("/again").status() == 200);
}

TEST_CASE("http bodies: a chunked answer arrives chunked with its trailers", "[e2e][http]") {
    Stage stage({}, ScriptedUpstream::sends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                            "4\r\nabcd\r\n3;e=1\r\nefg\r\n0\r\nX-Sum: 7\r\n\r\n"));
    RawClient client = stage.client();
    for (int round = 0; round < 3; ++round) {
        const Message answer = client.get("/");
        CHECK(answer.field("transfer-encoding") == "chunked");
        CHECK(answer.body == "abcdefg");
        REQUIRE(answer.trailers.size() == 1);
        CHECK(answer.trailers[0].second == "7");
    }
    CHECK(stage.upstream.accepted() == 1);
}

TEST_CASE("http bodies: an HTTP/1.0 client gets a chunked answer plain, ended by the close", "[e2e][http]") {
    Stage stage({},
                ScriptedUpstream::sends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n"));
    const std::string all = stage.conversation("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(all.find("Transfer-Encoding") == std::string::npos);
    CHECK(all.find("Connection: close\r\n") != std::string::npos);
    CHECK(all.ends_with("\r\n\r\nabcd"));
}

TEST_CASE("http bodies: an answer without a length is chunked for HTTP/1.1 and the connection goes on", "[e2e][http]") {
    Stage stage({}, ScriptedUpstream::sends_and_closes("HTTP/1.1 200 OK\r\n\r\nall of it"));
    RawClient client = stage.client();
    for (int round = 0; round < 3; ++round) {
        const Message answer = client.get("/");
        CHECK(answer.body == "all of it");
        CHECK(answer.field("transfer-encoding") == "chunked");
        CHECK(answer.complete);
    }
}

TEST_CASE("http bodies: Expect: 100-continue is answered here, once, and not passed on", "[e2e][http]") {
    Stage stage;
    RawClient client = stage.client();
    for (int round = 0; round < 2; ++round) {
        client.send("PUT /e HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n");
        const Message leave = client.response();
        CHECK(leave.status() == 100);
        CHECK(leave.fields.empty());
        client.send("hello");
        CHECK(client.response().status() == 200);
    }
    client.send("PUT /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello");
    CHECK(client.response().status() == 200);
    REQUIRE(stage.upstream.request_count() == 3);
    CHECK(seen(stage, 1).body == "hello");
    CHECK(seen(stage, 1).count("expect") == 0);
}

TEST_CASE("http bodies: a refused expectation gets its final answer at once and no 100", "[e2e][http]") {
    Stage stage({.http = "client_max_body_size: 10"});
    RawClient client = stage.client();
    client.send("PUT /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 50\r\n\r\n");
    CHECK(client.response().status() == 413);
    CHECK(client.read_to_end().empty());
    CHECK(stage.upstream.accepted() == 0);
}

TEST_CASE("http bodies: an answer that comes before the whole request arrives, and spoils both connections",
          "[e2e][http]") {
    ScriptedUpstream upstream(ScriptedUpstream::Raw{}, [](Connection& to) {
        to.read_until("\r\n\r\n");
        to.send("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno");
        to.half_close();
        to.wait_for_end();
    });
    GatewayProcess gateway(stage_options(node_map(upstream.node()), {}));
    RawClient client(gateway.port());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\nsome of it");
    const Message answer = client.response();
    CHECK(answer.status() == 403);
    CHECK(answer.body == "no");
    CHECK(answer.field("connection") == "close");
    CHECK(eventually([&] { return upstream.open() == 0; }));
    client.half_close();
    CHECK(client.wait_for_end());
}

TEST_CASE("http bodies: HEAD, 204 and 304 carry no body whatever their fields say", "[e2e][http]") {
    Stage stage({}, [](Connection& to, const Message& request) {
        if (request.target() == "/204") return to.send("HTTP/1.1 204 No Content\r\n\r\n");
        if (request.target() == "/304")
            return to.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: x\r\n\r\n");
        if (request.method() == "HEAD") return to.send("HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n");
        to.send(make_response(200, "body"));
    });
    RawClient client = stage.client();
    const Message head = client.ask("HEAD", "/h");
    CHECK(head.status() == 200);
    CHECK(head.field("content-length") == "12345");
    const Message none = client.get("/204");
    CHECK(none.status() == 204);
    CHECK(none.count("content-length") == 0);
    const Message same = client.get("/304");
    CHECK(same.status() == 304);
    CHECK(same.field("content-length") == "5");
    CHECK(client.get("/").body == "body");
    CHECK(stage.upstream.accepted() == 1);
}

TEST_CASE("http bodies: bytes behind a bodiless answer are not taken for the next answer", "[e2e][http]") {
    Stage stage({}, [](Connection& to, const Message& request) {
        to.send(request.method() == "HEAD"
                    ? "HTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
                      "4\r\n\r\nevil"
                    : make_response(200, "good"));
    });
    RawClient client = stage.client();
    for (int round = 0; round < 5; ++round) {
        CHECK(client.ask("HEAD", "/h").status() == 200);
        CHECK(client.get("/g").body == "good");
    }
}

TEST_CASE("http bodies: pipelined requests are answered in order, bodies among them", "[e2e][http]") {
    Stage stage({}, [](Connection& to, const Message& request) {
        to.send(make_response(200, std::string(request.target()) + "=" + request.body));
    });
    RawClient client = stage.client();
    std::string all;
    for (int i = 0; i < 40; ++i) {
        const std::string target = "/" + std::to_string(i);
        all += i % 3 == 0   ? make_request("GET", target)
               : i % 3 == 1 ? make_request("POST", target, {}, "body" + target)
                            : "POST " + target +
                                  " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    }
    client.send(all);
    for (int i = 0; i < 40; ++i) {
        const std::string target = "/" + std::to_string(i);
        CHECK(client.response().body == target + "=" + (i % 3 == 0 ? "" : i % 3 == 1 ? "body" + target : "abc"));
    }
    CHECK(stage.upstream.accepted() == 1);
}

TEST_CASE("http bodies: 103 is relayed to HTTP/1.1, other interim answers are dropped", "[e2e][http]") {
    Stage stage(
        {}, ScriptedUpstream::sends("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX: 1\r\n\r\n"
                                    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r\n"
                                    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfinal"));
    RawClient client = stage.client();
    for (int round = 0; round < 2; ++round) {
        const Message hints = client.get("/");
        CHECK(hints.status() == 103);
        CHECK(hints.field("link") == "</a>");
        CHECK(hints.count("x-hop") == 0);
        CHECK(client.response().body == "final");
    }
    const std::string old = stage.conversation("GET / HTTP/1.0\r\n\r\n");
    CHECK(old.starts_with("HTTP/1.1 200"));
    CHECK(old.ends_with("final"));
}

TEST_CASE("http bodies: endless interim answers are an invalid response", "[e2e][http]") {
    std::string many;
    for (int i = 0; i < 100; ++i) many += "HTTP/1.1 102 Processing\r\n\r\n";
    Stage stage({}, ScriptedUpstream::sends(many + make_response(200, "late")));
    CHECK(stage.get("/").status() == 502);
}

TEST_CASE("http bodies: persistence follows version and Connection", "[e2e][http]") {
    Stage stage;
    const auto lasts = [&stage](const std::string& request, const std::string& connection) {
        RawClient client = stage.client();
        client.send(request);
        const Message answer = client.response();
        CHECK(answer.status() == 200);
        CHECK(answer.field("connection") == connection);
        if (connection == "close") {
            CHECK(client.wait_for_end());
            return;
        }
        client.send(request);
        CHECK(client.response().status() == 200);
    };
    lasts("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "");
    lasts("GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n", "close");
    lasts("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n", "close");
    lasts("GET / HTTP/1.0\r\n\r\n", "close");
    lasts("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "keep-alive");
}

TEST_CASE("http bodies: the absolute form's authority wins over Host", "[e2e][http]") {
    Stage stage({.route_lines = "host: \"good.example\""});
    RawClient client = stage.client();
    client.send("GET http://Good.example:8080/p?q=1 HTTP/1.1\r\nHost: bad.example\r\n\r\n");
    CHECK(client.response().status() == 200);
    const Message request = seen(stage);
    CHECK(request.target() == "/p?q=1");
    CHECK(request.field("host") == "Good.example:8080");
    CHECK(request.count("host") == 1);
    client.send("GET http://bad.example/ HTTP/1.1\r\nHost: good.example\r\n\r\n");
    CHECK(client.response().status() == 404);
}

TEST_CASE("http bodies: an exchange in single bytes on both legs is the same exchange", "[e2e][http]") {
    ScriptedUpstream upstream([](Connection& to, const Message& request) {
        to.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        to.send("4\r\n" + request.body.substr(0, 4) + "\r\n0\r\nX-T: 1\r\n\r\n");
    });
    Gate back(upstream.port());
    back.to_target({.slice = 1});
    back.from_target({.slice = 1});
    GatewayProcess gateway(stage_options(node_map("127.0.0.1:" + std::to_string(back.port())), {}));
    Gate front(gateway.port());
    front.to_target({.slice = 1});
    front.from_target({.slice = 1});
    RawClient client(front.port());
    for (int round = 0; round < 3; ++round) {
        client.send("POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nwx\r\n2\r\nyz\r\n0\r\n\r\n");
        const Message answer = client.response();
        CHECK(answer.body == "abcwxyz");
        CHECK(answer.trailers.size() == 1);
    }
    CHECK(back.accepted() == 1);
}
