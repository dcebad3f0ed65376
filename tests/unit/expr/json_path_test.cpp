#include "libgateway/expr/json_path.hpp"

#include <string>

#include "libgateway/expr/json_text.hpp"
#include "libgateway/expr/variable.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::expr;

namespace {

// A value written down: its kind by a letter, then its text.
std::string shown(const VariableValue& value) {
    switch (value.kind) {
        case ValueKind::absent:
            return "absent";
        case ValueKind::boolean:
            return value.flag ? "true" : "false";
        case ValueKind::number:
            return "n:" + std::string(value.text);
        case ValueKind::structured:
            return "s:" + std::string(value.text);
        case ValueKind::list: {
            std::string out = "[";
            for (const VariableValue& item : value.items) out += shown(item) + " ";
            return out + "]";
        }
        default:
            return "t:" + std::string(value.text);
    }
}
std::string at(std::string_view path, std::string_view body) {
    Arena arena;
    return shown(read_json(compile_json_path(path), body, arena));
}

const char* const body = R"({"model": {"name":"deepseek","size":12345678901234567890123,"on":true,"none":null},
    "list":[{"id":1,"t":"a"},{"id":2,"t":"b","in":[{"id":3}]}], "dot.ted":{"x":"y"}, "dup":1, "dup":2,
    "esc\u0061pe":"a\n\u00e9\ud83d\ude00\ud800"})";

}  // namespace

TEST_CASE("json path: dotted paths go through objects", "[expr][json_path]") {
    const auto [path, value] = GENERATE(table<std::string, std::string>({
        {"model.name", "t:deepseek"},
        {"model.size", "n:12345678901234567890123"},
        {"model.on", "true"},
        {"model.none", "absent"},
        {"model.missing", "absent"},
        {"model.name.deeper", "absent"},
        {"list.0", "absent"},
        {"dup", "n:2"},
        {"escape", "t:a\n\xC3\xA9\xF0\x9F\x98\x80\xEF\xBF\xBD"},
        {"", "absent"},
        {"model.", "absent"},
    }));
    CAPTURE(path);
    CHECK(at(path, body) == value);
}

TEST_CASE("json path: JSONPath gives a list of all matches", "[expr][json_path]") {
    const auto [path, value] = GENERATE(table<std::string, std::string>({
        {"list[*].t", "[t:a t:b ]"},
        {"list[0].t", "[t:a ]"},
        {"list[-1].t", "[t:b ]"},
        {"list[2].t", "absent"},
        {"list[-3]", "absent"},
        {"$.list[*].id", "[n:1 n:2 ]"},
        {"..id", "[n:1 n:2 n:3 ]"},
        {"list..id", "[n:1 n:2 n:3 ]"},
        {"model.*", "[t:deepseek n:12345678901234567890123 true ]"},
        {"['dot.ted'].x", "[t:y ]"},
        {"[\"dot.ted\"].x", "[t:y ]"},
        {"list[*].nothing", "absent"},
        {"list[0]", "[s:{\"id\":1,\"t\":\"a\"} ]"},
        {"list[?(@.id==1)]", "absent"},
        {"list[", "absent"},
        {"$", "absent"},
        {"list[*]t", "absent"},
    }));
    CAPTURE(path);
    CHECK(at(path, body) == value);
}

TEST_CASE("json path: what is not JSON has no values", "[expr][json_path]") {
    const std::string text =
        GENERATE("", "{", "{\"a\":1", "{\"a\":1}x", "{'a':1}", "{\"a\":01}", "{\"a\":1,}", "[1,]", "{\"a\":tru}",
                 "{\"a\":\"\x01\"}", "{\"a\":\"\\x\"}", "{\"a\":1.}", "{\"a\" 1}", "{\"a\":\"\\u12g4\"}");
    CAPTURE(text);
    CHECK_FALSE(is_json(text));
    CHECK(at("a", text) == "absent");
}

TEST_CASE("json path: what is JSON is accepted", "[expr][json_path]") {
    const std::string text =
        GENERATE("0", "-0.5e+10", "\"\"", " [ ] ", "{ }", "[[],{}]", "null", "{\"\":0}", "\"\\\"\\\\\"");
    CAPTURE(text);
    CHECK(is_json(text));
}

TEST_CASE("json path: nesting is bounded", "[expr][json_path]") {
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    CHECK(is_json(nested(500)));
    CHECK_FALSE(is_json(nested(501)));
    CHECK_FALSE(is_json(std::string(1'000'000, '[')));
}

TEST_CASE("json path: descending through a deep body ends within its budget", "[expr][json_path]") {
    std::string deep;
    for (int i = 0; i < 450; ++i) deep += "{\"a\":[" + std::string(200, '1') + ",";
    deep += "1";
    for (int i = 0; i < 450; ++i) deep += "]}";
    REQUIRE_FALSE(is_json(deep));  // deeper than allowed, so refused at once
    std::string wide = "[";
    for (int i = 0; i < 2000; ++i) wide += "[[[[1]]]],";
    wide += "1]";
    CHECK(at("..x..y..z", wide) == "absent");
}
