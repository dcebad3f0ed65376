// Limits of size and time, each by the page of its status; overload pauses accepting and nothing else.
#include <poll.h>
#include <sys/resource.h>

#include "tests/integration/http_story.hpp"
#include "tests/support/black_hole.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;

namespace {

bool is_page(const Message& answer, std::string_view title) {
    const std::string heading = "<center><h1>" + std::string(title) + "</h1></center>";
    return answer.body.find(heading) != std::string::npos && answer.field("content-type") == "text/html; charset=utf-8";
}

// False once the other side has gone; reads nothing, so that its buffers fill up.
bool recv_nothing(Connection& from) {
    pollfd entry{from.descriptor(), POLLRDHUP, 0};
    return ::poll(&entry, 1, 60000) == 0;
}

std::string filled(std::size_t size) {
    return std::string(size, 'x');
}

}  // namespace

TEST_CASE("http limits: header lines, header size and target have theirs, and what is within passes", "[e2e][http]") {
    Stage stage({.http = "limits:\n  header_count: 5\n  header_size: 4k\n  single_header_size: 1k\n  uri_size: 1k"});
    const auto refused = [&stage](const std::string& target, const std::string& lines, int status, const char* title) {
        RawClient client = stage.client();
        client.send(make_request("GET", target, lines));
        const Message answer = client.response();
        CHECK(answer.status() == status);
        CHECK(is_page(answer, title));
        CHECK(client.read_to_end().empty());
    };
    refused("/", "A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\n", 431, "431 Request Header Fields Too Large");
    refused("/", "A: " + filled(1025) + "\r\n", 431, "431 Request Header Fields Too Large");
    refused(
        "/",
        "A: " + filled(1015) + "\r\nB: " + filled(1015) + "\r\nC: " + filled(1015) + "\r\nD: " + filled(1015) + "\r\n",
        431, "431 Request Header Fields Too Large");
    refused("/" + filled(1024), "", 414, "414 Request-URI Too Large");
    refused("/" + filled(6000), "", 414, "414 Request-URI Too Large");
    CHECK(stage.upstream.accepted() == 0);
    CHECK(stage.get("/", "A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\n").status() == 200);
    CHECK(stage.get("/", "A: " + filled(1000) + "\r\nB: " + filled(1000) + "\r\n").status() == 200);
    CHECK(stage.get("/" + filled(1023)).status() == 200);
}

TEST_CASE("http limits: large heads within the limits pass both ways", "[e2e][http]") {
    const std::string value = filled(15000);
    Stage stage({}, ScriptedUpstream::answers(200, "ok", "X-Large: " + value + "\r\nX-More: " + value + "\r\n"));
    RawClient client = stage.client();
    for (int round = 0; round < 3; ++round) {
        const Message answer = client.get("/" + filled(1000), "X-Up: " + value + "\r\nX-Up2: " + value + "\r\n");
        CHECK(answer.status() == 200);
        CHECK(answer.field("x-large") == value);
        CHECK(answer.body == "ok");
    }
    CHECK(stage.upstream.requests().at(2).field("x-up2") == value);
    CHECK(stage.upstream.accepted() == 1);
}

TEST_CASE("http limits: a body over its limit is 413, by its length at once, by its chunks on the way", "[e2e][http]") {
    Stage stage({.http = "client_max_body_size: 1000"});
    CHECK(fetch(stage.port(), "POST", "/", {}, filled(1000)).status() == 200);
    RawClient announced = stage.client();
    announced.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n");
    const Message answer = announced.response();
    CHECK(answer.status() == 413);
    CHECK(is_page(answer, "413 Request Entity Too Large"));
    CHECK(announced.wait_for_end());
    RawClient chunked = stage.client();
    chunked.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n258\r\n" + filled(600) + "\r\n");
    chunked.send("258\r\n" + filled(600) + "\r\n0\r\n\r\n");
    CHECK(chunked.response().status() == 413);
    CHECK(chunked.wait_for_end());
    for (const Message& seen : stage.upstream.requests()) CHECK(seen.body.size() <= 1000);
}

TEST_CASE("http limits: a client that is still uploading can read the answer that refuses it", "[e2e][http]") {
    Stage stage({.http = "client_max_body_size: 1000"});
    for (int round = 0; round < 20; ++round) {
        RawClient client = stage.client();
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
        client.try_send(filled(3000000), 2s);
        CHECK(client.response().status() == 413);
        CHECK(client.read_to_end().empty());
    }
}

TEST_CASE("http limits: a request head that does not come in time is 408, however it trickles", "[e2e][http]") {
    Stage stage({.http = "client_header_timeout: 1s"});
    RawClient slow = stage.client();
    slow.send("GET / HTTP/1.1\r\nHost: a\r\nX: ");
    const auto begun = std::chrono::steady_clock::now();
    while (!slow.readable(100ms) && std::chrono::steady_clock::now() - begun < 20s) slow.try_send("x", 1ms);
    const Message answer = slow.response();
    CHECK(answer.status() == 408);
    CHECK(is_page(answer, "408 Request Timeout"));
    CHECK(slow.wait_for_end());
    RawClient silent = stage.client();
    CHECK(silent.read_to_end().empty());
    CHECK(stage.upstream.accepted() == 0);
    CHECK(logged(stage.gateway, "408"));
}

TEST_CASE("http limits: a head in pieces behind another request is served, or has its own time", "[e2e][http]") {
    Stage stage({.http = "client_header_timeout: 1s", .format = "$status $request_uri $request_time"});
    const std::string head = make_request("GET", "/second", "X-Long: " + filled(9000) + "\r\n");
    RawClient client = stage.client();
    client.send(make_request("GET", "/first") + head.substr(0, 20));
    CHECK(client.response().status() == 200);
    CHECK_FALSE(client.readable(0ms));
    client.send(head.substr(20, 6000));
    CHECK(stage.gateway.ctl({"--json", "show", "connections"}).out.find("reading") != std::string::npos);
    client.send(head.substr(6020));
    CHECK(client.response().status() == 200);
    CHECK(stage.upstream.requests().at(1).field("x-long") == filled(9000));
    client.send(make_request("GET", "/third") + "GET /never");
    CHECK(client.response().status() == 200);
    CHECK(client.response().status() == 408);
    CHECK(client.read_to_end().empty());
    CHECK(logged(stage.gateway, "408 "));
    CHECK(stage.upstream.request_count() == 3);
}

TEST_CASE("http limits: a head that is wrong or too large is refused in pieces as well", "[e2e][http]") {
    Stage stage({.http = "limits: {header_size: 8k, uri_size: 1k}\nclient_header_timeout: 60s"});
    const auto refused = [&stage](const std::string& first, const std::string& second, int status) {
        RawClient client = stage.client();
        client.send(first);
        CHECK_FALSE(client.readable(0ms));
        client.send(second);
        CHECK(client.response().status() == status);
        CHECK(client.read_to_end().empty());
    };
    refused("GET /", filled(2000) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414);
    refused("GET / HTTP/1.1\r\nHost: a\r\nX: ", filled(20000), 431);
    refused("GET / HTTP/1.1\r\nHost: a\r\n", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
    CHECK(stage.upstream.accepted() == 0);
}

TEST_CASE("http limits: a body that stops is 408 and the upstream is let go", "[e2e][http]") {
    Stage stage({.http = "client_body_timeout: 1s"});
    RawClient client = stage.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    CHECK(client.response().status() == 408);
    CHECK(client.wait_for_end());
    CHECK(eventually([&] { return stage.upstream.open() == 0; }));
}

TEST_CASE("http limits: an idle connection ends silently after its time, one in use does not", "[e2e][http]") {
    Stage stage({.http = "keepalive_timeout: 1s"});
    RawClient client = stage.client();
    CHECK(client.get("/").status() == 200);
    CHECK(client.read_to_end().empty());
    CHECK(client.end() == End::eof);
}

TEST_CASE("http limits: a client that stops reading is cut off after the send time", "[e2e][http]") {
    Stage stage({.http = "send_timeout: 1s"}, [](Connection& to, const Message&) {
        to.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
        while (to.try_send(filled(1 << 20), 30s) == 1 << 20) continue;
    });
    RawClient client(stage.port(), "127.0.0.1", 4096);
    client.send(make_request("GET", "/"));
    CHECK(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
    CHECK(eventually([&] { return stage.upstream.open() == 0; }, 10s));
    CHECK(client.read_to_end().size() < 100000000);
}

TEST_CASE("http limits: upstream times end in 504, each for its own wait", "[e2e][http]") {
    SECTION("read") {
        Stage stage({.upstream_lines = "timeout: {connect: 5, send: 5, read: 1}"}, ScriptedUpstream::stalls());
        const Message answer = stage.get("/");
        CHECK(answer.status() == 504);
        CHECK(is_page(answer, "504 Gateway Time-out"));
        CHECK(eventually([&] { return stage.upstream.open() == 0; }));
    }
    SECTION("connect") {
        const BlackHole hole;
        GatewayProcess gateway(
            stage_options(node_map(hole.node()), {.upstream_lines = "timeout: {connect: 1, send: 9, read: 9}"}));
        CHECK(fetch(gateway.port(), "POST", "/", {}, "body").status() == 504);
        CHECK(hole.visitors() == 0);
    }
    SECTION("send") {
        ScriptedUpstream deaf(ScriptedUpstream::Raw{}, [](Connection& from) {
            from.read_until("\r\n\r\n");
            while (recv_nothing(from)) continue;
        });
        GatewayProcess gateway(
            stage_options(node_map(deaf.node()), {.upstream_lines = "timeout: {connect: 9, send: 1, read: 9}"}));
        RawClient client(gateway.port());
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
        client.try_send(filled(30000000), 500ms);
        CHECK(client.response().status() == 504);
    }
}

TEST_CASE("http limits: slow clients hold no more than their buffer and nobody else", "[e2e][http]") {
    Stage stage({.http = "client_header_timeout: 3s"});
    const pid_t worker = stage.gateway.workers().at(0);
    CHECK(stage.get("/").status() == 200);
    const long before = resident_kib(worker);
    std::vector<RawClient> slow;
    for (int i = 0; i < 500; ++i) {
        slow.emplace_back(stage.port());
        slow.back().send("GET / HTTP/1.1\r\nHost: a\r\nX: " + filled(100));
    }
    CHECK(stage.get("/").status() == 200);
#ifndef GATEWAY_SANITIZED
    CHECK(resident_kib(worker) - before < 500 * 8);
#else
    static_cast<void>(before);
#endif
    for (RawClient& client : slow) CHECK(client.response().status() == 408);
    CHECK(stage.upstream.request_count() == 2);
}

TEST_CASE("http limits: at worker_connections accepting pauses, and goes on when somebody leaves", "[e2e][http]") {
    Stage stage({.nginx = "event: {worker_connections: 16}"});
    std::vector<RawClient> held;
    for (int i = 0; i < 16; ++i) {
        held.emplace_back(stage.port());
        CHECK(held.back().get("/").status() == 200);
    }
    RawClient waiting = stage.client();
    waiting.send(make_request("GET", "/waited"));
    CHECK(eventually([&] { return stage.gateway.log().find("accept paused") != std::string::npos; }));
    CHECK_FALSE(waiting.readable(200ms));
    CHECK(held[1].get("/still").status() == 200);
    held.erase(held.begin());
    CHECK(waiting.response().status() == 200);
}

TEST_CASE("http limits: out of descriptors nothing crashes and service resumes", "[e2e][http]") {
    Stage stage;
    const pid_t worker = stage.gateway.workers().at(0);
    CHECK(stage.get("/").status() == 200);
    rlimit old{};
    REQUIRE(::prlimit(worker, RLIMIT_NOFILE, nullptr, &old) == 0);
    const rlimit few{24, old.rlim_max};
    REQUIRE(::prlimit(worker, RLIMIT_NOFILE, &few, nullptr) == 0);
    std::vector<RawClient> many;
    for (int i = 0; i < 60; ++i) many.emplace_back(stage.port());
    CHECK(eventually([&] { return stage.gateway.log().find("accept paused") != std::string::npos; }));
    const int first = many.front().get("/short").status();
    CHECK((first == 200 || first == 502));
    many.clear();
    REQUIRE(::prlimit(worker, RLIMIT_NOFILE, &old, nullptr) == 0);
    CHECK(eventually([&] { return stage.get("/after").status() == 200; }));
    CHECK(stage.gateway.workers().at(0) == worker);
}
