#include "libgateway/expr/cidr.hpp"

#include "tests/support/catch.hpp"

using namespace gateway::expr;

namespace {

CidrSet set_of(std::initializer_list<std::string_view> texts) {
    std::vector<Cidr> networks;
    for (std::string_view text : texts) networks.push_back(parse_cidr(text).value());
    return CidrSet(networks);
}
Address address(std::string_view text) {
    return parse_address(text).value();
}

}  // namespace

TEST_CASE("cidr: addresses are read and written", "[expr][cidr]") {
    const auto [text, written] = GENERATE(table<std::string, std::string>({
        {"0.0.0.0", "0.0.0.0"},
        {"10.20.30.40", "10.20.30.40"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"2001:DB8::7", "2001:db8::7"},
        {"::ffff:10.0.0.1", "10.0.0.1"},
        {"::1", "::1"},
    }));
    CAPTURE(text);
    CHECK(address(text).text() == written);
}

TEST_CASE("cidr: what is no address is refused", "[expr][cidr]") {
    const std::string text = GENERATE("", "1", "1.2.3", "1.2.3.4.", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.0004",
                                      " 1.2.3.4", "1.2.3.4 ", "1..3.4", "a.b.c.d", "1.2.3.-4", "[::1]", "::1%eth0", ":",
                                      "1:2", ":::", "2001:db8::1::2", "12345::");
    CAPTURE(text);
    CHECK_FALSE(parse_address(text));
    CHECK_FALSE(parse_cidr(text));
}

TEST_CASE("cidr: networks need a prefix that fits", "[expr][cidr]") {
    CHECK(parse_cidr("10.0.0.0/0"));
    CHECK(parse_cidr("10.0.0.0/32"));
    CHECK(parse_cidr("::/128"));
    const std::string text =
        GENERATE("10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/0008", "::/129", "/8");
    CAPTURE(text);
    CHECK_FALSE(parse_cidr(text));
}

TEST_CASE("cidr: a set holds what its networks cover", "[expr][cidr]") {
    const CidrSet set = set_of({"10.0.0.0/8", "127.0.0.1", "10.1.0.0/16", "2001:db8::/32", "192.168.1.77/24"});
    CHECK(set.contains(address("10.0.0.0")));
    CHECK(set.contains(address("10.255.255.255")));
    CHECK(set.contains(address("127.0.0.1")));
    CHECK(set.contains(address("192.168.1.0")));
    CHECK(set.contains(address("2001:db8:ffff::1")));
    CHECK_FALSE(set.contains(address("9.255.255.255")));
    CHECK_FALSE(set.contains(address("11.0.0.0")));
    CHECK_FALSE(set.contains(address("127.0.0.2")));
    CHECK_FALSE(set.contains(address("192.168.2.0")));
    CHECK_FALSE(set.contains(address("2001:db9::")));
    CHECK_FALSE(CidrSet().contains(address("127.0.0.1")));
}

TEST_CASE("cidr: /0 covers its own family only", "[expr][cidr]") {
    CHECK(set_of({"0.0.0.0/0"}).contains(address("1.2.3.4")));
    CHECK_FALSE(set_of({"0.0.0.0/0"}).contains(address("2001:db8::1")));
    CHECK(set_of({"::/0"}).contains(address("2001:db8::1")));
    CHECK_FALSE(set_of({"::/0"}).contains(address("1.2.3.4")));
}

TEST_CASE("cidr: mapped IPv6 addresses are IPv4", "[expr][cidr]") {
    CHECK(set_of({"10.0.0.0/8"}).contains(address("::ffff:10.1.2.3")));
    CHECK(set_of({"::ffff:10.0.0.0/104"}).contains(address("10.1.2.3")));
    CHECK_FALSE(set_of({"::ffff:10.0.0.0/104"}).contains(address("11.1.2.3")));
}

TEST_CASE("cidr: sets compare", "[expr][cidr]") {
    CHECK(set_of({"10.0.0.0/8"}).covers(set_of({"10.1.0.0/16", "10.2.0.1"})));
    CHECK(set_of({"10.0.0.0/9", "10.128.0.0/9", "::/0"}).covers(set_of({"10.200.0.0/16"})));
    CHECK_FALSE(set_of({"10.0.0.0/8"}).covers(set_of({"10.1.0.0/16", "11.0.0.1"})));
    CHECK_FALSE(set_of({"::/0"}).covers(set_of({"10.0.0.1"})));
    CHECK(set_of({"10.0.0.0/8", "::1"}).overlaps(set_of({"10.0.0.0/30"})));
    CHECK_FALSE(set_of({"10.0.0.0/8"}).overlaps(set_of({"11.0.0.0/8", "::/0"})));
}
