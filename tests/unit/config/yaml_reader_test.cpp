#include "libgateway/config/yaml_reader.hpp"

#include "libgateway/config/yaml_scalar.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::config;

namespace {
std::string as_json(std::string_view yaml) {
    return json::write(read_yaml(yaml));
}
json::ParseFailure failure_of(std::string_view yaml, const YamlLimits& limits = {}) {
    json::ParseFailure why;
    REQUIRE_FALSE(try_read_yaml(yaml, why, limits));
    return why;
}
}  // namespace

TEST_CASE("yaml: plain scalars mean what YAML 1.1 says", "[config][yaml]") {
    const auto [text, expected] = GENERATE(table<std::string, std::string>({
        {"", "null"},
        {"~", "null"},
        {"null", "null"},
        {"yes", "true"},
        {"On", "true"},
        {"OFF", "false"},
        {"no", "false"},
        {"y", "\"y\""},
        {"0", "0"},
        {"-0", "0"},
        {"12", "12"},
        {"+12", "12"},
        {"1_000", "1000"},
        {"010", "8"},
        {"08", "8"},
        {"0x1F", "31"},
        {"-0x10", "-16"},
        {"0b101", "5"},
        {"0xfffffffffffffffff", "\"0xfffffffffffffffff\""},
        {"12345678901234567890123", "12345678901234567890123"},
        {"0.10", "0.10"},
        {"1.", "1.0"},
        {".5", "0.5"},
        {"-.5e3", "-0.5e3"},
        {"1E400", "1E400"},
        {"1e5", "1e5"},
        {"00.5", "0.5"},
        {".inf", "\".inf\""},
        {".", "\".\""},
        {"-", "\"-\""},
        {"12:30", "\"12:30\""},
        {"127.0.0.1", "\"127.0.0.1\""},
        {"1.2.3", "\"1.2.3\""},
        {"1e", "\"1e\""},
        {"text", "\"text\""},
        {"+", "\"+\""},
        {"2026-11-21", "\"2026-11-21\""},
        {"_1", "\"_1\""},
    }));
    REQUIRE(json::write(plain_scalar(text)) == expected);
}

TEST_CASE("yaml: quoted and block scalars stay text, tags decide otherwise", "[config][yaml]") {
    REQUIRE(as_json(R"(["1", 'yes', "a\tb", !!str 5, !!int "7", ! 8])") == R"(["1","yes","a\tb","5",7,"8"])");
    REQUIRE(as_json("a: |\n  1\n  2\nb: >-\n  x\n  y\n") == R"({"a":"1\n2\n","b":"x y"})");
}

TEST_CASE("yaml: nested documents become objects and arrays in order", "[config][yaml]") {
    REQUIRE(as_json("routes:\n  - id: 1\n    uri: /a\n    upstream:\n      nodes: {\"127.0.0.1:1980\": 1}\n  - []\n1: "
                    "x\non: y\n") ==
            R"({"routes":[{"id":1,"uri":"/a","upstream":{"nodes":{"127.0.0.1:1980":1}}},[]],"1":"x","on":"y"})");
    REQUIRE(as_json("{\"a\":1,\"b\":[true,null]}") == R"({"a":1,"b":[true,null]})");
    REQUIRE(as_json("") == "null");
    REQUIRE(as_json("# nothing\n#END\n") == "null");
    REQUIRE(as_json("a: 1\nb: 2\na: 3\n") == R"({"a":3,"b":2})");
    REQUIRE(as_json("a:\nb: ") == R"({"a":null,"b":null})");
}

TEST_CASE("yaml: values and keys know their position", "[config][yaml]") {
    const json::Value value = read_yaml("a:\n  - b: 1\n    c: [x,\n      y]\n");
    const json::Value& item = value.find("a")->items()[0];
    REQUIRE(value.members()[0].where == json::Position{1, 1});
    REQUIRE(item.where == json::Position{2, 5});
    REQUIRE(item.members()[1].where == json::Position{3, 5});
    REQUIRE(item.find("c")->where == json::Position{3, 8});
    REQUIRE(item.find("c")->items()[1].where == json::Position{4, 7});
}

TEST_CASE("yaml: aliases copy what their anchor named", "[config][yaml]") {
    REQUIRE(as_json("a: &x {k: [1]}\nb: *x\nc: &s t\nd: *s\n*s : e\n") ==
            R"({"a":{"k":[1]},"b":{"k":[1]},"c":"t","d":"t","t":"e"})");
    REQUIRE(as_json("base: &b {k: 1, m: 2}\nuse:\n  <<: *b\n  m: 3\n") ==
            R"({"base":{"k":1,"m":2},"use":{"m":3,"k":1}})");
    REQUIRE(as_json("use: {<<: [{a: 1}, {a: 2, b: 2}], c: 3}\n") == R"({"use":{"c":3,"a":1,"b":2}})");
    REQUIRE(as_json("\"<<\": 1") == R"({"<<":1})");
}

TEST_CASE("yaml: aliases that explode are refused", "[config][yaml]") {
    std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
    for (int i = 1; i < 10; ++i) {
        const std::string before = "*a" + std::to_string(i - 1);
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
        for (int n = 0; n < 9; ++n) bomb += "," + before;
        bomb += "]\n";
    }
    const auto why = failure_of(bomb);
    REQUIRE(why.what == "aliases expand to too much");
    REQUIRE(why.where.line > 1);
}

TEST_CASE("yaml: broken texts are refused with their position", "[config][yaml]") {
    REQUIRE(failure_of("x: 0\na: 1\n b: 2\n").where.line == 2);
    REQUIRE(failure_of("a: [1, 2\nb: 3\n").where.line > 0);
    REQUIRE(failure_of("a: *nothing\n").what == "unknown alias *nothing");
    REQUIRE(failure_of("a: 1\n---\nb: 2\n").what == "only one YAML document is allowed");
    REQUIRE(failure_of("? [a]\n: 1\n").what == "a key must be a scalar");
    REQUIRE(failure_of("a: {<<: 1}\n").what == "a merge key needs a mapping or a list of mappings");
    REQUIRE(failure_of("a: \"\\q\"\n").where == json::Position{1, 5});
    REQUIRE(failure_of("a: 1", {.bytes = 3}).what == "YAML text of 4 bytes exceeds 3");
    REQUIRE(failure_of(std::string_view("a:\n \0b", 6)).what == "the text holds a zero byte");
    REQUIRE(failure_of("a: 1\nb: \xff\n").where == json::Position{2, 4});
    REQUIRE(failure_of("\xed\xa0\x80").what == "the text is not UTF-8");
    REQUIRE(failure_of("\t- a: 1").what.size() > 0);
    REQUIRE(failure_of(std::string(2000, '[')).what.size() > 0);
    REQUIRE_THROWS_AS(read_yaml("a: ["), json::ParseError);
}
