#include "libgateway/http/forwarding.hpp"

#include <initializer_list>
#include <string>
#include <utility>

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::http;

namespace {

Fields fields_of(std::initializer_list<std::pair<const char*, const char*>> lines) {
    Fields fields;
    for (const auto& [name, value] : lines) fields.add(name, value);
    return fields;
}

std::string text_of(const Fields& fields) {
    std::string text;
    for (const Field& field : fields) text += std::string(field.name) + ":" + std::string(field.value) + "|";
    return text;
}

const ForwardedFacts facts{"9.9.9.9", "10.0.0.2", "https", "a.example", "443"};

}  // namespace

TEST_CASE("hop-by-hop: the known ones go, the rest stays in order", "[http][forwarding]") {
    Fields fields = fields_of({{"Host", "a"},
                               {"Connection", "keep-alive"},
                               {"Keep-Alive", "5"},
                               {"TE", "trailers"},
                               {"Trailer", "X"},
                               {"Transfer-Encoding", "chunked"},
                               {"Upgrade", "h2c"},
                               {"HTTP2-Settings", "x"},
                               {"Proxy-Connection", "x"},
                               {"Accept", "y"}});
    strip_hop_by_hop(fields);
    REQUIRE(text_of(fields) == "Host:a|Accept:y|");
}

TEST_CASE("hop-by-hop: nominated fields go from every Connection line", "[http][forwarding]") {
    Fields fields = fields_of({{"X-One", "1"},
                               {"Connection", "close, x-one"},
                               {"x-one", "2"},
                               {"Connection", "Cookie"},
                               {"Cookie", "c"},
                               {"X-Two", "3"},
                               {"Authorization", "s"},
                               {"Connection", "authorization"}});
    strip_hop_by_hop(fields);
    REQUIRE(text_of(fields) == "X-Two:3|");
}

TEST_CASE("hop-by-hop: a nomination cannot take what says what the message is or where it came from",
          "[http][forwarding]") {
    Fields fields = fields_of({{"Host", "a"},
                               {"Content-Length", "3"},
                               {"X-Forwarded-For", "1"},
                               {"X-Real-IP", "2"},
                               {"Forwarded", "for=3"},
                               {"Connection", "host, content-length, x-forwarded-for, x-real-ip, forwarded"}});
    strip_hop_by_hop(fields);
    REQUIRE(text_of(fields) == "Host:a|Content-Length:3|X-Forwarded-For:1|X-Real-IP:2|Forwarded:for=3|");
}

TEST_CASE("trailers: framing, routing and credentials are not passed on", "[http][forwarding]") {
    for (const char* name :
         {"Content-Length", "transfer-encoding", "Host", "Authorization", "Connection", "Set-Cookie", "X-Real-IP"}) {
        INFO(name);
        REQUIRE_FALSE(may_be_trailer(name));
    }
    REQUIRE(may_be_trailer("grpc-status"));
    REQUIRE(may_be_trailer("Digest"));
}

TEST_CASE("forwarded: without configured trust the list is kept and appended, the others are ours",
          "[http][forwarding]") {
    Arena arena;
    Fields fields = fields_of({{"X-Forwarded-For", "1.1.1.1"},
                               {"x-forwarded-proto", "evil"},
                               {"X-Forwarded-Host", "evil"},
                               {"Forwarded", "for=x"},
                               {"X-Real-IP", "evil"},
                               {"A", "b"}});
    const auto original = set_forwarded(fields, {}, facts, arena);
    REQUIRE(text_of(fields) ==
            "A:b|X-Real-IP:9.9.9.9|X-Forwarded-For:1.1.1.1, 10.0.0.2|X-Forwarded-Proto:https|"
            "X-Forwarded-Host:a.example|X-Forwarded-Port:443|");
    REQUIRE(original.x_for == "1.1.1.1");
    REQUIRE(original.x_proto == "evil");
    REQUIRE(original.x_host == "evil");
    REQUIRE(original.x_port.empty());
    REQUIRE(original.forwarded == "for=x");
}

TEST_CASE("forwarded: a trusted peer's values are kept where present", "[http][forwarding]") {
    Arena arena;
    Fields fields = fields_of({{"X-Forwarded-For", "1.1.1.1"},
                               {"X-Forwarded-For", "2.2.2.2"},
                               {"X-Forwarded-Proto", "http"},
                               {"Forwarded", "for=x"}});
    set_forwarded(fields, {true, true}, facts, arena);
    REQUIRE(text_of(fields) ==
            "X-Forwarded-Proto:http|Forwarded:for=x|X-Real-IP:9.9.9.9|"
            "X-Forwarded-For:1.1.1.1, 2.2.2.2, 10.0.0.2|X-Forwarded-Host:a.example|X-Forwarded-Port:443|");
}

TEST_CASE("forwarded: a peer outside loses its list too", "[http][forwarding]") {
    Arena arena;
    Fields fields = fields_of({{"X-Forwarded-For", "1.1.1.1"}, {"X-Forwarded-Port", "1"}});
    const auto original = set_forwarded(fields, {true, false}, facts, arena);
    REQUIRE(text_of(fields) ==
            "X-Real-IP:9.9.9.9|X-Forwarded-For:10.0.0.2|X-Forwarded-Proto:https|"
            "X-Forwarded-Host:a.example|X-Forwarded-Port:443|");
    REQUIRE(original.x_for == "1.1.1.1");
}

TEST_CASE("forwarded: without an incoming list the peer alone is told", "[http][forwarding]") {
    Arena arena;
    Fields fields;
    set_forwarded(fields, {}, facts, arena);
    REQUIRE(fields.get("X-Forwarded-For") == "10.0.0.2");
}
