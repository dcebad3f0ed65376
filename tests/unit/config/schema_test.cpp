#include "libgateway/config/schema.hpp"

#include "libgateway/config/diagnostic.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::config;

namespace {

enum class Mode { fast, slow };
constexpr auto enum_names(Mode) {
    return std::array{std::pair{std::string_view("fast"), Mode::fast}, std::pair{std::string_view("slow"), Mode::slow}};
}

struct Node {
    std::string host;
    std::uint16_t port = 80;
    static constexpr auto schema = fields(field("host", &Node::host, "name", required, length(1, 5)),
                                          field("port", &Node::port, "port", range(1, 65535)))
                                       .closed();
};

bool lower(std::string_view text) {
    return text.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == text.npos;
}

struct Settings {
    bool on = true;
    int count = 5;
    double rate = 0.5;
    std::string name = "x";
    Mode mode = Mode::fast;
    std::vector<std::string> tags;
    std::vector<Node> nodes;
    Members<int> weights;
    std::optional<std::string> note;
    json::Value raw;
    Node node;
};
constexpr auto schema =
    fields(field("on", &Settings::on, "switch"), field("count", &Settings::count, "how many", range(1, 10)),
           field("rate", &Settings::rate, "per second", more_than(0)),
           field("name", &Settings::name, "lower case", pattern("^[^A-Z]*$", lower), length(1, 8)),
           field("mode", &Settings::mode, "speed"),
           field("tags", &Settings::tags, "marks", items(1, 3), unique, each(one_of("red", "green", "blue"))),
           field("nodes", &Settings::nodes, "addresses"),
           field("weights", &Settings::weights, "by name", each(at_least(0))), field("note", &Settings::note, "free"),
           field("raw", &Settings::raw, "anything"), field("node", &Settings::node, "nested"))
        .closed();

Errors read_text(std::string_view text, Settings& out) {
    Errors errors;
    config::read(schema, json::parse(text), out, errors);
    return errors;
}
std::string first_of(std::string_view text) {
    Settings settings;
    return std::string(read_text(text, settings).first());
}

}  // namespace

TEST_CASE("schema: members that are absent keep their defaults", "[config][schema]") {
    Settings settings;
    REQUIRE(read_text("{}", settings).empty());
    REQUIRE(settings.on);
    REQUIRE(settings.count == 5);
    REQUIRE_FALSE(settings.note);
    REQUIRE(read_text("[]", settings).empty());
}

TEST_CASE("schema: every type is read and written back", "[config][schema]") {
    const std::string_view text =
        R"({"on":false,"count":7,"rate":1.5,"name":"abc","mode":"slow","tags":["red"],"nodes":[{"host":"a","port":1}],)"
        R"("weights":{"z":1,"a":2},"note":"n","raw":[1,{"x":null}],"node":{"host":"b","port":80}})";
    Settings settings;
    const Errors errors = read_text(text, settings);
    REQUIRE(errors.first() == "");
    REQUIRE(settings.mode == Mode::slow);
    REQUIRE(settings.nodes.at(0).host == "a");
    REQUIRE(json::write(config::write(schema, settings)) == text);
}

TEST_CASE("schema: errors have the reference's texts", "[config][schema]") {
    const auto [text, expected] = GENERATE(table<std::string, std::string>({
        {"3", "wrong type: expected object, got number"},
        {R"({"on":1})", R"(property "on" validation failed: wrong type: expected boolean, got number)"},
        {R"({"on":null})", R"(property "on" validation failed: wrong type: expected boolean, got userdata)"},
        {R"({"count":"1"})", R"(property "count" validation failed: wrong type: expected integer, got string)"},
        {R"({"count":1.5})", R"(property "count" validation failed: wrong type: expected integer, got number)"},
        {R"({"count":0})", R"(property "count" validation failed: expected 0 to be at least 1)"},
        {R"({"count":11})", R"(property "count" validation failed: expected 11 to be at most 10)"},
        {R"({"count":99999999999999999999})",
         R"(property "count" validation failed: expected 99999999999999999999 to be at most 10)"},
        {R"({"rate":0})", R"(property "rate" validation failed: expected 0 to be greater than 0)"},
        {R"({"rate":true})", R"(property "rate" validation failed: wrong type: expected number, got boolean)"},
        {R"({"name":""})", R"(property "name" validation failed: string too short, expected at least 1, got 0)"},
        {R"({"name":"ééééééééé"})", R"(property "name" validation failed: string too long, expected at most 8, got 9)"},
        {R"({"name":"A"})", R"(property "name" validation failed: failed to match pattern "^[^A-Z]*$" with "A")"},
        {R"({"mode":"slw"})", R"(property "mode" validation failed: matches none of the enum values)"},
        {R"({"tags":[]})", R"(property "tags" validation failed: expect array to have at least 1 items)"},
        {R"({"tags":["red","green","blue","red"]})",
         R"(property "tags" validation failed: expect array to have at most 3 items)"},
        {R"({"tags":["red","blue","red"]})",
         R"(property "tags" validation failed: expected unique items but items 1 and 3 are equal)"},
        {R"({"tags":["red","pink"]})",
         R"(property "tags" validation failed: failed to validate item 2: matches none of the enum values)"},
        {R"({"tags":{"a":1}})", R"(property "tags" validation failed: wrong type: expected array, got table)"},
        {R"({"nodes":[{}]})",
         R"(property "nodes" validation failed: failed to validate item 1: property "host" is required)"},
        {R"({"nodes":[{"host":"a","port":70000}]})",
         R"(property "nodes" validation failed: failed to validate item 1: property "port" validation failed: expected 70000 to be at most 65535)"},
        {R"({"weights":{"a":-1}})",
         R"(property "weights" validation failed: failed to validate additional property a: expected -1 to be at least 0)"},
        {R"({"cuont":1})", "additional properties forbidden, found cuont"},
    }));
    REQUIRE(first_of(text) == expected);
}

TEST_CASE("schema: all errors are collected with path, position and hint", "[config][schema]") {
    Settings settings;
    const Errors errors =
        read_text("{\"mode\": \"slo\",\n \"nodes\": [{\"host\": \"a\", \"prt\": 1},\n  {}],\n\"cuont\": 1}", settings);
    REQUIRE(errors.size() == 4);
    const auto& found = errors.findings();
    REQUIRE(found[0].field == "mode");
    REQUIRE(found[0].hint == "expected one of fast, slow; did you mean \"slow\"?");
    REQUIRE(found[1].field == "nodes[0].prt");
    REQUIRE(found[1].where == json::Position{2, 26});
    REQUIRE(found[1].hint == "did you mean \"port\"?");
    REQUIRE(found[2].field == "nodes[1].host");
    REQUIRE(found[2].where == json::Position{3, 3});
    REQUIRE(found[3].where == json::Position{4, 1});
}

TEST_CASE("schema: relations between members are checked", "[config][schema]") {
    struct Two {
        json::Value a, b, c;
    };
    static constexpr auto rules = fields(field("a", &Two::a, ""), field("b", &Two::b, ""), field("c", &Two::c, ""));
    const auto check = [](const auto& table, std::string_view text) {
        Errors errors;
        Two two;
        config::read(table, json::parse(text), two, errors);
        return std::string(errors.first());
    };
    constexpr auto one = rules.exactly_one("a", "b");
    REQUIRE(check(one, R"({"a":1})").empty());
    REQUIRE(check(one, "{}") == "value should match only one schema, but matches none");
    REQUIRE(check(one, R"({"a":1,"b":1})") == "value should match only one schema, but matches both schemas 1 and 2");
    constexpr auto nested = rules.exactly_one_in_branch(1, "a", "b");
    REQUIRE(check(nested, "{}") == "allOf 1 failed: value should match only one schema, but matches none");
    constexpr auto any = rules.any_of("a", "b,c");
    REQUIRE(check(any, R"({"b":1,"c":1})").empty());
    REQUIRE(check(any, R"({"b":1})") == R"(object matches none of the required: ["a"] or ["b","c"])");
    constexpr auto needs = rules.depends("a", "b");
    REQUIRE(check(needs, R"({"a":1})") == R"(property "b" is required when "a" is set)");
}

TEST_CASE("schema: open objects accept more, plugins' closed ones only what is common", "[config][schema]") {
    constexpr auto open = fields(field("on", &Settings::on, "switch"));
    constexpr auto plugin = open.closed_plugin();
    Settings settings;
    Errors errors;
    config::read(open, json::parse(R"({"other":1})"), settings, errors);
    config::read(plugin, json::parse(R"({"_meta":{},"on":true})"), settings, errors);
    REQUIRE(errors.empty());
    config::read(plugin, json::parse(R"({"other":1})"), settings, errors);
    REQUIRE(errors.first() == "additional properties forbidden, found other");
}

TEST_CASE("schema: the table describes itself without its type", "[config][schema]") {
    const SchemaTable table = table_of(schema);
    const json::Value described = table.json_schema();
    REQUIRE(described.find("additionalProperties")->boolean() == false);
    const json::Value& properties = *described.find("properties");
    REQUIRE(json::write(*properties.find("count")) ==
            R"({"type":"integer","minimum":1,"maximum":10,"default":5,"description":"how many"})");
    REQUIRE(json::write(*properties.find("tags")->find("items")) ==
            R"({"type":"string","enum":["red","green","blue"]})");
    const auto rows = table.rows();
    REQUIRE(rows.size() == 15);
    REQUIRE(rows[1].name == "count");
    REQUIRE(rows[1].limits == "≥ 1, ≤ 10");
    REQUIRE(rows[7].name == "nodes[].host");
    REQUIRE(rows[7].required);
    REQUIRE(markdown(rows).find("| `count` | integer | ≥ 1, ≤ 10 | `5` | how many |") != std::string::npos);
    Errors errors;
    table.check(json::parse(R"({"count":true})"), errors);
    REQUIRE(errors.size() == 1);
}

TEST_CASE("schema: defaults of nested objects are those of their owner", "[config][schema]") {
    struct Owner {
        Node node{"a", 9090};
    };
    static constexpr auto owner = fields(field("node", &Owner::node, "nested"));
    const json::Value described = json_schema(owner);
    const json::Value& node = *described.find("properties")->find("node");
    REQUIRE(json::write(*node.find("properties")->find("port")->find("default")) == "9090");
    REQUIRE(node.find("default") == nullptr);
}

TEST_CASE("diagnostics: one line per finding, whatever the text holds", "[config][diagnostic]") {
    Diagnostic diagnostic{Severity::error, "routes.yaml",      {3, 7},           "routes/12",
                          "uri",           "bad \"a\nb\x01\"", "did you mean x?"};
    REQUIRE(diagnostic.text() == "routes.yaml:3:7: error: routes/12 uri: bad \"a\\nb\\x01\" (did you mean x?)");
    REQUIRE(json::write(diagnostic.to_json()) ==
            R"({"severity":"error","file":"routes.yaml","line":3,"column":7,"object":"routes/12","field":"uri",)"
            R"("message":"bad \"a\nb\u0001\"","hint":"did you mean x?"})");
    REQUIRE(Diagnostic{Severity::warning, "", {}, "", "", "text", ""}.text() == "warning: text");
    REQUIRE(Diagnostic{Severity::error, "f", {}, "", "apisix.x", "text", ""}.text() == "f: error: apisix.x: text");
}

TEST_CASE("diagnostics: errors are counted and sorted by position", "[config][diagnostic]") {
    Diagnostics list;
    list.warning("f", {9, 1}, "", "second");
    list.error("f", {2, 1}, "", "first");
    REQUIRE_FALSE(list.ok());
    REQUIRE(list.errors() == 1);
    REQUIRE(list.warnings() == 1);
    list.sort();
    REQUIRE(list.text() == "f:2:1: error: first\nf:9:1: warning: second\n");
}
