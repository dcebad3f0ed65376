// Failure at every byte: a small exchange is cut, reset or stalled behind each of its bytes, on both legs.
#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fail_calls.hpp"
#include "tests/support/gate.hpp"

using namespace gateway::test;

namespace {

const std::string request =
    "POST /cut HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
const std::string answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nworld\r\n0\r\n\r\n";

// A gateway between two gates.
struct GatedStage {
    ScriptedUpstream upstream{ScriptedUpstream::sends(answer)};
    Gate back{upstream.port()};
    GatewayProcess gateway{stage_options(node_map("127.0.0.1:" + std::to_string(back.port())),
                                         {.http = "client_header_timeout: 1s\nclient_body_timeout: 1s",
                                          .upstream_lines = "timeout: {connect: 1, send: 1, read: 1}\nretries: 0"})};
    Gate front{gateway.port()};

    // What the client got: the whole answer, a page of the gateway, or something that ends too early.
    std::string story() {
        RawClient client(front.port());
        client.try_send(request, 5s);
        return client.read_to_end();
    }
    bool serves() {
        front.to_target({});
        front.from_target({});
        back.to_target({});
        back.from_target({});
        return fetch(gateway.port(), "GET", "/after").body == "world";
    }
};

bool is_whole(const std::string& text) {
    return text.starts_with("HTTP/1.1 200") && text.find("5\r\nworld\r\n0\r\n\r\n") != std::string::npos;
}
bool is_page(const std::string& text) {
    return text.starts_with("HTTP/1.1 4") || text.starts_with("HTTP/1.1 50");
}
// Without its last chunk, so nobody takes it for whole.
bool is_cut(const std::string& text) {
    return !is_page(text) && text.find("0\r\n\r\n") == std::string::npos;
}

using Make = Fault (*)(std::size_t);
constexpr Make makes[]{[](std::size_t n) { return Fault{.close_after = n}; },
                       [](std::size_t n) { return Fault{.reset_after = n}; }};

}  // namespace

TEST_CASE("http cuts: the client's leg ends behind every byte of the request", "[e2e][http][cuts]") {
    GatedStage stage;
    for (const Make make : makes) {
        for (std::size_t n = 0; n < request.size(); ++n) {
            INFO(n);
            stage.front.to_target(make(n));
            CHECK_FALSE(is_whole(stage.story()));
        }
    }
    CHECK(stage.serves());
    for (const Message& seen : stage.upstream.requests()) CHECK((seen.target() == "/cut" || seen.target() == "/after"));
    CHECK(eventually([&] { return stage.upstream.open() <= 1; }));
}

TEST_CASE("http cuts: the client's leg ends behind every byte of the answer", "[e2e][http][cuts]") {
    GatedStage stage;
    for (const Make make : makes) {
        for (std::size_t n = 0; n < 200; n += 3) {
            INFO(n);
            stage.front.from_target(make(n));
            stage.story();
        }
    }
    CHECK(stage.serves());
}

TEST_CASE("http cuts: the upstream's leg ends behind every byte of the request", "[e2e][http][cuts]") {
    GatedStage stage;
    for (const Make make : makes) {
        for (std::size_t n = 0; n < request.size(); n += 2) {
            INFO(n);
            stage.back.to_target(make(n));
            const std::string got = stage.story();
            CHECK((is_whole(got) || got.starts_with("HTTP/1.1 502")));
        }
    }
    CHECK(stage.serves());
}

TEST_CASE("http cuts: the upstream's leg ends behind every byte of the answer", "[e2e][http][cuts]") {
    GatedStage stage;
    for (const Make make : makes) {
        for (std::size_t n = 0; n < answer.size(); ++n) {
            INFO(n);
            stage.back.from_target(make(n));
            const std::string got = stage.story();
            CHECK((got.starts_with("HTTP/1.1 502") || is_cut(got)));
        }
    }
    CHECK(stage.serves());
}

TEST_CASE("http cuts: a stall behind a byte runs into its time limit and nothing else", "[e2e][http][cuts]") {
    GatedStage stage;
    for (const std::size_t n : {std::size_t(5), request.size() - 3}) {
        INFO(n);
        stage.front.to_target({.stall_after = n});
        CHECK(stage.story().starts_with("HTTP/1.1 408"));
    }
    stage.front.to_target({});
    for (const std::size_t n : {std::size_t(0), std::size_t(20)}) {
        INFO(n);
        stage.back.from_target({.stall_after = n});
        CHECK(stage.story().starts_with("HTTP/1.1 504"));
    }
    stage.back.from_target({.stall_after = answer.size() - 3});
    CHECK(is_cut(stage.story()));
    CHECK(stage.serves());
}

TEST_CASE("http cuts: every socket call of an exchange fails once, and the gateway serves on", "[e2e][http][cuts]") {
    FailCalls calls;
    ScriptedUpstream upstream{ScriptedUpstream::sends(answer)};
    GatewayOptions options = stage_options(node_map(upstream.node()), {});
    options.environment = calls.environment();
    GatewayProcess gateway(options);
    const std::uint16_t port = gateway.port();
    const pid_t worker = gateway.workers().at(0);
    for (const auto kind : {FailPage::receive, FailPage::transmit, FailPage::connecting}) {
        for (int good = 0; good < 12; ++good) {
            INFO("kind " << kind << " call " << good);
            calls.arm(kind, good);
            RawClient client(port);
            client.try_send(request, 5s);
            const std::string got = client.read_to_end();
            CHECK((is_whole(got) || is_page(got) || is_cut(got)));
            if (!calls.failed()) break;
        }
        calls.disarm();
        CHECK(fetch(port, "GET", "/after").body == "world");
    }
    CHECK(gateway.workers().at(0) == worker);
}
