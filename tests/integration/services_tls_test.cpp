// Services that the gateway asks or tells over https: authorisation, mirror and collector, with certificates right and
// wrong.
#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/tls_front.hpp"

using namespace gateway::test;

namespace {

StageOptions plugins(const TestAuthority& trusted, const std::string& list) {
    StageOptions options;
    options.route_lines = "plugins: {" + list + "}";
    options.apisix = "ssl: {ssl_trusted_certificate: " + trusted.file().string() + "}";
    return options;
}

bool says(const GatewayProcess& gateway, const std::string& text) {
    return eventually([&] { return gateway.log().find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE("forward-auth: asks a service over https, over one connection", "[e2e][services_tls]") {
    TestAuthority authority;
    ScriptedUpstream service([](Connection& to, const Message& question) {
        const bool good = question.field("authorization") == "good";
        ScriptedUpstream::answers(good ? 200 : 403, good ? "" : "who?", "X-User: u1\r\n")(to, question);
    });
    TlsFront front(authority.issue("DNS:localhost"), service.port());
    Stage stage(plugins(authority, "forward-auth: {uri: \"https://localhost:" + std::to_string(front.port()) +
                                       "/auth\", request_headers: [Authorization], upstream_headers: [X-User]}"));
    RawClient client = stage.client();
    CHECK(client.get("/", "Authorization: good\r\n").status() == 200);
    CHECK(stage.upstream.requests().at(0).field("x-user") == "u1");
    CHECK(client.get("/", "Authorization: bad\r\n").status() == 403);
    CHECK(front.handshakes() == 1);
    CHECK(front.last_name() == "localhost");
    CHECK(service.requests().at(0).field("host") == "localhost:" + std::to_string(front.port()));
}

TEST_CASE("forward-auth: nobody passes on the word of a service whose certificate is wrong", "[e2e][services_tls]") {
    TestAuthority authority;
    ScriptedUpstream service;
    TlsFront front(authority.issue("DNS:other.test"), service.port());
    const std::string uri = "uri: \"https://" + front.node() + "/auth\"";
    Stage checked(plugins(authority, "forward-auth: {" + uri + "}"));
    CHECK(checked.get("/").status() == 403);
    CHECK(service.request_count() == 0);
    CHECK(says(checked.gateway,
               "failed to process forward auth, err: TLS handshake failed: certificate verify failed: "
               "IP address mismatch"));
    Stage unchecked(plugins(authority, "forward-auth: {" + uri + ", ssl_verify: false}"));
    CHECK(unchecked.get("/").status() == 200);
}

TEST_CASE("forward-auth: a service that stalls in the handshake refuses within the time-out", "[e2e][services_tls]") {
    TestAuthority authority;
    ScriptedUpstream service(ScriptedUpstream::Raw(), [](Connection& guest) { guest.wait_for_end(60s); });
    Stage stage(plugins(
        authority, "forward-auth: {uri: \"https://" + service.node() + "/auth\", timeout: 100, status_on_error: 503}"));
    const auto begin = std::chrono::steady_clock::now();
    CHECK(stage.get("/").status() == 503);
    CHECK(std::chrono::steady_clock::now() - begin < 1s * patience);
}

TEST_CASE("proxy-mirror: copies go over https, whoever vouches for the other server", "[e2e][services_tls]") {
    TestAuthority authority, stranger;
    ScriptedUpstream mirror;
    TlsFront front(stranger.issue("DNS:other.test"), mirror.port());
    Stage stage(plugins(authority, "proxy-mirror: {host: \"https://" + front.node() + "\"}"));
    RawClient client = stage.client();
    client.send(make_request("POST", "/a?b", "", "body"));
    CHECK(client.response().status() == 200);
    REQUIRE(eventually([&] { return mirror.request_count() == 1; }));
    CHECK(mirror.requests().at(0).start_line == "POST /a?b HTTP/1.1");
    CHECK(mirror.requests().at(0).body == "body");
}

TEST_CASE("http-logger: entries go over https where the certificate is right or not looked at", "[e2e][services_tls]") {
    TestAuthority authority;
    ScriptedUpstream collector;
    const bool right = GENERATE(true, false), looks = GENERATE(true, false);
    TlsFront front(authority.issue(right ? "IP:127.0.0.1" : "DNS:other.test"), collector.port());
    Stage stage(plugins(authority, "http-logger: {batch_max_size: 1, uri: \"https://" + front.node() + "/logs\"" +
                                       (looks ? ", ssl_verify: true}" : "}")));
    CHECK(stage.get("/").status() == 200);
    if (right || !looks) {
        REQUIRE(eventually([&] { return collector.request_count() == 1; }));
        CHECK(collector.requests().at(0).target() == "/logs");
    } else {
        CHECK(says(stage.gateway, "certificate verify failed: IP address mismatch"));
        CHECK(collector.request_count() == 0);
    }
}
