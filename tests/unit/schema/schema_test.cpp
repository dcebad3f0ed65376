#include "libgateway/schema/schema.hpp"

#include "tests/support/catch.hpp"

using namespace gateway;
using schema::Schema;

namespace {

// The reason, empty if the value fits.
std::string check(std::string_view schema_text, std::string_view value_text) {
    json::Value value = json::parse(value_text);
    return Schema(json::parse(schema_text)).check(value);
}
std::string filled(std::string_view schema_text, std::string_view value_text) {
    json::Value value = json::parse(value_text);
    const std::string why = Schema(json::parse(schema_text)).check(value);
    return why.empty() ? json::write(value) : why;
}
std::string refused(std::string_view schema_text) {
    try {
        const Schema compiled(json::parse(schema_text));
        return "(accepted)";
    } catch (const schema::SchemaError& error) {
        return error.what();
    }
}

}  // namespace

TEST_CASE("schema: every keyword has the words of the reference", "[schema][check]") {
    const auto [schema_text, value, why] = GENERATE(table<std::string, std::string, std::string>({
        {R"({"required":["p"]})", "{}", "property \"p\" is required"},
        {R"({"type":"integer"})", "1.5", "wrong type: expected integer, got number"},
        {R"({"type":"string"})", "null", "wrong type: expected string, got userdata"},
        {R"({"type":["string","null"]})", "[1]", "wrong type: expected one of <string, null>, got table"},
        {R"({"properties":{"p":{"properties":{"q":{"type":"string"}}}}})", R"({"p":{"q":true}})",
         "property \"p\" validation failed: property \"q\" validation failed: wrong type: expected string, got "
         "boolean"},
        {R"({"items":{"type":"number"}})", R"([1,"x"])",
         "failed to validate item 2: wrong type: expected number, got string"},
        {R"({"items":[{"type":"number"}],"additionalItems":false})", "[1,2]", "found unexpected extra items in array"},
        {R"({"properties":{"a":{}},"additionalProperties":false})", R"({"a":1,"b":1})",
         "additional properties forbidden, found b"},
        {R"({"additionalProperties":{"type":"string"}})", R"({"b":1})",
         "failed to validate additional property b: wrong type: expected string, got number"},
        {R"({"patternProperties":{"^x":{"type":"string"}}})", R"({"xy":1})",
         "failed to validate xy (matching \"^x\"): wrong type: expected string, got number"},
        {R"({"dependencies":{"a":["b"]}})", R"({"a":1})", "property \"b\" is required when \"a\" is set"},
        {R"({"dependencies":{"a":{"required":["b"]}}})", R"({"a":1})",
         "failed to validate dependent schema for \"a\": property \"b\" is required"},
        {R"({"minProperties":1})", "{}", "expect object to have at least 1 properties"},
        {R"({"maxProperties":0})", R"({"a":1})", "expect object to have at most 0 properties"},
        {R"({"minItems":2})", "[1]", "expect array to have at least 2 items"},
        {R"({"maxItems":1})", "[1,2]", "expect array to have at most 1 items"},
        {R"({"uniqueItems":true})", R"([3,1,{"a":1,"b":[]},1.0,{"b":{},"a":1}])",
         "expected unique items but items 2 and 4 are equal"},
        {R"({"minLength":2})", R"("é")", "string too short, expected at least 2, got 1"},
        {R"({"maxLength":1})", R"("ab")", "string too long, expected at most 1, got 2"},
        {R"({"pattern":"^a"})", R"("b")", "failed to match pattern \"^a\" with \"b\""},
        {R"({"minimum":1})", "0.10", "expected 0.10 to be at least 1"},
        {R"({"maximum":1})", "2", "expected 2 to be at most 1"},
        {R"({"exclusiveMinimum":1})", "1", "expected 1 to be greater than 1"},
        {R"({"maximum":1,"exclusiveMaximum":true})", "1.0", "expected 1.0 to be smaller than 1"},
        {R"({"multipleOf":0.01})", "0.123", "expected 0.123 to be a multiple of 0.01"},
        {R"({"enum":[1,"a"]})", "2", "matches none of the enum values"},
        {R"({"anyOf":[{"required":["a"]},{"required":["b","c"]}]})", "{}",
         R"(object matches none of the required: ["a"] or ["b","c"])"},
        {R"({"anyOf":[{"type":"string"}]})", "1", "object matches none of the required"},
        {R"({"oneOf":[{"type":"string"},{"type":"null"}]})", "1",
         "value should match only one schema, but matches none"},
        {R"({"oneOf":[{"type":"string"},{"type":"number"},{"minimum":1}]})", "1",
         "value should match only one schema, but matches both schemas 2 and 3"},
        {R"({"allOf":[{},{"type":"string"}]})", "1", "allOf 2 failed: wrong type: expected string, got number"},
        {R"({"if":{"type":"number"},"then":{"minimum":5}})", "1", "then clause did not match"},
        {R"({"if":{"type":"string"},"else":{"minimum":5}})", "1", "else clause did not match"},
        {R"({"not":{"type":"number"}})", "1", "value wasn't supposed to match schema"},
        {R"({"const":{"a":1}})", R"({"a":2})", "failed to check const value"},
        {R"({"propertyNames":{"maxLength":1}})", R"({"ab":1})",
         "failed to validate property name ab: string too long, expected at most 1, got 2"},
        {R"({"contains":{"const":1}})", "[2]", "no item matches the schema of \"contains\""},
        {R"({"properties":{"a":false}})", R"({"a":1})", "property \"a\" validation failed: expect false always"},
    }));
    INFO(schema_text << " " << value);
    CHECK(check(schema_text, value) == why);
}

TEST_CASE("schema: what fits fits", "[schema][check]") {
    const auto [schema_text, value] = GENERATE(table<std::string, std::string>({
        {R"({"type":"integer"})", "3.0"},
        {R"({"type":"integer"})", "123456789012345678901234567890"},
        {R"({"type":"integer"})", "1e3"},
        {R"({"type":"object"})", "[]"},
        {R"({"type":"array"})", "{}"},
        {R"({"multipleOf":0.01})", "4.35"},
        {R"({"multipleOf":0.1})", "0.3"},
        {R"({"enum":[1]})", "1.0"},
        {R"({"minimum":12345678901234567890})", "12345678901234567891"},
        {R"({"required":["a"]})", "3"},
        {R"({"format":"ipv4","unknown":[]})", R"("x")"},
        {R"({"properties":{"a":{}},"patternProperties":{"^b":{}},"additionalProperties":false})", R"({"a":1,"bb":1})"},
        {R"({"items":[{"type":"string"}]})", R"(["a",1])"},
        {"{}", "null"},
    }));
    INFO(schema_text << " " << value);
    CHECK(check(schema_text, value) == "");
}

TEST_CASE("schema: numbers are compared beyond the precision of doubles", "[schema][check]") {
    CHECK(check(R"({"maximum":9007199254740992})", "9007199254740993") != "");
    CHECK(check(R"({"const":9007199254740992})", "9007199254740993") != "");
    CHECK(check(R"({"multipleOf":7})", "1234567890123456789") ==
          (1234567890123456789 % 7 == 0 ? "" : "expected 1234567890123456789 to be a multiple of 7"));
}

TEST_CASE("schema: defaults are added where the schema always holds, and count everywhere", "[schema][check]") {
    CHECK(filled(R"({"properties":{"a":{"default":{"x":[1]}},"b":{"default":0.10}}})", R"({"c":1})") ==
          R"({"c":1,"a":{"x":[1]},"b":0.10})");
    CHECK(filled(R"({"items":{"properties":{"a":{"default":1}}}})", R"([{},{"a":2}])") == R"([{"a":1},{"a":2}])");
    CHECK(filled(R"({"properties":{"a":{"default":1}},"required":["a"]})", "{}") == R"({"a":1})");
    CHECK(filled(R"({"properties":{"a":{"default":"x","type":"number"}}})", "{}") ==
          "property \"a\" validation failed: wrong type: expected number, got string");
    const std::string branch = R"({"properties":{"a":{"default":1}},"required":["a"]})";
    CHECK(filled(R"({"anyOf":[)" + branch + "]}", R"({"b":1})") == R"({"b":1})");
    CHECK(filled(R"({"allOf":[)" + branch + "]}", R"({"b":1})") == R"({"b":1,"a":1})");
}

TEST_CASE("schema: references lead within the document, also to where they stand", "[schema][compile]") {
    const std::string tree = R"({"definitions":{"n/o~d e":{"properties":{"next":{"$ref":"#"},"v":{"type":"number"}}}},
                                 "$ref":"#/definitions/n~1o~0d%20e"})";
    CHECK(check(tree, R"({"next":{"next":{"v":1}}})") == "");
    CHECK(check(tree, R"({"next":{"next":{"v":"x"}}})").find("expected number, got string") != std::string::npos);
    CHECK(check(R"({"items":[{"type":"string"},{"$ref":"#/items/0"}]})", R"(["a",1])").find("item 2") !=
          std::string::npos);
}

TEST_CASE("schema: work and nesting are bounded", "[schema][check]") {
    CHECK(check(R"({"$ref":"#"})", "1") == "nested too deeply");
    CHECK(check(R"({"anyOf":[{"$ref":"#"},{"$ref":"#"}],"not":{"$ref":"#"}})", "1") != "");
    const std::string twice =
        R"({"anyOf":[{"items":{"$ref":"#"},"minItems":99},{"items":{"$ref":"#"},"minItems":98}]})";
    std::string deep(100, '[');
    CHECK(check(twice, deep + std::string(100, ']')) != "");
    std::string far(900, '[');
    CHECK(check(R"({"items":{"$ref":"#"}})", far + std::string(900, ']')).find("nested too deeply") !=
          std::string::npos);
    std::string nested;
    for (int i = 0; i < 300; ++i) nested += R"({"not":)";
    CHECK(refused(nested + "{}" + std::string(300, '}')) == "invalid schema: nested too deeply");
}

TEST_CASE("schema: what is no schema is refused with the reason", "[schema][compile]") {
    const auto [text, why] = GENERATE(table<std::string, std::string>({
        {R"({"type":"test"})", "invalid JSON type: test"},
        {R"({"type":3})", "invalid schema: \"type\" must be a string or an array of strings"},
        {R"({"properties":{"a":3}})", "invalid schema: expected an object or a boolean"},
        {R"({"required":[1]})", "invalid schema: \"required\" must be an array of strings"},
        {R"({"minLength":-1})", "invalid schema: \"minLength\" must be a whole number of 0 or more"},
        {R"({"pattern":"("})", "invalid pattern \"(\": missing closing parenthesis at offset 1"},
        {R"({"multipleOf":0})", "invalid schema: \"multipleOf\" must be a number above 0"},
        {R"({"minimum":"1"})", "invalid schema: \"minimum\" must be a number"},
        {R"({"enum":1})", "invalid schema: \"enum\" must be an array"},
        {R"({"anyOf":[]})", "invalid schema: \"anyOf\" must be an array of schemas"},
        {R"({"uniqueItems":1})", "invalid schema: \"uniqueItems\" must be a boolean"},
        {R"({"$ref":"#/nowhere"})", "invalid schema: cannot resolve $ref #/nowhere"},
        {R"({"$ref":"http://a/b"})", "invalid schema: cannot resolve $ref http://a/b"},
        {R"({"$ref":"#x"})", "invalid schema: cannot resolve $ref #x"},
    }));
    CHECK(refused(text) == why);
}
