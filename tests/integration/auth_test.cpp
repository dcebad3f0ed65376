// jwt-auth and hmac-auth through the whole gateway: the examples of their pages, bodies, keys that change.
#include <fstream>
#include <iterator>

#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;

namespace {

// Key jack-key, exp 2100; signed with jack-secret-0123456789abcdef.
const std::string token =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJrZXkiOiJqYWNrLWtleSIsImV4cCI6NDEwMjQ0NDgwMH0."
    "WH3KJkxSjJ2pvoKouTFDGeHzmS2BXlv5QNJsmBsMZfg";

// The part of a documentation page between the fence of that language and the next one.
std::string example(const std::string& page, const std::string& language) {
    std::ifstream in(std::string(GATEWAY_SOURCE_DIR) + "/docs/plugins/" + page + ".md");
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const std::size_t begin = text.find("```" + language + "\n") + language.size() + 4;
    return text.substr(begin, text.find("```", begin) - begin);
}

std::string with_port(std::string text, const std::string& example_port, const std::string& port) {
    for (std::size_t at = 0; (at = text.find(example_port, at)) != text.npos; at += port.size())
        text.replace(at, example_port.size(), port);
    return text;
}

GatewayOptions options_of(const std::string& page, const ScriptedUpstream& upstream) {
    GatewayOptions options;
    options.routes = with_port(example(page, "yaml"), "127.0.0.1:1980", upstream.node());
    options.environment = {"JACK_SECRET=jack-secret-0123456789abcdef"};
    return options;
}

}  // namespace

TEST_CASE("auth: the example of jwt-auth's page works, and a new secret counts at once", "[e2e][auth]") {
    ScriptedUpstream upstream;
    GatewayOptions options = options_of("jwt-auth", upstream);
    options.routes = with_port(options.routes, "key_claim_name: iss", "key_claim_name: key");
    GatewayProcess gateway(options);
    const std::string line = "Authorization: Bearer " + token + "\r\n";
    CHECK(fetch(gateway.port(), "GET", "/a").status() == 401);
    CHECK(fetch(gateway.port(), "GET", "/a", line).status() == 200);
    CHECK(upstream.requests().back().field("x-consumer-username") == "jack");
    CHECK(upstream.requests().back().count("authorization") == 0);
    CHECK(fetch(gateway.port(), "GET", "/a?jwt=" + token + "x").status() == 401);
    const auto reload = gateway.reload(with_port(options.routes, "$env://JACK_SECRET", "another-secret"));
    INFO(reload.out);
    REQUIRE(reload.exit == 0);
    CHECK(fetch(gateway.port(), "GET", "/a", line).status() == 401);
}

TEST_CASE("auth: a secret that is not there lets no token pass", "[e2e][auth][fail_closed]") {
    ScriptedUpstream upstream;
    GatewayOptions options = options_of("jwt-auth", upstream);
    options.routes = with_port(options.routes, "key_claim_name: iss", "key_claim_name: key");
    options.environment.clear();
    GatewayProcess gateway(options);
    CHECK(fetch(gateway.port(), "GET", "/a", "Authorization: " + token + "\r\n").status() == 401);
    CHECK(upstream.requests().empty());
}

TEST_CASE("auth: the example of hmac-auth's page works", "[e2e][auth]") {
    ScriptedUpstream upstream;
    GatewayProcess gateway(options_of("hmac-auth", upstream));
    const std::string script =
        with_port(example("hmac-auth", "sh"), "127.0.0.1:9080", "127.0.0.1:" + std::to_string(gateway.port()));
    const auto good = run({"bash", "-c", script}, milliseconds(10000), {"JACK_SECRET=jack-secret-0123456789abcdef"});
    INFO(good.out);
    CHECK(good.exit == 0);
    REQUIRE(upstream.requests().size() == 1);
    CHECK(upstream.requests().back().field("x-consumer-username") == "jack");
    const auto bad = run({"bash", "-c", script}, milliseconds(10000), {"JACK_SECRET=another"});
    CHECK(bad.out.find("client request can't be validated") != bad.out.npos);
    CHECK(upstream.requests().size() == 1);
}

TEST_CASE("auth: hmac-auth compares the body that came, whatever its framing", "[e2e][auth]") {
    ScriptedUpstream upstream;
    GatewayOptions options = options_of("hmac-auth", upstream);
    // No field has to be signed, so that the signature of the key alone will do: the body is what matters here.
    options.routes = with_port(options.routes, "clock_skew: 60, signed_headers: [date, \"@request-target\"]",
                               "clock_skew: 2000000000, signed_headers: [], validate_request_body: true, "
                               "max_req_body_size: 16");
    GatewayProcess gateway(options);
    const auto signature = run({"bash", "-c",
                                "printf 'jack-key\\n' | openssl dgst -sha256 -hmac jack-secret-0123456789abcdef "
                                "-binary | base64 | tr -d '\\n'"});
    const std::string lines =
        "Date: Tue, 19 Jan 2027 03:14:07 GMT\r\nDigest: SHA-256=O48CxkYk41XeY35glkK0QasUJ7YZ2fuRy2x7Do+M7tE=\r\n"
        "Authorization: Signature keyId=\"jack-key\",algorithm=\"hmac-sha256\",signature=\"" +
        signature.out + "\"\r\n";
    CHECK(fetch(gateway.port(), "POST", "/a", lines, R"({"name":"alice"})").status() == 200);
    CHECK(upstream.requests().back().body == R"({"name":"alice"})");
    CHECK(fetch(gateway.port(), "POST", "/a", lines, R"({"name":"alicf"})").status() == 401);
    CHECK(fetch(gateway.port(), "POST", "/a", lines).status() == 401);
    const std::string chunked = lines + "Transfer-Encoding: chunked\r\n";
    const auto send = [&](std::string_view body) {
        RawClient client(gateway.port());
        client.send("POST /a HTTP/1.1\r\nHost: a\r\n" + chunked + "\r\n" + std::string(body));
        return client.response().status();
    };
    CHECK(send("8\r\n{\"name\":\r\n8\r\n\"alice\"}\r\n0\r\n\r\n") == 200);
    CHECK(send("8\r\n{\"name\":\r\n8\r\n\"alicf\"}\r\n0\r\n\r\n") == 401);
    CHECK(fetch(gateway.port(), "POST", "/a", lines, R"({"name":"alice"} )").status() == 413);
    CHECK(upstream.requests().size() == 2);
}
