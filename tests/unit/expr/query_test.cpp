#include "libgateway/expr/query.hpp"

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::expr;

TEST_CASE("query: the first parameter of a name is found and decoded", "[expr][query]") {
    const auto [query, name, value] = GENERATE(table<std::string, std::string, std::string>({
        {"n=jack", "n", "jack"},
        {"a=1&n=jack&n=jill", "n", "jack"},
        {"n=", "n", ""},
        {"n=a+b%20c%2Bd", "n", "a b c+d"},
        {"n=%zz%4", "n", "%zz%4"},
        {"a+b%21=x", "a b!", "x"},
        {"&&n=1", "n", "1"},
        {"n=a=b", "n", "a=b"},
        {"%6E=1", "n", "1"},
        {"=x", "", "x"},
    }));
    CAPTURE(query);
    Arena arena;
    const VariableValue found = find_argument(query, name, arena);
    CHECK(found.kind == ValueKind::text);
    CHECK(found.text == value);
}

TEST_CASE("query: without an equals sign the value is true", "[expr][query]") {
    Arena arena;
    const VariableValue found = find_argument("a=1&flag&b=2", "flag", arena);
    CHECK(found.kind == ValueKind::boolean);
    CHECK(found.flag);
}

TEST_CASE("query: absent is absent", "[expr][query]") {
    Arena arena;
    const std::string query = GENERATE("", "N=1", "nn=1", "a=n", "n%00=1", "&");
    CAPTURE(query);
    CHECK_FALSE(find_argument(query, "n", arena));
}

TEST_CASE("query: what needs no decoding is not copied", "[expr][query]") {
    Arena arena;
    const std::string query = "n=plain";
    CHECK(find_argument(query, "n", arena).text.data() == query.data() + 2);
}

TEST_CASE("query: cookies are found by exact name, the first one", "[expr][query]") {
    std::string_view value;
    CHECK(find_cookie("x=1; sid=A1; sid=A2", "sid", value));
    CHECK(value == "A1");
    CHECK(find_cookie("sid=", "sid", value));
    CHECK(value.empty());
    CHECK(find_cookie("a=b=c", "a", value));
    CHECK(value == "b=c");
    CHECK_FALSE(find_cookie("SID=1; ssid=2; sid", "sid", value));
}
