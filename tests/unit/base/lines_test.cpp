#include "libgateway/base/lines.hpp"

#include <vector>

#include "tests/support/catch.hpp"

using gateway::Lines;

namespace {

std::vector<std::string> lines_of(Lines& lines, std::string_view bytes, std::size_t piece) {
    std::vector<std::string> all;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        lines.feed(bytes.substr(at, piece));
        while (const auto line = lines.next()) all.emplace_back(*line);
    }
    return all;
}

}  // namespace

TEST_CASE("lines: the same lines come out of any pieces", "[base][lines]") {
    const std::size_t piece = GENERATE(1U, 2U, 3U, 7U, 100U);
    Lines lines(100);
    CHECK(lines_of(lines, "one\n\ntwo\r\n\r\nthree\nfou", piece) ==
          std::vector<std::string>{"one", "", "two", "", "three"});
    CHECK(lines.within_line());
    CHECK(lines_of(lines, "r\n", piece) == std::vector<std::string>{"four"});
    CHECK_FALSE(lines.within_line());
}

TEST_CASE("lines: a line over the limit ends it, whether it is finished or not", "[base][lines]") {
    const auto rest = GENERATE("", "\n", "\nshort\n");
    Lines lines(5);
    CHECK(lines_of(lines, "12345\n", 100).size() == 1);
    CHECK_FALSE(lines.overlong());
    CHECK(lines_of(lines, std::string("123456") + rest, 100).empty());
    CHECK(lines.overlong());
    CHECK(lines_of(lines, "1\n", 100).empty());
}

TEST_CASE("lines: a line of just the limit passes", "[base][lines]") {
    Lines lines(4);
    lines.feed("1234\n");
    CHECK(lines.next() == std::optional<std::string_view>("1234"));
}
