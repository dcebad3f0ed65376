#include "libgateway/proxy/outgoing.hpp"

#include "tests/unit/proxy/socket_pair.hpp"

using namespace gateway;
using namespace gateway::proxy;
using gateway::http::BodyKind;
using gateway::test::SocketPair;

TEST_CASE("outgoing: chunks get their sizes, the end its last chunk and trailers", "[proxy][outgoing]") {
    SocketPair pair;
    Outgoing out;
    out.begin(pair.stream, BodyKind::chunked);
    out.raw("head|");
    out.body("abc");
    out.body("");
    out.body("0123456789abcdef");
    out.end("T: 1\r\n");
    CHECK_FALSE(out.idle());
    CHECK(out.flush() == FlushState::done);
    CHECK(out.idle());
    CHECK(pair.heard() == "head|3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nT: 1\r\n\r\n");
    CHECK(out.body_queued() == 19);
    out.begin(pair.stream, BodyKind::chunked);
    out.end();
    CHECK(out.flush() == FlushState::done);
    CHECK(pair.heard() == "0\r\n\r\n");
    CHECK(out.body_queued() == 0);
}

TEST_CASE("outgoing: as many pieces as there is room for come out in order", "[proxy][outgoing]") {
    for (const BodyKind kind : {BodyKind::length, BodyKind::chunked}) {
        SocketPair pair;
        Outgoing out;
        std::string expected = "head|", heard;
        out.begin(pair.stream, kind);
        out.raw("head|");
        for (int round = 0; round < 3; ++round) {
            while (out.has_room()) {
                out.body("x");
                expected += kind == BodyKind::chunked ? "1\r\nx\r\n" : "x";
            }
            CHECK(out.flush() == FlushState::done);
            heard += pair.heard();
        }
        CHECK(heard == expected);
        CHECK(out.sent() == expected.size());
    }
}

TEST_CASE("outgoing: what the socket does not take now goes out later, without a byte lost or doubled",
          "[proxy][outgoing]") {
    SocketPair pair;
    const std::string large(3 << 20, 'x');
    Outgoing out;
    out.begin(pair.stream, BodyKind::chunked);
    out.raw("head|");
    out.body(large);
    out.end();
    std::string heard;
    FlushState state;
    int waits = 0;
    while ((state = out.flush()) == FlushState::would_block && ++waits < 1000) {
        heard += pair.heard();
        pair.stream.descriptor().raise(net::writable);
    }
    CHECK(state == FlushState::done);
    CHECK(waits > 0);
    heard += pair.heard();
    CHECK(heard == "head|300000\r\n" + large + "\r\n0\r\n\r\n");
}

TEST_CASE("outgoing: a socket whose other side is gone fails", "[proxy][outgoing]") {
    SocketPair pair;
    Outgoing out;
    out.begin(pair.stream, BodyKind::length);
    out.body("abc");
    pair.hang_up();
    CHECK(out.flush() == FlushState::failed);
    CHECK(out.error() == EPIPE);
    CHECK(out.sent() == 0);
}
