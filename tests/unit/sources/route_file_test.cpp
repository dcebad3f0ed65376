#include "libgateway/sources/route_file.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/golden.hpp"
#include "tests/unit/sources/rules_of_tests.hpp"

using namespace gateway;
using namespace gateway::sources;
using config::Kind;

namespace {
const config::Environment no_variables = [](const std::string&) { return std::optional<std::string>(); };

RouteFileResult parse(std::string_view text, const Document& previous = {},
                      const RouteFileSettings& settings = {"routes.yaml"}) {
    return parse_route_file(text, settings, testing::rules(), no_variables, previous);
}
Document parse_good(std::string_view text, const Document& previous = {}) {
    RouteFileResult result = parse(text, previous);
    REQUIRE(result.diagnostics.text() == "");
    REQUIRE(result.document);
    return std::move(*result.document);
}
std::string routes(std::initializer_list<std::string_view> ids) {
    std::string text = "routes:\n";
    for (const std::string_view id : ids) {
        text.append("  - {id: ")
            .append(id)
            .append(", uri: /")
            .append(id)
            .append(", upstream: {nodes: {\"a:1\": 1}}}\n");
    }
    return text;
}
}  // namespace

TEST_CASE("route file: golden cases say exactly what is expected", "[sources][route_file]") {
    const auto cases = gateway::test::golden_cases("routes_");
    REQUIRE(cases.size() >= 6);
    for (const auto& one : cases) {
        const RouteFileResult result = parse(one.input);
        INFO(one.name);
        CHECK(result.diagnostics.text() == one.expected);
        CHECK(result.document.has_value() == (one.expected.find(": error: ") == std::string::npos));
    }
}

TEST_CASE("route file: a good file becomes a document of compact objects", "[sources][route_file]") {
    const auto cases = gateway::test::golden_cases("routes_good");
    const Document document = parse_good(cases.at(0).input);
    REQUIRE(document.size(Kind::route) == 3);
    REQUIRE(document.find(Kind::route, "1")->json ==
            R"({"id":1,"uri":"/hello","service_id":1,"plugin_config_id":"1"})");
    REQUIRE(document.find(Kind::route, "arr_2")->json ==
            R"({"uris":["/a","/b/*"],"methods":["GET"],"upstream":{"nodes":[{"host":"::1","port":80,"weight":1}]}})");
    REQUIRE(document.find(Kind::route, "third")->json.find(R"("plugins":{"echo":{}})") != std::string::npos);
    REQUIRE(document.find(Kind::plugins, "list")->json == R"(["echo","other"])");
    REQUIRE(document.find(Kind::route, "1")->where.line == 14);
}

TEST_CASE("route file: dropping leaves out only the bad items and says which", "[sources][route_file]") {
    RouteFileSettings settings{"routes.yaml"};
    settings.drop_invalid = true;
    const RouteFileResult result =
        parse("routes:\n  - {id: 1, uri: /a, plugins: {}}\n  - {id: 2, urii: /b}\n  - 3\n", {}, settings);
    REQUIRE(result.document);
    REQUIRE(result.document->size() == 1);
    REQUIRE(result.dropped.size() == 2);
    REQUIRE(result.dropped[0] ==
            "failed to check item data of [routes] err:additional properties forbidden, found urii ,val: "
            R"({"id":2,"urii":"/b"})");
    REQUIRE(result.dropped[1] == "invalid item data of [routes/3], val: 3, it should be an object");
    REQUIRE(parse("routes: [\n", {}, settings).document.has_value() == false);
}

TEST_CASE("route file: a pattern whose end is ignored is a warning", "[sources][route_file]") {
    const RouteFileResult result =
        parse("routes:\n  - {id: 1, uri: /a*b, plugins: {}}\n  - {id: 2, uris: [/c/*, /d/*/e, /f*/g], plugins: {}}\n");
    REQUIRE(result.document);
    REQUIRE(result.diagnostics.text() ==
            "routes.yaml:2:18: warning: routes/1 uri: what follows the * is ignored: the same as \"/a*\"\n"
            "routes.yaml:3:34: warning: routes/2 uris: what follows the * is ignored: the same as \"/f*\"\n");
}

TEST_CASE("route file: the end marker is needed only where it is required", "[sources][route_file]") {
    RouteFileSettings settings{"routes.yaml"};
    settings.require_end_marker = true;
    const std::string text = routes({"a"});
    REQUIRE(parse(text).document);
    REQUIRE(parse(text, {}, settings).diagnostics.text() ==
            "routes.yaml: error: failed to parse the content of file routes.yaml: missing valid end flag in file "
            "routes.yaml\n");
    REQUIRE(parse(text + "#END", {}, settings).document);
    REQUIRE(parse(text + "#END \n\n", {}, settings).document);
    REQUIRE_FALSE(parse(text + "#END\n          \n", {}, settings).document);
    REQUIRE_FALSE(parse(text + "#END x", {}, settings).document);
}

TEST_CASE("route file: JSON is read with variables in its strings", "[sources][route_file]") {
    RouteFileSettings settings{"routes.json"};
    settings.json = true;
    const RouteFileResult result =
        parse(R"({"routes":[{"id":1,"uri":"/","priority":"${{N:=5}}","plugins":{}}]})", {}, settings);
    REQUIRE(result.diagnostics.text() == "");
    REQUIRE(result.document->find(Kind::route, "1")->json == R"({"id":1,"uri":"/","priority":5,"plugins":{}})");
    REQUIRE(parse("{", {}, settings).diagnostics.text().find("routes.json:1:2: error: failed to parse the file: ") ==
            0);
}

TEST_CASE("route file: an insertion in the middle changes one object", "[sources][route_file]") {
    const Document before = parse_good(routes({"a", "b", "c"}));
    const Document after = parse_good(routes({"a", "x", "b", "c"}), before);
    const auto changes = diff(before, after);
    REQUIRE(changes.size() == 1);
    REQUIRE(changes[0].id == "x");
    REQUIRE(after.find(Kind::route, "a")->order < after.find(Kind::route, "x")->order);
    REQUIRE(after.find(Kind::route, "x")->order < after.find(Kind::route, "b")->order);
    const Document moved = parse_good(routes({"b", "a", "x", "c"}), after);
    REQUIRE(diff(after, moved).size() == 1);
    REQUIRE(diff(moved, parse_good(routes({"b", "a", "x", "c"}), moved)).empty());
}

TEST_CASE("route file: a single object is checked like an item", "[sources][route_file]") {
    const Document current = parse_good(routes({"a", "b"}));
    config::Diagnostics diagnostics;
    const auto put = [&](std::string_view id, std::string_view text) {
        return parse_object(Kind::route, id, text, "-", testing::rules(), current, diagnostics);
    };
    const ObjectPtr fresh = put("n", R"({"uri": "/n", "upstream_id": 4})");
    REQUIRE(fresh);
    REQUIRE(fresh->order > current.find(Kind::route, "b")->order);
    REQUIRE(diagnostics.text() ==
            "-:1:30: warning: routes/n upstream_id: there is no upstream [4]: its requests get 502\n");
    REQUIRE(put("a", "uri: /x\nplugins: {}")->order == current.find(Kind::route, "a")->order);
    REQUIRE_FALSE(put("n", "uri: [1"));
    REQUIRE_FALSE(put("n", "3"));
    REQUIRE_FALSE(put("n", "{id: m, uri: /, plugins: {}}"));
    REQUIRE_FALSE(put("n/n", "{uri: /, plugins: {}}"));
    REQUIRE_FALSE(put("n", "{uri: /}"));
    REQUIRE(diagnostics.errors() == 5);
}

TEST_CASE("route file: one that cannot be read is an error with its reason", "[sources][route_file]") {
    const RouteFileResult result = read_route_file({"/nonexistent/routes.yaml"}, testing::rules(), no_variables, {});
    REQUIRE_FALSE(result.document);
    REQUIRE(result.diagnostics.text() ==
            "/nonexistent/routes.yaml: error: cannot be read: No such file or directory\n");
}
