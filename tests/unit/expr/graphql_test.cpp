#include "libgateway/expr/graphql.hpp"

#include <string>

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::expr;

namespace {

std::string shown(std::string_view document) {
    Arena arena;
    const GraphqlOperation operation = parse_graphql(document, arena);
    if (!operation.valid) return "invalid";
    std::string out = std::string(operation.operation) + " " + std::string(operation.name);
    for (const VariableValue& field : operation.root_fields.items) out += " " + std::string(field.text);
    return out;
}

}  // namespace

TEST_CASE("graphql: the first operation is understood", "[expr][graphql]") {
    const auto [document, expected] = GENERATE(table<std::string, std::string>({
        {"{ user log }", "query  user log"},
        {"query { user { name } }", "query  user"},
        {"mutation addUser { user(id: 1) { name } log { at } }", "mutation addUser user log"},
        {"subscription S { a }", "subscription S a"},
        {"query Q($id: [Int!]! = [1, 2], $x: S = {a: \"b\"} @d) @dir(if: true) { alias: user(id: $id) @x { n } }",
         "query Q user"},
        {"# note\n{ a, b # c\n }", "query  a b"},
        {"{ ...F ... on T { x } ... @include(if: $a) { y } z } fragment F on T { q }", "query  z"},
        {"{ a(s: \"}\\\"\", b: \"\"\"block \" } \\\"\"\" \"\"\", e: ENUM, n: null, f: -1.5e3) }", "query  a"},
        {"query A { a } mutation B { b }", "query A a"},
        {"\xEF\xBB\xBF{ a }", "query  a"},
    }));
    CAPTURE(document);
    CHECK(shown(document) == expected);
}

TEST_CASE("graphql: syntax errors make all of it invalid", "[expr][graphql]") {
    const std::string document =
        GENERATE("", "{", "{}", "{ a", "{ a } }", "{ a( }", "{ a() }", "{ a(x) }", "query", "delete { a }", "{ a: }",
                 "{ a @ }", "{ \"a\" }", "{ a(x: \"unclosed) }", "fragment F on T { a } { b }", "query Q( { a }",
                 "{ ... }", "{ a ; }", "query A { a } nonsense", "{ a(x: -) }");
    CAPTURE(document);
    CHECK(shown(document) == "invalid");
}

TEST_CASE("graphql: nesting is bounded", "[expr][graphql]") {
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += "{a";
    CHECK(shown(deep) == "invalid");
    CHECK(shown("{ a(x: " + std::string(100'000, '[')) == "invalid");
}

TEST_CASE("graphql: the document comes from query, member or body", "[expr][graphql]") {
    Arena arena;
    std::string_view document;
    CHECK(graphql_document("GET", "", "x=1&query=%7Ba%7D", "", arena, document));
    CHECK(document == "{a}");
    CHECK(graphql_document("POST", "application/json", "", R"({"query":"{b}"})", arena, document));
    CHECK(document == "{b}");
    CHECK(graphql_document("POST", "application/graphql", "", "{c}", arena, document));
    CHECK(document == "{c}");
    CHECK_FALSE(graphql_document("GET", "", "query", "", arena, document));
    CHECK_FALSE(graphql_document("POST", "application/json", "", R"({"query":1})", arena, document));
    CHECK_FALSE(graphql_document("PUT", "application/json", "", R"({"query":"{b}"})", arena, document));
}
