#include "libgateway/json/value.hpp"

#include "tests/support/catch.hpp"

using namespace gateway::json;

TEST_CASE("json: an untouched text is written as it was read", "[json][value]") {
    const std::string_view text =
        GENERATE(R"({"b":1,"a":[true,false,null,"x"],"c":{}})", "1234567890123456789012345678901234567890", "0.10",
                 "1E400", "-0", "-12.500e-3", R"("é/\"\\\n\u0001")", "[]", "[[],{}]", R"("")", "null");
    REQUIRE(write(parse(text)) == text);
}

TEST_CASE("json: escapes become characters and only what must be escaped is written so", "[json][value]") {
    const Value value = parse(R"(["\u00e9\/\ud83d\ude00\u0000\b\f\r\t\u001f"])");
    REQUIRE(value.items()[0].string() == std::string("é/😀\0\b\f\r\t\x1f", 13));
    REQUIRE(write(value) == R"(["é/😀\u0000\b\f\r\t\u001f"])");
}

TEST_CASE("json: of equal names the last wins in the place of the first", "[json][value]") {
    REQUIRE(write(parse(R"({"a":1,"b":2,"a":3})")) == R"({"a":3,"b":2})");
    std::string many = "{";
    for (int i = 0; i < 100; ++i) many += "\"k" + std::to_string(i % 50) + "\":" + std::to_string(i) + ",";
    many.back() = '}';
    const Value value = parse(many);
    REQUIRE(value.size() == 50);
    REQUIRE(value.find("k7")->number() == "57");
}

TEST_CASE("json: values know their line and column", "[json][value]") {
    const Value value = parse("{\n  \"a\": [1,\n    {\"b\\\"\" : \"x\"}, [] , {}],\n\t\"c\":null }");
    REQUIRE(value.where == Position{1, 1});
    REQUIRE(value.members()[0].where == Position{2, 3});
    const Value& list = *value.find("a");
    REQUIRE(list.where == Position{2, 8});
    REQUIRE(list.items()[0].where == Position{2, 9});
    REQUIRE(list.items()[1].members()[0].where == Position{3, 6});
    REQUIRE(list.items()[1].members()[0].value.where == Position{3, 14});
    REQUIRE(list.items()[3].where == Position{3, 25});
    REQUIRE(value.find("c")->where == Position{4, 6});
}

TEST_CASE("json: broken texts are refused with their position", "[json][value]") {
    const std::string_view text = GENERATE("", "{", "[1,]", "{\"a\" 1}", "01", "1 2", "\"\x01\"", "nul", "[\"\xff\"]",
                                           "{\"a\":1,}", "'a'", "\"\\ud800\"", "+1", ".5", "NaN");
    ParseFailure why;
    REQUIRE_FALSE(try_parse(text, why));
    REQUIRE(why.where.line == 1);
    REQUIRE(why.what.find("Expected value but found invalid token at character ") == 0);
    REQUIRE_THROWS_AS(parse(text), ParseError);
}

TEST_CASE("json: an error names its line and column", "[json][value]") {
    ParseFailure why;
    REQUIRE_FALSE(try_parse("{\n \"a\": tru }", why));
    REQUIRE(why.where.line == 2);
    REQUIRE(why.where.column >= 7);
}

TEST_CASE("json: depth and size are bounded", "[json][value]") {
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    ParseFailure why;
    REQUIRE(try_parse(nested(1000), why));
    REQUIRE_FALSE(try_parse(nested(1001), why));
    REQUIRE_FALSE(try_parse("[1,2,3]", why, {.bytes = 6}));
}

TEST_CASE("json: whole numbers are read exactly", "[json][number]") {
    const auto read = [](std::string text) { return Value::number_from(std::move(text)).as_int64(); };
    REQUIRE(read("9223372036854775807") == INT64_MAX);
    REQUIRE(read("-9223372036854775808") == INT64_MIN);
    REQUIRE_FALSE(read("9223372036854775808"));
    REQUIRE_FALSE(read("-9223372036854775809"));
    REQUIRE_FALSE(read("1.5"));
    REQUIRE_FALSE(read("1e-1"));
    REQUIRE_FALSE(read("1e400"));
    REQUIRE(read("3.0") == 3);
    REQUIRE(read("1.5e1") == 15);
    REQUIRE(read("0e999999999999999999999") == 0);
    REQUIRE(read("-0") == 0);
    REQUIRE_FALSE(Value("5").as_int64());
}

TEST_CASE("json: numbers compare by their exact decimal value", "[json][number]") {
    REQUIRE(compare_numbers("9007199254740993", "9007199254740992") > 0);
    REQUIRE(compare_numbers("12345678901234567890123", "12345678901234567890124") < 0);
    REQUIRE(compare_numbers("0.10", "0.1") == 0);
    REQUIRE(compare_numbers("1e2", "100") == 0);
    REQUIRE(compare_numbers("0.001", "1e-3") == 0);
    REQUIRE(compare_numbers("0.0", "-0") == 0);
    REQUIRE(compare_numbers("-2", "-1") < 0);
    REQUIRE(compare_numbers("-1", "0") < 0);
    REQUIRE(compare_numbers("0.09", "0.1") < 0);
    REQUIRE(compare_numbers("1E400", "9") > 0);
    REQUIRE(compare_numbers("10.01", "10.010000") == 0);
    REQUIRE(compare_numbers("100", "99.999") > 0);
}

TEST_CASE("json: number texts are recognised", "[json][number]") {
    const std::string_view good = GENERATE("0", "-0", "10", "1.5", "1e5", "1E+5", "-1.0e-5");
    const std::string_view bad = GENERATE("", "-", "01", "1.", ".1", "1e", "1e+", "+1", "0x1", "1 ", "1a");
    REQUIRE(is_number_text(good));
    REQUIRE_FALSE(is_number_text(bad));
}

TEST_CASE("json: doubles are written short and whole ones without exponent", "[json][number]") {
    REQUIRE(write(Value(0.1)) == "0.1");
    REQUIRE(write(Value(1e21)) == "1000000000000000000000");
    REQUIRE(write(Value(-3.0)) == "-3");
    REQUIRE(write(Value(std::numeric_limits<double>::infinity())) == "null");
}

TEST_CASE("json: values are built, changed and searched", "[json][value]") {
    Value value = Value::object({{"a", 1}, {"b", "text"}, {"c", Value::array({true, nullptr, 1.5})}});
    REQUIRE(write(value) == R"({"a":1,"b":"text","c":[true,null,1.5]})");
    value.set("a", std::uint64_t{18446744073709551615u});
    value.set("d", Value::object());
    REQUIRE(value.erase("b"));
    REQUIRE_FALSE(value.erase("b"));
    REQUIRE(write(value) == R"({"a":18446744073709551615,"c":[true,null,1.5],"d":{}})");
    REQUIRE(value.find("zz") == nullptr);
    REQUIRE(Value(3).find("a") == nullptr);
    REQUIRE(Value(3).string().empty());
}

TEST_CASE("json: equality ignores the order of members and the writing of numbers", "[json][value]") {
    REQUIRE(equal(parse(R"({"a":1.0,"b":[2]})"), parse(R"({"b":[2e0],"a":1})")));
    REQUIRE_FALSE(equal(parse(R"({"a":1})"), parse(R"({"a":"1"})")));
    REQUIRE_FALSE(equal(parse(R"({"a":1})"), parse(R"({"b":1})")));
    REQUIRE_FALSE(equal(parse("[1,2]"), parse("[2,1]")));
}

TEST_CASE("json: the sorted form does not depend on the order of members", "[json][value]") {
    REQUIRE(write_sorted(parse(R"({"b":{"z":1,"y":2},"a":[{"d":1,"c":2}]})")) ==
            R"({"a":[{"c":2,"d":1}],"b":{"y":2,"z":1}})");
}
