#include "libgateway/expr/number.hpp"

#include <string>

#include "tests/support/catch.hpp"

using namespace gateway::expr;

namespace {

int compare_texts(std::string_view a, std::string_view b) {
    Number left, right;
    REQUIRE(left.read(a));
    REQUIRE(right.read(b));
    CHECK(compare(right, left) == -compare(left, right));
    return compare(left, right);
}

}  // namespace

TEST_CASE("number: equal values compare equal, however they are written", "[expr][number]") {
    const auto [a, b] = GENERATE(table<std::string, std::string>({
        {"5", "5.0"},
        {"5", " 5\t"},
        {"5", "+5"},
        {"5", "005"},
        {"0", "-0.000"},
        {"0", "0e99"},
        {"100", "1e2"},
        {"0.01", "1E-2"},
        {".5", "0.5"},
        {"5.", "5"},
        {"255", "0xff"},
        {"-255", "-0XFF"},
        {"18446744073709551616", "0x10000000000000000"},
        {"12345678901234567890123", "12345678901234567890123.000"},
        {"12345678901234567890123", "1.2345678901234567890123e22"},
    }));
    CAPTURE(a, b);
    CHECK(compare_texts(a, b) == 0);
}

TEST_CASE("number: order is exact beyond what a double holds", "[expr][number]") {
    const auto [less, more] = GENERATE(table<std::string, std::string>({
        {"9", "10"},
        {"-10", "-9"},
        {"-1", "0"},
        {"0", "0.0000000000000000000001"},
        {"9007199254740992", "9007199254740993"},
        {"12345678901234567890122", "12345678901234567890123"},
        {"0.1", "0.10000000000000000000001"},
        {"9.99e9", "1e10"},
        {"-1e10", "-9.99e9"},
        {"1", "1e999999999999999999999"},
        {"1e-999999999999999999999", "1"},
        {"0xfe", "255"},
    }));
    CAPTURE(less, more);
    CHECK(compare_texts(less, more) < 0);
}

TEST_CASE("number: other texts are not numbers", "[expr][number]") {
    const std::string text = GENERATE("", " ", "abc", "5a", "5 5", "--5", "+-5", ".", "-", "1e", "1e+", "1.2.3", "0x",
                                      "0xg", "nan", "inf", "1,5", "0x1.8", "1_000");
    CAPTURE(text);
    Number number;
    CHECK_FALSE(number.read(text));
}

TEST_CASE("number: hexadecimal is bounded", "[expr][number]") {
    Number number;
    CHECK(number.read("0x" + std::string(64, 'f')));
    CHECK_FALSE(number.read("0x" + std::string(65, 'f')));
}
