#include "libgateway/http/host.hpp"

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::http;

TEST_CASE("host: an authority is a host and perhaps a port", "[http][host]") {
    const char* good = GENERATE("a", "a.b.example", "A.Example:8080", "a.b:", "127.0.0.1:80", "[::1]",
                                "[2001:db8::1]:443", "[::ffff:1.2.3.4]", "under_score.host", "a.");
    INFO(good);
    REQUIRE(valid_authority(good));
}

TEST_CASE("host: userinfo, delimiters, open brackets and odd ports are no authority", "[http][host]") {
    const char* bad = GENERATE("", "user@a", "a/b", "a?b", "a#b", "a b", "a,b", "a%2fb", "a\\b", "[::1", "::1]", "[]",
                               "[abc]", "[::1]x", "[::1]:x", "[fe80::1%25lo]", ":80", "a:80x", "a:-1", "a:65536",
                               "a:b:80", "a\"b", "a<b", "\xc3\xa4.de");
    INFO(bad);
    REQUIRE_FALSE(valid_authority(bad));
}

TEST_CASE("host: the host for matching has no port, no capitals and no final dot", "[http][host]") {
    Arena arena;
    REQUIRE(host_of("FOO.com:9080", arena) == "foo.com");
    REQUIRE(host_of("foo.com.", arena) == "foo.com");
    REQUIRE(host_of("foo.com..", arena) == "foo.com.");
    REQUIRE(host_of("foo.com.:80", arena) == "foo.com");
    REQUIRE(host_of("foo:", arena) == "foo");
    REQUIRE(host_of("[::1]:80", arena) == "[::1]");
    REQUIRE(host_of("[FE80::1]", arena) == "[fe80::1]");
    REQUIRE(host_of("10.0.0.1", arena) == "10.0.0.1");
    REQUIRE(host_of("", arena) == "_");
    REQUIRE(host_of(".", arena) == "_");
}

TEST_CASE("host: a host that needs no change is the same bytes", "[http][host]") {
    Arena arena;
    const std::string_view authority = "api.example:8080";
    REQUIRE(host_of(authority, arena).data() == authority.data());
}
