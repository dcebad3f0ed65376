#include "libgateway/http/proxy_protocol.hpp"

#include "tests/support/catch.hpp"

using namespace gateway::http;
using State = ProxyHeaderState;

namespace {

const std::string signature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string binary(char command, char family, const std::string& body) {
    const char size[2] = {static_cast<char>(body.size() >> 8), static_cast<char>(body.size() & 0xff)};
    return signature + command + family + std::string(size, 2) + body;
}

State state_of(const std::string& bytes) {
    ProxyHeader header;
    return parse_proxy_header(bytes, header).state;
}

}  // namespace

TEST_CASE("proxy protocol: version 1 names both ends", "[http][proxy_protocol]") {
    ProxyHeader header;
    const auto result = parse_proxy_header("PROXY TCP4 192.0.2.1 192.0.2.2 5000 80\r\nGET /", header);
    REQUIRE(result.state == State::complete);
    REQUIRE(result.consumed == 40);
    REQUIRE(header.source == "192.0.2.1");
    REQUIRE(header.destination == "192.0.2.2");
    REQUIRE(header.source_port == 5000);
    REQUIRE(header.destination_port == 80);
    REQUIRE(parse_proxy_header("PROXY TCP6 2001:DB8::1 ::1 1 2\r\n", header).state == State::complete);
    REQUIRE(header.source == "2001:db8::1");
    REQUIRE(parse_proxy_header("PROXY UNKNOWN whatever\r\n", header).state == State::complete);
    REQUIRE(header.source.empty());
}

TEST_CASE("proxy protocol: version 1 is taken strictly", "[http][proxy_protocol]") {
    for (const char* line :
         {"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n", "PROXY TCP4 ::1 ::1 1 2\r\n",
          "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n",
          "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n", "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY\r\n", "PROXY \r\n",
          "GET / HTTP/1.1\r\n", "PROXY TCP4 999.2.3.4 1.2.3.4 1 2\r\n"}) {
        INFO(line);
        CHECK(state_of(line) == State::failed);
    }
    REQUIRE(state_of("PROXY UNKNOWN " + std::string(200, 'x')) == State::failed);
}

TEST_CASE("proxy protocol: version 2 names both ends and skips its extensions", "[http][proxy_protocol]") {
    ProxyHeader header;
    const std::string v4("\xc0\x00\x02\x01\xc0\x00\x02\x02\x13\x88\x00\x50", 12);
    const std::string bytes = binary('\x21', '\x11', v4 + "extension");
    const auto result = parse_proxy_header(bytes + "GET", header);
    REQUIRE(result.state == State::complete);
    REQUIRE(result.consumed == bytes.size());
    REQUIRE(header.source == "192.0.2.1");
    REQUIRE(header.source_port == 5000);
    REQUIRE(header.destination_port == 80);
    const std::string v6 = std::string(15, '\0') + '\1' + std::string(15, '\0') + '\2' + std::string("\0\1\0\2", 4);
    REQUIRE(parse_proxy_header(binary('\x21', '\x21', v6), header).state == State::complete);
    REQUIRE(header.source == "::1");
    REQUIRE(header.destination == "::2");
    REQUIRE(parse_proxy_header(binary('\x20', '\0', ""), header).state == State::complete);
    REQUIRE(header.source.empty());
}

TEST_CASE("proxy protocol: broken version 2 fails", "[http][proxy_protocol]") {
    REQUIRE(state_of(binary('\x11', '\x11', std::string(12, 'x'))) == State::failed);
    REQUIRE(state_of(binary('\x22', '\x11', std::string(12, 'x'))) == State::failed);
    REQUIRE(state_of(binary('\x21', '\x11', "short")) == State::failed);
    REQUIRE(state_of(binary('\x21', '\x11', std::string(5000, 'x'))) == State::failed);
}

TEST_CASE("proxy protocol: any prefix asks for more", "[http][proxy_protocol]") {
    const std::string text = "PROXY TCP4 192.0.2.1 192.0.2.2 5000 80\r\n";
    const std::string raw = binary('\x21', '\x11', std::string(12, '\1'));
    for (const std::string& bytes : {text, raw}) {
        for (std::size_t size = 0; size < bytes.size(); ++size)
            REQUIRE(state_of(bytes.substr(0, size)) == State::need_more);
        REQUIRE(state_of(bytes) == State::complete);
    }
}
