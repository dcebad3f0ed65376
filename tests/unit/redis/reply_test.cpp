#include "libgateway/redis/reply.hpp"

#include "libgateway/redis/cluster.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::redis;
using State = ReplyReader::State;

TEST_CASE("reply: every kind is read, in any slices", "[redis][reply]") {
    const std::string bytes = "+OK\r\n-ERR no\r\n:-42\r\n$5\r\nhe\r\no\r\n$-1\r\n*2\r\n*1\r\n:1\r\n$0\r\n\r\n*-1\r\n";
    for (const std::size_t slice : {1, 3, 100}) {
        ReplyReader reader;
        std::vector<Reply> replies;
        for (std::size_t at = 0; at < bytes.size(); at += slice) {
            reader.feed(std::string_view(bytes).substr(at, slice));
            for (Reply reply; reader.next(reply) == State::complete; reply = {}) replies.push_back(reply);
        }
        REQUIRE(replies.size() == 7);
        CHECK((replies[0].kind == Reply::Kind::status && replies[0].text == "OK"));
        CHECK((replies[1].is_error() && replies[1].text == "ERR no"));
        CHECK(replies[2].integer == -42);
        CHECK(replies[3].text == "he\r\no");
        CHECK(replies[4].kind == Reply::Kind::nil);
        REQUIRE(replies[5].items.size() == 2);
        CHECK(replies[5].items[0].items.at(0).integer == 1);
        CHECK(replies[5].items[1].kind == Reply::Kind::text);
        CHECK(replies[6].kind == Reply::Kind::nil);
    }
}

TEST_CASE("reply: what is no reply, or too large, breaks the stream", "[redis][reply]") {
    const std::string bytes = GENERATE(as<std::string>(), "HTTP/1.1 200 OK\r\n", ":12x\r\n", "*2147483647\r\n",
                                       "*20001\r\n", "$99999999999999999999\r\n");
    ReplyReader reader;
    Reply reply;
    reader.feed(bytes);
    INFO(bytes);
    CHECK(reader.next(reply) == State::broken);
    reader.feed("+OK\r\n");
    CHECK(reader.next(reply) == State::broken);
}

TEST_CASE("reply: an endless one is cut off", "[redis][reply]") {
    ReplyReader reader;
    Reply reply;
    reader.feed("$500000000\r\n");
    const std::string part(1 << 20, 'x');
    State state = State::need_more;
    for (int i = 0; i < 20 && state == State::need_more; ++i) {
        reader.feed(part);
        state = reader.next(reply);
    }
    CHECK(state == State::broken);
}

TEST_CASE("command: words of any bytes", "[redis][reply]") {
    std::string bytes;
    append_command(bytes, {"SET", "a\r\n", ""});
    CHECK(bytes == "*3\r\n$3\r\nSET\r\n$3\r\na\r\n\r\n$0\r\n\r\n");
}

TEST_CASE("script: its digest is the SHA-1 of the source", "[redis][client]") {
    CHECK(Script("return 1").digest() == "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
}

TEST_CASE("cluster: slots of keys, with and without braces", "[redis][cluster]") {
    CHECK(slot_of("123456789") == 12739);  // 0x31C3, the check value of the CRC
    CHECK(slot_of("foo") == 12182);
    CHECK(slot_of("{foo}.bar") == slot_of("foo"));
    CHECK(slot_of("a{foo}b{bar}") == slot_of("foo"));
    CHECK(slot_of("foo{}{bar}") != slot_of("bar"));
    CHECK(slot_of("") == 0);
}

TEST_CASE("cluster: redirections are taken apart, anything else is none", "[redis][cluster]") {
    using Kind = Redirection::Kind;
    const Redirection moved = redirection_of("MOVED 3999 127.0.0.1:6381");
    CHECK((moved.kind == Kind::moved && moved.slot == 3999 && moved.node == "127.0.0.1:6381"));
    CHECK(redirection_of("ASK 1 :7000").kind == Kind::ask);
    for (const char* text : {"", "MOVED", "MOVED 1", "MOVED x a:1", "MOVED 16384 a:1", "MOVED 1 a", "MOVED 1 a:0",
                             "MOVED 1 a:70000", "ERR MOVED 1 a:1"})
        CHECK(redirection_of(text).kind == Kind::none);
}
