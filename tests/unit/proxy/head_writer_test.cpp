#include "libgateway/proxy/head_writer.hpp"

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::proxy;
using gateway::http::BodyKind;

namespace {

http::Fields fields(std::initializer_list<std::pair<std::string_view, std::string_view>> list) {
    http::Fields made;
    for (const auto& [name, value] : list) made.add(name, value);
    return made;
}

std::string request(const RequestLine& line, const http::Fields& table, const http::BodyFraming& framing,
                    bool always = false) {
    net::BufferPool buffers;
    net::Buffer block;
    return std::string(write_request_head(line, table, framing, always, buffers, block));
}

std::string response(const StatusLine& line, const http::Fields& table, const http::BodyFraming& framing) {
    net::BufferPool buffers;
    net::Buffer block;
    return std::string(write_response_head(line, table, framing, buffers, block));
}

}  // namespace

TEST_CASE("head writer: framing is written from the decision, never from the table", "[proxy][head_writer]") {
    const auto table = fields(
        {{"Host", "old"}, {"Content-Length", "7"}, {"A", "1"}, {"transfer-encoding", "gzip"}, {"Connection", "x"}});
    const RequestLine line{"POST", "/p?q", "new", false};
    CHECK(request(line, table, {BodyKind::length, 3}) ==
          "POST /p?q HTTP/1.1\r\nHost: new\r\nA: 1\r\nContent-Length: 3\r\n\r\n");
    CHECK(request(line, table, {BodyKind::chunked, 0}) ==
          "POST /p?q HTTP/1.1\r\nHost: new\r\nA: 1\r\nTransfer-Encoding: chunked\r\n\r\n");
    CHECK(request(line, table, {}) == "POST /p?q HTTP/1.1\r\nHost: new\r\nA: 1\r\n\r\n");
    CHECK(request(line, table, {}, true) == "POST /p?q HTTP/1.1\r\nHost: new\r\nA: 1\r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE("head writer: an upgrade names both, an expectation is not passed on", "[proxy][head_writer]") {
    CHECK(request({"GET", "/", "h", true}, fields({{"Expect", "100-continue"}}), {}) ==
          "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
}

TEST_CASE("head writer: Server, Date, length and Connection of a response", "[proxy][head_writer]") {
    StatusLine line;
    line.status = 204;
    line.reason = "No Content";
    line.server = "gateway";
    line.date = "today";
    line.connection = ConnectionField::close;
    const auto table = fields({{"server", "theirs"}, {"X", "1"}, {"X", "2"}, {"Content-Length", "9"}});
    CHECK(response(line, table, {}) ==
          "HTTP/1.1 204 No Content\r\nServer: gateway\r\nDate: today\r\nX: 1\r\nX: 2\r\nConnection: close\r\n\r\n");
    line.length_field = "12";
    line.connection = ConnectionField::none;
    line.server = line.date = {};
    CHECK(response(line, fields({}), {}) == "HTTP/1.1 204 No Content\r\nContent-Length: 12\r\n\r\n");
    CHECK(response(line, fields({}), {BodyKind::length, 3}) == "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n");
    CHECK(response(line, fields({}), {BodyKind::chunked, 0}) ==
          "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST_CASE("head writer: a head larger than any block gets one that fits", "[proxy][head_writer]") {
    const std::string value(300000, 'v');
    CHECK(request({"GET", "/", "h", false}, fields({{"A", value}}), {}) ==
          "GET / HTTP/1.1\r\nHost: h\r\nA: " + value + "\r\n\r\n");
}
