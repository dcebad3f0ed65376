#include "libgateway/expr/regex.hpp"

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::expr;

TEST_CASE("regex: searches anywhere, with and without case", "[expr][regex]") {
    CHECK(Regex("b+").search("abbc"));
    CHECK_FALSE(Regex("^b").search("abbc"));
    CHECK_FALSE(Regex("B").search("abbc"));
    CHECK(Regex("B", RegexCase::insensitive).search("abbc"));
    CHECK(Regex("^$").search(""));
    CHECK(Regex("^$").search(std::string_view()));
    CHECK(Regex("^.$").search("\xff"));
}

TEST_CASE("regex: a broken pattern says why and where", "[expr][regex]") {
    CHECK_THROWS_WITH(Regex("a(b"), "missing closing parenthesis at offset 3");
}

TEST_CASE("regex: a match that runs away gives up and is counted", "[expr][regex]") {
    const Regex evil("^(a+)+$");
    const std::uint64_t before = match_limit_hits();
    CHECK(evil.match(std::string(64, 'a') + "b", nullptr) == RegexResult::gave_up);
    CHECK(match_limit_hits() == before + 1);
    CHECK(evil.search("aaaa"));
}

TEST_CASE("regex: captures are views of the subject", "[expr][regex]") {
    Captures captures;
    const std::string subject = "/user/42/x";
    REQUIRE(Regex("/user/(\\d+)/(y)?(x)").match(subject, &captures) == RegexResult::match);
    CHECK(captures.count == 4);
    CHECK(captures.groups[0] == subject);
    CHECK(captures.groups[1] == "42");
    CHECK(captures.groups[1].data() == subject.data() + 6);
    CHECK(captures.groups[2].empty());
    CHECK(captures.groups[3] == "x");
}

TEST_CASE("regex: replacements know groups and dollar signs", "[expr][regex]") {
    const auto [pattern, replacement, subject, result] =
        GENERATE(table<std::string, std::string, std::string, std::string>({
            {"^/old/(.*)$", "/new/$1", "/old/a/b", "/new/a/b"},
            {"b", "[$0]", "abcb", "a[b]cb"},
            {"(a)(b)", "${2}${1}0", "xaby", "xba0y"},
            {"a", "$$1", "a", "$1"},
            {"a(b)?", "<$1>", "a", "<>"},
            {"a", "", "bab", "bb"},
        }));
    CAPTURE(pattern, replacement);
    Arena arena;
    CHECK(replace_first(Regex(pattern), Replacement(replacement), subject, arena) == std::string_view(result));
}

TEST_CASE("regex: no match, no replacement", "[expr][regex]") {
    Arena arena;
    CHECK_FALSE(replace_first(Regex("x"), Replacement("y"), "abc", arena));
}

TEST_CASE("regex: bad references are refused", "[expr][regex]") {
    const std::string text = GENERATE("$", "a$", "$x", "${", "${1", "${x}", "${}", "${99}");
    CAPTURE(text);
    CHECK_THROWS_WITH(Replacement(text), "invalid capturing variable name found in \"" + text + "\"");
    CHECK(Replacement("$3${12}").highest() == 12);
}
