#include "libgateway/http/head_parser.hpp"

#include <boost/beast/http/verb.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::http;

namespace {

struct Parsed {
    HeadResult result;
    RequestHead head;
    std::shared_ptr<const std::string> bytes;  // what the views of `head` point into
};

Parsed parse(const std::string& bytes, const HeadLimits& limits = {}) {
    Parsed parsed;
    parsed.bytes = std::make_shared<const std::string>(bytes);
    parsed.result = parse_request(*parsed.bytes, 0, limits, parsed.head);
    return parsed;
}

// Status of a request that fails; 0 if it does not.
unsigned refusal(const std::string& bytes, const HeadLimits& limits = {}) {
    RequestHead head;
    const auto result = parse_request(bytes, 0, limits, head);
    return result.state == HeadState::failed ? result.status : 0;
}

HeadResult answer(const std::string& bytes, ResponseHead& head, Verb method = Verb::get) {
    return parse_response(bytes, 0, {}, method, head);
}

// What a connection sees when bytes come one by one.
HeadResult drip(const std::string& bytes, RequestHead& head) {
    HeadResult result;
    for (std::size_t size = 1; size <= bytes.size(); ++size) {
        result = parse_request(std::string_view(bytes).substr(0, size), size - 1, {}, head);
        if (result.state != HeadState::need_more) break;
    }
    return result;
}

const std::string host = "Host: a.example\r\n";

}  // namespace

TEST_CASE("request head: a plain request is read whole, as views of the buffer", "[http][head_parser]") {
    const std::string bytes = "GET /a/b?c=d HTTP/1.1\r\nHost: a.example:80\r\nX-Y:  z \t\r\nEmpty:\r\n\r\nrest";
    const auto [result, head, kept] = parse(bytes);
    REQUIRE(result.state == HeadState::complete);
    REQUIRE(result.consumed == bytes.size() - 4);
    REQUIRE(head.method == Verb::get);
    REQUIRE(head.line == "GET /a/b?c=d HTTP/1.1");
    REQUIRE(head.target == "/a/b?c=d");
    REQUIRE(head.raw_path == "/a/b");
    REQUIRE(head.has_query);
    REQUIRE(head.query == "c=d");
    REQUIRE(head.authority == "a.example:80");
    REQUIRE(head.version == 11);
    REQUIRE(head.keep_alive);
    REQUIRE(head.fields.size() == 3);
    REQUIRE(head.fields.get("x-y") == "z");
    REQUIRE(head.fields.get("empty").empty());
    REQUIRE(head.line.data() == kept->data());
}

TEST_CASE("request head: an unknown method is passed on as text", "[http][head_parser]") {
    const auto [result, head, kept] = parse("BREW / HTTP/1.1\r\n" + host + "\r\n");
    REQUIRE(result.state == HeadState::complete);
    REQUIRE(head.method == Verb::unknown);
    REQUIRE(head.method_text == "BREW");
}

TEST_CASE("request head: at most four empty lines may come first", "[http][head_parser]") {
    const std::string request = "GET / HTTP/1.1\r\n" + host + "\r\n";
    const auto [result, head, kept] = parse("\r\n\r\n\r\n\r\n" + request);
    REQUIRE(result.state == HeadState::complete);
    REQUIRE(result.consumed == request.size() + 8);
    REQUIRE(refusal("\r\n\r\n\r\n\r\n\r\n" + request) == 400);
    REQUIRE(refusal("\n" + request) == 400);
}

TEST_CASE("request head: versions other than 1.0 and 1.1 are told apart from garbage", "[http][head_parser]") {
    REQUIRE(refusal("GET / HTTP/2.0\r\n" + host + "\r\n") == 505);
    REQUIRE(refusal("GET / HTTP/1.2\r\n" + host + "\r\n") == 505);
    REQUIRE(refusal("PRI * HTTP/2.0\r\n\r\n") == 505);
    REQUIRE(refusal("GET / http/1.1\r\n" + host + "\r\n") == 400);
    REQUIRE(refusal("GET / HTTP/11\r\n" + host + "\r\n") == 400);
    REQUIRE(refusal("GET / HTTP/1.1 \r\n" + host + "\r\n") == 400);
    REQUIRE(refusal("GET /\r\n\r\n") == 400);
    REQUIRE(refusal("GET / x HTTP/1.1\r\n" + host + "\r\n") == 400);
}

TEST_CASE("request head: keep-alive follows version and connection options", "[http][head_parser]") {
    const auto keeps = [](const std::string& version, const std::string& connection) {
        return parse("GET / HTTP/" + version + "\r\n" + host + connection + "\r\n").head.keep_alive;
    };
    REQUIRE(keeps("1.1", ""));
    REQUIRE_FALSE(keeps("1.1", "Connection: foo, Close\r\n"));
    REQUIRE_FALSE(keeps("1.0", ""));
    REQUIRE(keeps("1.0", "Connection: Keep-Alive\r\n"));
    REQUIRE_FALSE(keeps("1.0", "Connection: keep-alive\r\nConnection: close\r\n"));
}

TEST_CASE("request head: Host is there once and is an authority", "[http][head_parser]") {
    REQUIRE(refusal("GET / HTTP/1.1\r\n\r\n") == 400);
    REQUIRE(refusal("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n") == 400);
    REQUIRE(refusal("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n") == 400);
    REQUIRE(refusal("GET / HTTP/1.1\r\nHost: a b\r\n\r\n") == 400);
    REQUIRE(refusal("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n") == 400);
    REQUIRE(refusal("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n") == 400);
    REQUIRE(refusal("GET / HTTP/1.1\r\nHost:\r\n\r\n") == 0);
    REQUIRE(parse("GET / HTTP/1.0\r\n\r\n").head.authority.empty());
}

TEST_CASE("request head: the absolute form's authority wins and replaces Host", "[http][head_parser]") {
    const auto [result, head, kept] = parse("GET HTTP://b.example:81?x HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(result.state == HeadState::complete);
    REQUIRE(head.authority == "b.example:81");
    REQUIRE(head.fields.get(FieldName::host) == "b.example:81");
    REQUIRE(head.raw_path == "/");
    REQUIRE(head.query == "x");
    REQUIRE(parse("GET https://b/p/q HTTP/1.1\r\nHost: a\r\n\r\n").head.raw_path == "/p/q");
    REQUIRE(refusal("GET http://u:p@b/ HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
    REQUIRE(refusal("GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
    REQUIRE(refusal("GET ftp://b/ HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
    REQUIRE(refusal("GET http://b/ HTTP/1.1\r\n\r\n") == 400);
}

TEST_CASE("request head: asterisk and authority forms belong to their methods", "[http][head_parser]") {
    REQUIRE(parse("OPTIONS * HTTP/1.1\r\n" + host + "\r\n").head.raw_path == "*");
    REQUIRE(refusal("GET * HTTP/1.1\r\n" + host + "\r\n") == 400);
    REQUIRE(refusal("GET a HTTP/1.1\r\n" + host + "\r\n") == 400);
    const auto [result, head, kept] = parse("CONNECT b.example:443 HTTP/1.1\r\n" + host + "\r\n");
    REQUIRE(result.state == HeadState::complete);
    REQUIRE(head.raw_path == "*");
    REQUIRE(head.authority == "b.example:443");
    REQUIRE(refusal("CONNECT / HTTP/1.1\r\n" + host + "\r\n") == 400);
    REQUIRE(refusal("CONNECT b.example HTTP/1.1\r\n" + host + "\r\n") == 400);
}

TEST_CASE("request head: a fragment mark ends path and query, and hides no further path", "[http][head_parser]") {
    const auto [result, head, kept] = parse("GET /a#b?c HTTP/1.1\r\n" + host + "\r\n");
    REQUIRE(head.raw_path == "/a");
    REQUIRE_FALSE(head.has_query);
    REQUIRE(parse("GET /a?b#/c HTTP/1.1\r\n" + host + "\r\n").head.query == "b");
    REQUIRE(refusal("GET /a#/../admin HTTP/1.1\r\n" + host + "\r\n") == 400);
    REQUIRE(refusal("GET /a#%2f.. HTTP/1.1\r\n" + host + "\r\n") == 400);
}

TEST_CASE("request head: expectations", "[http][head_parser]") {
    const std::string post = "POST / HTTP/1.1\r\n" + host;
    REQUIRE(parse(post + "Content-Length: 2\r\nExpect: 100-Continue\r\n\r\n").head.expect_continue);
    REQUIRE_FALSE(parse(post + "Content-Length: 0\r\nExpect: 100-continue\r\n\r\n").head.expect_continue);
    REQUIRE_FALSE(parse("POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n").head.expect_continue);
    REQUIRE(refusal(post + "Expect: 200-ok\r\n\r\n") == 417);
}

TEST_CASE("request head: a websocket handshake is GET, 1.1, without a body, and only that protocol",
          "[http][head_parser]") {
    const auto upgrades = [](const std::string& line, const std::string& fields) {
        return parse(line + "\r\n" + host + fields + "\r\n").head.websocket;
    };
    const std::string get = "GET / HTTP/1.1", both = "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n";
    REQUIRE(upgrades(get, both));
    REQUIRE_FALSE(upgrades("POST / HTTP/1.1", both));
    REQUIRE_FALSE(upgrades("GET / HTTP/1.0", both));
    REQUIRE_FALSE(upgrades(get, both + "Content-Length: 5\r\n"));
    REQUIRE_FALSE(upgrades(get, "Upgrade: websocket\r\n"));
    REQUIRE_FALSE(upgrades(get, "Connection: upgrade\r\nUpgrade: h2c\r\n"));
    REQUIRE_FALSE(upgrades(get, both + "Upgrade: h2c\r\n"));
}

TEST_CASE("request head: limits name what is too large", "[http][head_parser]") {
    HeadLimits limits;
    limits.head = 400;
    limits.field = 100;
    limits.count = 4;
    limits.target = 50;
    const std::string line = "GET / HTTP/1.1\r\n" + host;
    REQUIRE(refusal("GET /" + std::string(50, 'a') + " HTTP/1.1\r\n" + host + "\r\n", limits) == 414);
    REQUIRE(refusal("GET /" + std::string(500, 'a'), limits) == 414);
    REQUIRE(refusal(line + "X: " + std::string(98, 'a') + "\r\n\r\n", limits) == 431);
    REQUIRE(refusal(line + "X: " + std::string(97, 'a') + "\r\n\r\n", limits) == 0);
    REQUIRE(refusal(line + "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n", limits) == 431);
    REQUIRE(refusal(line + "X: " + std::string(400, 'a'), limits) == 431);
    REQUIRE(refusal(line + std::string(8, 'a') + ": " + std::string(400, 'a') + "\r\n\r\n", limits) == 431);
}

TEST_CASE("request head: hostile heads are refused", "[http][head_parser][smuggling]") {
    const std::string post = "POST / HTTP/1.1\r\n" + host;
    struct Row {
        std::string fields;
        unsigned status;
    };
    const std::vector<Row> rows{
        {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", 400},
        {"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", 400},
        {"Content-Length: 3\r\nTransfer-Encoding: gzip\r\n", 400},
        {"Content-Length: 3\r\nContent-Length: 3\r\n", 400},
        {"Content-Length: 3\r\nContent-Length: 4\r\n", 400},
        {"Content-Length: 3, 3\r\n", 400},
        {"Content-Length: +3\r\n", 400},
        {"Content-Length: 3 3\r\n", 400},
        {"Content-Length: 0x3\r\n", 400},
        {"Content-Length:\r\n", 400},
        {"Content-Length : 3\r\n", 400},
        {"Content-Length: 18446744073709551617\r\n", 400},
        {"Transfer-Encoding: xchunked\r\n", 501},
        {"Transfer-Encoding: identity\r\n", 501},
        {"Transfer-Encoding: chunked, identity\r\n", 400},
        {"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", 400},
        {"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", 400},
        {"Transfer-Encoding : chunked\r\n", 400},
        {" Transfer-Encoding: chunked\r\n", 400},
        {"Transfer-Encoding:\r\n chunked\r\n", 400},
        {"Transfer-Encoding: \r\n\tchunked\r\n", 400},
        {"Transfer-Encoding: chun\r\n ked\r\n", 400},
        {"Transfer-Encoding: \x0b"
         "chunked\r\n",
         400},
        {"Transfer-Encoding: chunked\n", 400},
        {"X: y\nTransfer-Encoding: chunked\r\n", 400},
        {"X: y\rTransfer-Encoding: chunked\r\n", 400},
        {"X: y\r\rTransfer-Encoding: chunked\r\n", 400},
        {"X: a\r\n b\r\n", 400},
        {"X: \r\n b\r\n", 400},
        {"X: \r\n \r\n", 400},
        {std::string("X: a\0b\r\n", 8), 400},
        {std::string("X\0: a\r\n", 7), 400},
        {"X: a\x7f\r\n", 400},
        {"X: a\x01\r\n", 400},
        {"X y: a\r\n", 400},
        {"X\xc3\xa4: a\r\n", 400},
        {"(X): a\r\n", 400},
        {": a\r\n", 400},
        {"no colon\r\n", 400},
        {"Expect: 100-continue\r\nExpect: x\r\n", 417},
    };
    for (const Row& row : rows) {
        INFO(row.fields);
        CHECK(refusal(post + row.fields + "\r\n") == row.status);
    }
    REQUIRE(refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
    REQUIRE(refusal("GET /\x01 HTTP/1.1\r\n" + host + "\r\n") == 400);
    REQUIRE(refusal("GET\t/ HTTP/1.1\r\n" + host + "\r\n") == 400);
    REQUIRE(refusal("G@T / HTTP/1.1\r\n" + host + "\r\n") == 400);
}

TEST_CASE("request head: a flood of connection options is refused", "[http][head_parser]") {
    std::string options = "a";
    for (int i = 0; i < 64; ++i) options += ",a";
    REQUIRE(refusal("GET / HTTP/1.1\r\n" + host + "Connection: " + options + "\r\n\r\n") == 400);
}

TEST_CASE("request head: bytes above 127 pass in targets and values", "[http][head_parser]") {
    const auto [result, head, kept] = parse("GET /\xc3\xa4 HTTP/1.1\r\n" + host + "X: \xe4\r\n\r\n");
    REQUIRE(result.state == HeadState::complete);
    REQUIRE(head.raw_path == "/\xc3\xa4");
}

TEST_CASE("request head: garbage fails before its end is seen", "[http][head_parser]") {
    REQUIRE(refusal("\x16\x03\x01") == 400);
    REQUIRE(refusal("GET / HTTP/1.1\nHost") == 400);
    REQUIRE(parse("GET / HTTP/1.1\r\nHost: a\r\n").result.state == HeadState::need_more);
    REQUIRE(parse("\r").result.state == HeadState::need_more);
    REQUIRE(parse("").result.state == HeadState::need_more);
}

TEST_CASE("request head: byte by byte gives what the whole gives", "[http][head_parser]") {
    const std::vector<std::string> heads{
        "GET /a?b HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        "\r\n\r\nPOST /a HTTP/1.0\r\nContent-Length: 5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        "GET / HTTP/3.0\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\nX: a\r\n\r\n",
        "\x16\x03GET",
        "GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(40000, 'a') + "\r\n\r\n",
        "GET /" + std::string(40000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n",
    };
    for (const auto& bytes : heads) {
        INFO(bytes.substr(0, 80));
        const auto [whole, head, kept] = parse(bytes);
        RequestHead dripped;
        const auto result = drip(bytes, dripped);
        REQUIRE(result.state == whole.state);
        REQUIRE(result.status == whole.status);
        REQUIRE(result.reason == whole.reason);
        REQUIRE(result.consumed == whole.consumed);
        if (whole.state != HeadState::complete) continue;
        REQUIRE(dripped.line == head.line);
        REQUIRE(dripped.fields.size() == head.fields.size());
        REQUIRE(dripped.body.kind == head.body.kind);
        REQUIRE(dripped.keep_alive == head.keep_alive);
    }
}

TEST_CASE("response head: a plain response is read", "[http][head_parser]") {
    ResponseHead head;
    const std::string bytes = "HTTP/1.1 200 All fine\r\nContent-Length: 5\r\n\r\nhello";
    const auto result = answer(bytes, head);
    REQUIRE(result.state == HeadState::complete);
    REQUIRE(result.consumed == bytes.size() - 5);
    REQUIRE(head.status == 200);
    REQUIRE(head.reason == "All fine");
    REQUIRE(head.body.length == 5);
    REQUIRE(head.keep_alive);
    REQUIRE(answer("HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", head).state == HeadState::complete);
}

TEST_CASE("response head: the connection lives on only if both sides can tell the end", "[http][head_parser]") {
    ResponseHead head;
    answer("HTTP/1.1 200 OK\r\n\r\n", head);
    REQUIRE(head.body.kind == BodyKind::until_close);
    REQUIRE_FALSE(head.keep_alive);
    answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", head);
    REQUIRE_FALSE(head.keep_alive);
    answer("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", head);
    REQUIRE_FALSE(head.keep_alive);
    answer("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", head);
    REQUIRE(head.keep_alive);
}

TEST_CASE("response head: what is no clear response fails", "[http][head_parser]") {
    ResponseHead head;
    for (const char* bytes :
         {"hello world", "<html>", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n",
          "HTTP/1.1 099 x\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1\r\n\r\n",
          "\r\nHTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\nA: b\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
          "HTTP/1.1 200 OK\r\nA b\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
          "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"}) {
        INFO(bytes);
        CHECK(answer(bytes, head).state == HeadState::failed);
    }
    REQUIRE(answer("HTTP/1.1 200 OK\r\nA: " + std::string(40000, 'a'), head).state == HeadState::failed);
    REQUIRE(answer("HTT", head).state == HeadState::need_more);
}
