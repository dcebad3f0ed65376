// What reaches the upstream of a request and the client of an answer: hop-by-hop, addresses, hosts, names.
#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;

namespace {

Message last(const Stage& stage) {
    return stage.upstream.requests().back();
}

// The upstream's view of one request.
Message sent(Stage& stage, std::string_view lines, std::string_view target = "/") {
    CHECK(stage.get(target, lines).status() == 200);
    return last(stage);
}

std::string proxy_v2(std::uint8_t command) {
    std::string bytes("\r\n\r\n\0\r\nQUIT\n", 12);
    bytes += static_cast<char>(0x20 | command);
    bytes += std::string("\x11\x00\x0c", 3);
    bytes += std::string("\x0a\x01\x02\x03\x0a\x00\x00\x01\x10\x92\x00\x50", 12);
    return bytes;
}

}  // namespace

TEST_CASE("http forwarding: hop-by-hop fields and what Connection names stay on their hop, both ways", "[e2e][http]") {
    Stage stage({}, ScriptedUpstream::answers(200, "ok",
                                              "Connection: X-Up, keep-alive\r\nX-Up: 1\r\nKeep-Alive: timeout=5\r\n"
                                              "Proxy-Connection: x\r\nUpgrade: h2c\r\nTrailer: x\r\nX-End: 1\r\n"));
    RawClient client = stage.client();
    const Message answer =
        client.get("/",
                   "Connection: X-Hop, close-not, keep-alive\r\nConnection: x-two\r\nX-Hop: 1\r\nX-Two: 2\r\n"
                   "Keep-Alive: 5\r\nProxy-Connection: a\r\nTE: trailers, deflate\r\nTrailer: a\r\n"
                   "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nX-End: 1\r\n");
    const Message request = last(stage);
    for (const char* name : {"connection", "x-hop", "x-two", "keep-alive", "proxy-connection", "te", "trailer",
                             "upgrade", "http2-settings"}) {
        INFO(name);
        CHECK(request.count(name) == 0);
    }
    CHECK(request.field("x-end") == "1");
    for (const char* name : {"connection", "x-up", "keep-alive", "proxy-connection", "upgrade", "trailer"}) {
        INFO(name);
        CHECK(answer.count(name) == 0);
    }
    CHECK(answer.field("x-end") == "1");
    CHECK(client.get("/").status() == 200);
}

TEST_CASE("http forwarding: Connection cannot take away what the gateway itself says", "[e2e][http]") {
    Stage stage;
    const Message request = sent(stage, "Connection: Host, X-Forwarded-For, X-Real-IP, Content-Length\r\n");
    CHECK(request.field("host") == "localhost");
    CHECK(request.field("x-forwarded-for") == "127.0.0.1");
    CHECK(request.field("x-real-ip") == "127.0.0.1");
}

TEST_CASE("http forwarding: U20, X-Forwarded-* without and with a trust list", "[e2e][http]") {
    const std::string lines =
        "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: h\r\n"
        "X-Forwarded-Port: 9\r\nForwarded: for=1.1.1.1\r\n";
    {
        Stage stage;
        const Message request = sent(stage, lines);
        CHECK(request.field("x-forwarded-for") == "1.1.1.1, 127.0.0.1");
        CHECK(request.field("x-forwarded-proto") == "http");
        CHECK(request.field("x-forwarded-host") == "localhost");
        CHECK(request.field("x-forwarded-port") == std::to_string(stage.port()));
        CHECK(request.count("forwarded") == 0);
    }
    {
        Stage stage({.apisix = "trusted_addresses: [10.0.0.0/8]"});
        const Message request = sent(stage, lines);
        CHECK(request.field("x-forwarded-for") == "127.0.0.1");
        CHECK(request.field("x-forwarded-proto") == "http");
    }
    Stage stage({.apisix = "trusted_addresses: [127.0.0.1]"});
    const Message request = sent(stage, lines);
    CHECK(request.field("x-forwarded-for") == "1.1.1.1, 127.0.0.1");
    CHECK(request.field("x-forwarded-proto") == "https");
    CHECK(request.field("x-forwarded-host") == "h");
    CHECK(request.field("x-forwarded-port") == "9");
    CHECK(request.count("x-forwarded-proto") == 1);
}

TEST_CASE("http forwarding: the real address is taken from who is trusted to tell it", "[e2e][http]") {
    Stage stage(
        {.http = "real_ip_header: X-Forwarded-For\nreal_ip_from: [127.0.0.1, 10.0.0.0/8]\nreal_ip_recursive: 'on'"});
    CHECK(sent(stage, "X-Forwarded-For: 9.9.9.9, 8.8.8.8:70, 10.1.1.1\r\n").field("x-real-ip") == "8.8.8.8");
    CHECK(sent(stage, "X-Forwarded-For: nonsense\r\n").field("x-real-ip") == "127.0.0.1");
    CHECK(sent(stage, "X-Forwarded-For: [2001:db8::1]:9\r\n").field("x-real-ip") == "2001:db8::1");
    Stage plain({.http = "real_ip_from: [10.0.0.0/8]"});
    CHECK(sent(plain, "X-Real-IP: 9.9.9.9\r\n").field("x-real-ip") == "127.0.0.1");
    CHECK(last(plain).count("x-real-ip") == 1);
}

TEST_CASE("http forwarding: no listener is on a unix socket, so `unix:` believes nobody", "[e2e][http]") {
    Stage stage({.http = "real_ip_from: ['unix:']"});
    CHECK(sent(stage, "X-Real-IP: 9.9.9.9\r\n").field("x-real-ip") == "127.0.0.1");
    GatewayOptions options;
    options.apisix = "  node_listen: [{ip: 'unix:/run/traffic.sock', port: 0}]\n";
    options.wait = false;
    GatewayProcess refused(options);
    CHECK(refused.master().wait(20s).value_or(0) != 0);
    CHECK(refused.log().find("not an IP address: unix:/run/traffic.sock") != std::string::npos);
}

TEST_CASE("http forwarding: without recursion the last address counts, with its port, from any field", "[e2e][http]") {
    const char* format = "$request_uri $remote_addr $remote_port $realip_remote_addr $original_x_forwarded_for .";
    Stage stage({.http = "real_ip_header: X-Forwarded-For\nreal_ip_from: [127.0.0.1, 10.0.0.0/8]", .format = format});
    CHECK(sent(stage, "X-Forwarded-For: 9.9.9.9, 10.1.1.1:70\r\n", "/last").field("x-real-ip") == "10.1.1.1");
    CHECK(last(stage).field("x-forwarded-for") == "9.9.9.9, 10.1.1.1:70, 10.1.1.1");
    CHECK(logged(stage.gateway, "/last 10.1.1.1 70 127.0.0.1 9.9.9.9, 10.1.1.1:70 ."));
    Stage named({.http = "real_ip_header: X-Client\nreal_ip_from: [127.0.0.1]"});
    CHECK(sent(named, "X-Client: 9.9.9.9\r\n").field("x-real-ip") == "9.9.9.9");
}

TEST_CASE("http forwarding: an address of PROXY is only told unless it is asked for and trusted", "[e2e][http]") {
    const char* trust = GENERATE("real_ip_header: proxy_protocol\nreal_ip_from: [10.0.0.0/8]",
                                 "real_ip_header: X-Real-IP\nreal_ip_from: [127.0.0.1]");
    Stage stage({.http = trust,
                 .apisix = "proxy_protocol: {listen_http_port: 0}",
                 .format = "$request_uri $proxy_protocol_addr $remote_addr"});
    RawClient client(stage.gateway.port(1));
    client.send("PROXY TCP4 10.1.2.3 10.0.0.1 4242 80\r\n" + make_request("GET", "/told"));
    CHECK(client.response().status() == 200);
    CHECK(last(stage).field("x-real-ip") == "127.0.0.1");
    CHECK(logged(stage.gateway, "/told 10.1.2.3 127.0.0.1"));
}

TEST_CASE("http forwarding: PROXY headers of both versions tell the client, and are asked for", "[e2e][http]") {
    Stage stage({.http = "real_ip_header: proxy_protocol\nreal_ip_from: [127.0.0.1]",
                 .apisix = "proxy_protocol: {listen_http_port: 0}"});
    const std::uint16_t port = stage.gateway.port(1);
    const auto told = [&](const std::string& header) {
        RawClient client(port);
        client.send(header + make_request("GET", "/"));
        CHECK(client.response().status() == 200);
        CHECK(client.get("/again").status() == 200);
        return std::string(last(stage).field("x-real-ip"));
    };
    CHECK(told("PROXY TCP4 10.1.2.3 10.0.0.1 4242 80\r\n") == "10.1.2.3");
    CHECK(told("PROXY TCP6 2001:db8::7 2001:db8::1 4242 80\r\n") == "2001:db8::7");
    CHECK(told("PROXY UNKNOWN\r\n") == "127.0.0.1");
    CHECK(told(proxy_v2(1)) == "10.1.2.3");
    CHECK(told(proxy_v2(0)) == "127.0.0.1");
    const std::size_t before = stage.upstream.request_count();
    for (const std::string& wrong : {make_request("GET", "/"), std::string("PROXY TCP4 1.1.1.1\r\n"),
                                     std::string("PROXY TCP4 999.1.1.1 10.0.0.1 1 1\r\n")}) {
        RawClient client(port);
        client.send(wrong);
        CHECK(client.wait_for_end());
        CHECK(client.pending().empty());
    }
    CHECK(stage.upstream.request_count() == before);
    CHECK(stage.get("/plain").status() == 200);
}

TEST_CASE("http forwarding: a PROXY header may come in pieces, with the request right behind it", "[e2e][http]") {
    Stage stage({.http = "real_ip_header: proxy_protocol", .apisix = "proxy_protocol: {listen_http_port: 0}"});
    const std::string all = proxy_v2(1) + make_request("GET", "/");
    for (std::size_t cut = 1; cut < 40; cut += 3) {
        RawClient client(stage.gateway.port(1));
        client.send(all.substr(0, cut));
        CHECK_FALSE(client.readable(5ms));
        client.send(all.substr(cut));
        CHECK(client.response().status() == 200);
        CHECK(last(stage).field("x-forwarded-for") == "10.1.2.3");
    }
}

TEST_CASE("http forwarding: U12, the Host that is sent follows pass_host", "[e2e][http]") {
    {
        Stage stage({.upstream_lines = "pass_host: node"});
        CHECK(sent(stage, "").field("host") == stage.upstream.node());
    }
    {
        Stage stage({.upstream_lines = "pass_host: rewrite\nupstream_host: other.example"});
        CHECK(sent(stage, "").field("host") == "other.example");
        CHECK(last(stage).field("x-forwarded-host") == "localhost");
    }
    Stage stage;
    CHECK(sent(stage, "").field("host") == "localhost");
    RawClient client = stage.client();
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(client.response().status() == 200);
    CHECK(last(stage).count("host") == 1);
}

TEST_CASE("http forwarding: the target goes on as it came, field by field and query by query", "[e2e][http]") {
    Stage stage;
    for (const char* target :
         {"/a%20b", "/a//b", "/a;x=1/b", "/%E4%BD%A0?x=%2F&y", "/?", "/a?b?c", "/a/./b", "/x%2Fy"}) {
        CHECK(sent(stage, "", target).target() == target);
    }
    const Message request = sent(stage, "X-A: 1\r\nx-a: 2\r\nX_Under: 3\r\nCookie: a=b\r\nCookie: c=d\r\nEmpty:\r\n");
    CHECK(request.count("x-a") == 2);
    CHECK(request.count("cookie") == 2);
    CHECK(request.field("x_under") == "3");
    CHECK(request.count("empty") == 1);
    Stage strict({.http = "underscores_in_headers: 'off'"});
    CHECK(sent(strict, "X_Under: 3\r\nX-Over: 4\r\nA_B: 1\r\n").count("x_under") == 0);
    CHECK(last(strict).count("a_b") == 0);
    CHECK(last(strict).field("x-over") == "4");
}

TEST_CASE("http forwarding: Server is the gateway's, Date the upstream's, text gets a charset", "[e2e][http]") {
    Stage stage({}, ScriptedUpstream::answers(201, "ok",
                                              "Server: nginx\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                              "Content-Type: text/html\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n"));
    const Message answer = stage.get("/");
    CHECK(answer.start_line == "HTTP/1.1 201 Scripted");
    CHECK(answer.field("server").starts_with("gateway/"));
    CHECK(answer.count("server") == 1);
    CHECK(answer.field("date") == "Sun, 06 Nov 1994 08:49:37 GMT");
    CHECK(answer.field("content-type") == "text/html; charset=utf-8");
    CHECK(answer.count("set-cookie") == 2);
    stage.upstream.script(ScriptedUpstream::answers(200, "ok", "Content-Type: image/png\r\n"));
    CHECK(stage.get("/").field("content-type") == "image/png");
    CHECK(stage.get("/").count("date") == 1);
}

TEST_CASE("http forwarding: the name in Server is a setting, its version can be left out", "[e2e][http]") {
    Stage stage({.apisix = "server_token: gate\nenable_server_tokens: false"});
    CHECK(stage.get("/").field("server") == "gate");
    Stage other({.apisix = "server_token: gate"});
    CHECK(other.get("/").field("server").starts_with("gate/"));
}
