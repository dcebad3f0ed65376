// Messages that two parties could read differently: answered 400, connection closed, nothing of them at the upstream.
#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;

namespace {

struct Wrong {
    const char* name;
    std::string bytes;
    int status = 400;
};

const std::string host = "Host: a\r\n";
// What would be a request of its own if the message before it were read differently.
const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

std::string post(const std::string& lines, const std::string& body) {
    return "POST /p HTTP/1.1\r\n" + host + lines + "\r\n" + body;
}

std::vector<Wrong> wrong_lengths() {
    return {
        {"length and coding", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + smuggled)},
        {"coding and length", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n" + smuggled)},
        {"two different lengths", post("Content-Length: 0\r\nContent-Length: 40\r\n", smuggled)},
        {"two equal lengths", post("Content-Length: 0\r\nContent-Length: 0\r\n", smuggled)},
        {"a list of lengths", post("Content-Length: 0, 40\r\n", smuggled)},
        {"negative length", post("Content-Length: -1\r\n", smuggled)},
        {"signed length", post("Content-Length: +0\r\n", smuggled)},
        {"hexadecimal length", post("Content-Length: 0x0\r\n", smuggled)},
        {"empty length", post("Content-Length: \r\n", smuggled)},
        {"length with a blank inside", post("Content-Length: 0 0\r\n", smuggled)},
        {"length beyond 64 bits", post("Content-Length: 18446744073709551616\r\n", smuggled)},
        {"length beyond 63 bits", post("Content-Length: 9223372036854775808\r\n", smuggled)},
        {"length with a tail", post("Content-Length: 0;a\r\n", smuggled)},
        {"blank before the colon of length", post("Content-Length : 0\r\n", smuggled)},
        {"coding twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + smuggled)},
        {"chunked not last", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n" + smuggled)},
        {"chunked twice in a list", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n" + smuggled)},
        {"chunked with parameter", post("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n" + smuggled)},
        {"quoted chunked", post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n" + smuggled)},
        {"vertical tab before chunked", post("Transfer-Encoding: \x0b"
                                             "chunked\r\n",
                                             "0\r\n\r\n" + smuggled)},
        {"blank before the colon of coding", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n" + smuggled)},
        {"empty coding", post("Transfer-Encoding: \r\n", "0\r\n\r\n" + smuggled)},
        {"unknown coding", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n" + smuggled), 501},
        {"coding that is not undone", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n" + smuggled), 501},
        {"coding in HTTP/1.0",
         "POST /p HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled},
    };
}

std::vector<Wrong> wrong_heads() {
    return {
        {"folded line", "GET / HTTP/1.1\r\n" + host + "A: b\r\n c\r\n\r\n"},
        {"folded first line", "GET / HTTP/1.1\r\n Host: a\r\n" + host + "\r\n"},
        {"bare line feeds", "GET / HTTP/1.1\nHost: a\n\n"},
        {"bare carriage return", "GET / HTTP/1.1\r\n" + host + "A: b\rC: d\r\n\r\n"},
        {"NUL in a value", "GET / HTTP/1.1\r\n" + host + std::string("A: b\0c\r\n\r\n", 10)},
        {"line without a colon", "GET / HTTP/1.1\r\n" + host + "Nonsense\r\n\r\n"},
        {"empty field name", "GET / HTTP/1.1\r\n" + host + ": b\r\n\r\n"},
        {"blank in a field name", "GET / HTTP/1.1\r\n" + host + "A b: c\r\n\r\n"},
        {"no method", " / HTTP/1.1\r\n" + host + "\r\n"},
        {"method with a delimiter", "G(T / HTTP/1.1\r\n" + host + "\r\n"},
        {"two blanks in the request line", "GET  / HTTP/1.1\r\n" + host + "\r\n"},
        {"blank in the target", "GET /a b HTTP/1.1\r\n" + host + "\r\n"},
        {"HTTP/0.9", "GET /\r\n\r\n"},
        {"lower case protocol", "GET / http/1.1\r\n" + host + "\r\n"},
        {"version with a tail", "GET / HTTP/1.1 \r\n" + host + "\r\n"},
        {"HTTP/2.0", "GET / HTTP/2.0\r\n" + host + "\r\n", 505},
        {"path behind a fragment mark", "GET /a#/../b HTTP/1.1\r\n" + host + "\r\n"},
        {"no slash", "GET a HTTP/1.1\r\n" + host + "\r\n"},
        {"TLS hello", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11)},
        {"unknown expectation", post("Expect: tea\r\nContent-Length: 1\r\n", "x"), 417},
    };
}

std::vector<Wrong> wrong_hosts() {
    std::vector<Wrong> all{
        {"no host", "GET / HTTP/1.1\r\n\r\n"},
        {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
        {"two different hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"},
        {"absolute form with userinfo", "GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"absolute form without authority", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"},
    };
    for (const char* value : {"u@a", "a/b", "a?b", "a#b", "a b", "a,b", "[::1", "::1]", "a:b", "a:99999", "[x]", "a\\b",
                              "a:80:80", "a%2eb", "[::1]x"}) {
        all.push_back({value, std::string("GET / HTTP/1.1\r\nHost: ") + value + "\r\n\r\n"});
    }
    return all;
}

std::vector<Wrong> wrong_paths() {
    std::vector<Wrong> all;
    for (const char* target : {"/%00", "/a%2", "/a%zz", "/../x", "/a/../../b", "/%2e%2e/b", "/a\x01", "/a\x7f"}) {
        all.push_back({target, std::string("GET ") + target + " HTTP/1.1\r\nHost: a\r\n\r\n"});
    }
    return all;
}

// One connection per row: its status, then the end of the connection, and not one request at the upstream.
void refuse_all(Stage& stage, const std::vector<Wrong>& rows) {
    for (const Wrong& row : rows) {
        INFO(row.name);
        RawClient client = stage.client();
        client.send(row.bytes);
        const Message answer = client.response();
        CHECK(answer.status() == row.status);
        CHECK(answer.field("connection") == "close");
        CHECK(client.read_to_end().empty());
        CHECK(client.end() == End::eof);
    }
    CHECK(stage.upstream.request_count() == 0);
    CHECK(stage.upstream.accepted() == 0);
    CHECK(stage.get("/fine").status() == 200);
}

}  // namespace

TEST_CASE("http framing: lengths that two parties could read differently are refused", "[e2e][http]") {
    Stage stage;
    refuse_all(stage, wrong_lengths());
}

TEST_CASE("http framing: heads that are none are refused", "[e2e][http]") {
    Stage stage;
    refuse_all(stage, wrong_heads());
}

TEST_CASE("http framing: exactly one valid host is asked for", "[e2e][http]") {
    Stage stage;
    refuse_all(stage, wrong_hosts());
}

TEST_CASE("http framing: paths that could mean another path at the upstream are refused", "[e2e][http]") {
    Stage stage;
    refuse_all(stage, wrong_paths());
}

TEST_CASE("http framing: a refusal behind a good pipelined request ends the connection after both answers",
          "[e2e][http]") {
    Stage stage;
    RawClient client = stage.client();
    client.send(
        "GET /good HTTP/1.1\r\nHost: a\r\n\r\nPOST /bad HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(client.response().body == "ok");
    CHECK(client.response().status() == 400);
    CHECK(client.read_to_end().empty());
    CHECK(stage.upstream.request_count() == 1);
}

TEST_CASE("http framing: broken chunks end the exchange and its connections, nothing behind them is a request",
          "[e2e][http]") {
    Stage stage;
    const std::vector<std::string> bodies{"x\r\nabc\r\n0\r\n\r\n" + smuggled,
                                          "3\r\nabcd\r\n0\r\n\r\n" + smuggled,
                                          "3\nabc\n0\n\n" + smuggled,
                                          "-3\r\nabc\r\n0\r\n\r\n" + smuggled,
                                          "0x3\r\nabc\r\n0\r\n\r\n" + smuggled,
                                          "3\r\nabc\r\n0\r\nbad line\r\n\r\n" + smuggled,
                                          "11111111111111111\r\nabc" + smuggled,
                                          "3 3\r\nabc\r\n0\r\n\r\n" + smuggled,
                                          "\r\n0\r\n\r\n" + smuggled,
                                          "3\r\nabc0\r\n\r\n" + smuggled};
    for (const std::string& body : bodies) {
        INFO(body);
        RawClient client = stage.client();
        client.send(post("Transfer-Encoding: chunked\r\n", body));
        CHECK(client.response().status() == 400);
        CHECK(client.read_to_end().empty());
    }
    CHECK(eventually([&] { return stage.upstream.open() == 0; }));
    for (const Message& seen : stage.upstream.requests()) {
        CHECK(seen.target() == "/p");
        CHECK_FALSE(seen.complete);
    }
}

TEST_CASE("http framing: the same message goes on in one form only", "[e2e][http]") {
    Stage stage;
    CHECK(stage
              .conversation("POST /p HTTP/1.1\r\nhOST: a:80\r\ntransfer-encoding: CHUNKED\r\nConnection: close\r\n\r\n"
                            "3;x=\"y\"\r\nabc\r\n02\r\nde\r\n0\r\n\r\n")
              .starts_with("HTTP/1.1 200"));
    const Message seen = stage.upstream.requests().at(0);
    CHECK(seen.start_line == "POST /p HTTP/1.1");
    CHECK(seen.field("transfer-encoding") == "chunked");
    CHECK(seen.count("content-length") == 0);
    CHECK(seen.count("connection") == 0);
    CHECK(seen.body == "abcde");
    CHECK(seen.head.find('"') == std::string::npos);
}
