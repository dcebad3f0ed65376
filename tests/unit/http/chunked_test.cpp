#include "libgateway/http/chunked.hpp"

#include <string>

#include "tests/support/catch.hpp"

using namespace gateway::http;
using Event = ChunkDecoder::Event;

namespace {

struct Decoded {
    Event event = Event::need_more;
    std::string body;
    std::size_t consumed = 0;
};

// Feeds pieces of `step` bytes until the decoder ends or the bytes do.
Decoded decode(ChunkDecoder& decoder, const std::string& bytes, std::size_t step) {
    Decoded decoded;
    while (decoded.consumed < bytes.size()) {
        const auto piece = std::string_view(bytes).substr(decoded.consumed, step);
        const auto output = decoder.feed(piece);
        decoded.body += output.data;
        decoded.consumed += output.consumed;
        decoded.event = output.event;
        if (output.event == Event::end || output.event == Event::error) break;
    }
    return decoded;
}

Decoded decode(const std::string& bytes) {
    ChunkDecoder decoder;
    return decode(decoder, bytes, bytes.size());
}

}  // namespace

TEST_CASE("chunked: chunks, extensions and the end", "[http][chunked]") {
    const std::string bytes = "5\r\nhello\r\nA;x=\"y z\"\r\n0123456789\r\n1 ;a\r\n!\r\n0\r\n\r\nnext";
    const auto decoded = decode(bytes);
    REQUIRE(decoded.event == Event::end);
    REQUIRE(decoded.body == "hello0123456789!");
    REQUIRE(decoded.consumed == bytes.size() - 4);
}

TEST_CASE("chunked: trailers are kept as received", "[http][chunked]") {
    ChunkDecoder decoder;
    const auto decoded = decode(decoder, "0\r\nDigest:  abc \r\nX-Y:\r\n\r\n", 100);
    REQUIRE(decoded.event == Event::end);
    REQUIRE(decoder.trailers().size() == 2);
    REQUIRE(decoder.trailers()[0] == std::pair<std::string, std::string>("Digest", "abc"));
    decoder.reset();
    REQUIRE(decoder.trailers().empty());
    REQUIRE(decode(decoder, "1\r\na\r\n0\r\n\r\n", 100).body == "a");
}

TEST_CASE("chunked: any piece size gives the same body", "[http][chunked]") {
    const std::string bytes = "3;e\r\nabc\r\n00010\r\n0123456789abcdef\r\n000\r\nT: u\r\n\r\n";
    const std::size_t step = GENERATE(1, 2, 3, 5, 7, 11);
    ChunkDecoder decoder;
    const auto decoded = decode(decoder, bytes, step);
    REQUIRE(decoded.event == Event::end);
    REQUIRE(decoded.body == "abc0123456789abcdef");
    REQUIRE(decoded.consumed == bytes.size());
    REQUIRE(decoder.trailers().size() == 1);
}

TEST_CASE("chunked: what is not strictly chunked is an error", "[http][chunked][smuggling]") {
    for (const std::string& bytes : {std::string("\r\n"),
                                     std::string("x\r\n"),
                                     std::string("-1\r\n"),
                                     std::string("0x1\r\na\r\n"),
                                     std::string("1\na\n"),
                                     std::string("1\r\na\n"),
                                     std::string("1\r\nab\r\n"),
                                     std::string("1\ra"),
                                     std::string(" 1\r\na"),
                                     std::string("1 \r\na"),
                                     std::string("1 2\r\n"),
                                     std::string("1;a\nb\r\n"),
                                     std::string("1;a\rb\r\n"),
                                     std::string("1;\0\r\n", 5),
                                     std::string("00000000000000001\r\n"),
                                     std::string("ffffffffffffffff\r\n"),
                                     std::string("8000000000000000\r\n"),
                                     std::string("0\r\n\n"),
                                     std::string("0\r\nA b: c\r\n"),
                                     std::string("0\r\nA : c\r\n"),
                                     std::string("0\r\nA: b\r\n c\r\n"),
                                     std::string("0\r\n: c\r\n"),
                                     std::string("0\r\nA: b\nC: d\r\n"),
                                     std::string("1,2\r\n")}) {
        INFO(bytes);
        CHECK(decode(bytes).event == Event::error);
    }
}

TEST_CASE("chunked: extensions and trailers are bounded", "[http][chunked]") {
    REQUIRE(decode("1;" + std::string(250, 'x') + "\r\na\r\n0\r\n\r\n").event == Event::end);
    REQUIRE(decode("1;" + std::string(300, 'x') + "\r\na\r\n0\r\n\r\n").event == Event::error);
    REQUIRE(decode("0\r\nA: " + std::string(9000, 'x') + "\r\n\r\n").event == Event::error);
}

TEST_CASE("chunked: an error stays an error, an end stays an end", "[http][chunked]") {
    ChunkDecoder decoder;
    REQUIRE(decoder.feed("zz").event == Event::error);
    REQUIRE(decoder.feed("0\r\n\r\n").event == Event::error);
    decoder.reset();
    REQUIRE(decoder.feed("0\r\n\r\nGET").consumed == 5);
    REQUIRE(decoder.feed("GET").consumed == 0);
}

TEST_CASE("chunked: sizes are written in hexadecimal", "[http][chunked]") {
    char line[20];
    const auto text = [&line](std::uint64_t size) { return std::string(line, write_chunk_size(size, line)); };
    REQUIRE(text(0) == "0\r\n");
    REQUIRE(text(500) == "1f4\r\n");
    REQUIRE(text(~std::uint64_t{0}) == "ffffffffffffffff\r\n");
}
