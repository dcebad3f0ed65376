#include "libgateway/etcd/options.hpp"

#include "tests/support/catch.hpp"

using gateway::etcd::Member;
using gateway::etcd::parse_member;

TEST_CASE("member: a client URL is read, the usual port is 2379", "[etcd][options]") {
    CHECK(parse_member("http://127.0.0.1:2379")->text() == "http://127.0.0.1:2379");
    CHECK(parse_member("https://etcd-1.example.com")->text() == "https://etcd-1.example.com:2379");
    CHECK(parse_member("http://[::1]:23790/")->text() == "http://[::1]:23790");
    CHECK(parse_member("http://[::1]:23790/")->host == "::1");
    CHECK(parse_member("HTTPS://A:1")->secure);
}

TEST_CASE("member: what is no client URL is refused", "[etcd][options]") {
    const auto url = GENERATE("", "127.0.0.1:2379", "ftp://a", "http://", "http://a:0", "http://a:65536", "http://a:x",
                              "http://a/b", "http://a b", "http://[::1", "http://[::1]x:1", "http://u@a", "http://a?b",
                              "http://a:", "http://a\r\n:1");
    CAPTURE(url);
    CHECK_FALSE(parse_member(url));
}
