#include "libgateway/proxy/body_source.hpp"

#include "tests/unit/proxy/socket_pair.hpp"

using namespace gateway;
using namespace gateway::proxy;
using gateway::http::BodyFraming;
using gateway::http::BodyKind;
using gateway::test::SocketPair;

namespace {

// Takes what is at hand; the state that ended it.
BodyState take(BodySource& body, std::string& into) {
    std::string_view piece;
    BodyState state;
    while ((state = body.next(piece)) == BodyState::data) into += piece;
    return state;
}

}  // namespace

TEST_CASE("body source: a counted body ends at its length, the rest is left over", "[proxy][body_source]") {
    SocketPair pair;
    net::BufferPool buffers;
    BodySource body;
    std::string got;
    body.begin(pair.stream, {BodyKind::length, 8}, "abc");
    CHECK_FALSE(body.whole_at_hand());
    CHECK(take(body, got) == BodyState::dry);
    CHECK(body.left() == 5);
    pair.say("defghGET /next");
    CHECK(body.fill(buffers).state == net::IoState::done);
    CHECK(take(body, got) == BodyState::end);
    CHECK(got == "abcdefgh");
    CHECK(body.finished());
    CHECK(body.leftover() == "GET /next");
}

TEST_CASE("body source: chunks are taken apart across reads", "[proxy][body_source]") {
    SocketPair pair;
    net::BufferPool buffers;
    BodySource body;
    std::string got;
    body.begin(pair.stream, {BodyKind::chunked, 0}, "3\r\nab");
    CHECK(take(body, got) == BodyState::dry);
    pair.say("c\r\n0\r\nX: 1\r\n");
    CHECK(body.fill(buffers).state == net::IoState::done);
    CHECK(take(body, got) == BodyState::dry);
    pair.say("\r\nrest");
    CHECK(body.fill(buffers).state == net::IoState::done);
    CHECK(take(body, got) == BodyState::end);
    CHECK(got == "abc");
    CHECK(body.leftover() == "rest");
    CHECK(body.chunks().trailers().size() == 1);
}

TEST_CASE("body source: an end breaks every body but one that is ended by it", "[proxy][body_source]") {
    for (const BodyKind kind : {BodyKind::length, BodyKind::chunked, BodyKind::until_close}) {
        SocketPair pair;
        net::BufferPool buffers;
        BodySource body;
        std::string got;
        body.begin(pair.stream, {kind, 10}, kind == BodyKind::chunked ? "5\r\nabc" : "abc");
        CHECK(take(body, got) == BodyState::dry);
        pair.hang_up();
        CHECK(body.fill(buffers).state == net::IoState::closed);
        CHECK(got == "abc");
        CHECK(body.finished() == (kind == BodyKind::until_close));
        CHECK(take(body, got) == (kind == BodyKind::until_close ? BodyState::end : BodyState::broken));
    }
}

TEST_CASE("body source: what came with the head can be taken again, chunks too, until something was read",
          "[proxy][body_source]") {
    SocketPair pair;
    net::BufferPool buffers;
    const std::string chunked = "2\r\nab\r\n0\r\nT: 1\r\n\r\nnext";
    for (const bool counted : {true, false}) {
        BodySource body;
        body.begin(pair.stream, counted ? BodyFraming{BodyKind::length, 2} : BodyFraming{BodyKind::chunked, 0},
                   counted ? std::string_view("abnext") : std::string_view(chunked));
        for (int round = 0; round < 3; ++round) {
            std::string got;
            CHECK(take(body, got) == BodyState::end);
            CHECK(got == "ab");
            CHECK(body.taken() == 2);
            CHECK(body.leftover() == "next");
            REQUIRE(body.can_rewind());
            body.rewind();
            CHECK(body.taken() == 0);
            CHECK_FALSE(body.finished());
        }
    }
    BodySource body;
    std::string got;
    body.begin(pair.stream, {BodyKind::length, 4}, "ab");
    CHECK(take(body, got) == BodyState::dry);
    pair.say("c");
    CHECK(body.fill(buffers).state == net::IoState::done);
    CHECK_FALSE(body.can_rewind());
}

TEST_CASE("body source: after release nothing of the last body is left", "[proxy][body_source]") {
    SocketPair pair;
    BodySource body;
    std::string got;
    body.begin(pair.stream, {BodyKind::chunked, 0}, "2\r\nab\r\n0\r\nT: 1\r\n\r\nnext");
    CHECK(take(body, got) == BodyState::end);
    body.release();
    CHECK(body.kind() == BodyKind::none);
    CHECK(body.finished());
    CHECK(body.leftover().empty());
    CHECK(body.taken() == 0);
}
