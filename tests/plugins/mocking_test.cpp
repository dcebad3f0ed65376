#include <set>

#include "libplugins/mocking/generate.hpp"
#include "tests/plugins/refusal.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

// Stands for an authentication plugin: refuses in rewrite.
class Refuses final : public Plugin {
public:
    Step rewrite(Exchange& exchange) const override { return exchange.respond_with({401, LocalReply::Body::page, {}}); }
};

}  // namespace

TEST_CASE("mocking: answers in access, behind all of rewrite (MK8)", "[plugins][mocking]") {
    auto auth = std::make_unique<Instance>();
    auth->plugin = std::make_unique<Refuses>();
    auth->phases = phases_of<Refuses>();
    auth->priority = 2500;
    BuildScope scope{"routes/1"};
    const PluginType& mocking = *plugin_registry().find("mocking");
    const auto chain = Chain::make({Ref<const Instance>(auth.release()),
                                    make_instance(mocking, json::parse(R"({"response_example":"x"})"), scope)});
    FakeExchange exchange;
    const LogLines lines;
    CHECK(exchange.run(*chain).status == 401);
}

TEST_CASE("mocking: waits before it answers", "[plugins][mocking]") {
    FakeExchange exchange;
    CHECK(exchange.run(*chain_of("mocking", R"({"response_example":"x","delay":2})")).body == "x");
    CHECK(exchange.own_services.slept == Milliseconds(2000));
}

TEST_CASE("mocking: made-up values have the types of the schema", "[plugins][mocking]") {
    const json::Value schema = json::parse(R"({"type":"object","properties":{
        "s":{"type":"string"},"n":{"type":"number"},"i":{"type":"integer"},"b":{"type":"boolean"},
        "a":{"type":"array","items":{"type":"integer"}},
        "o":{"type":"object","properties":{"x":{"type":"string","example":"say \"hi\"\n"}}},
        "unknown":{"type":"nothing"}}})");
    FakeServices services;
    Arena arena;
    for (int round = 0; round < 50; ++round) {
        const json::Value made = json::parse(plugins::generate_json(schema, services, arena));
        REQUIRE(made.find("s")->is_string());
        CHECK((made.find("s")->size() >= 1 && made.find("s")->size() <= 10));
        CHECK(made.find("s")->string().find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos);
        CHECK((made.find("n")->as_double() >= 0 && made.find("n")->as_double() <= 10000));
        CHECK((made.find("i")->as_int64() >= 1 && made.find("i")->as_int64() <= 10000));
        CHECK(made.find("b")->is_boolean());
        CHECK((made.find("a")->size() >= 1 && made.find("a")->size() <= 3));
        CHECK(made.find("o")->find("x")->string() == "say \"hi\"\n");
        CHECK_FALSE(made.find("unknown"));
    }
}

TEST_CASE("mocking: examples of the wrong type are not used", "[plugins][mocking]") {
    FakeServices services;
    Arena arena;
    const auto made = plugins::generate_json(
        json::parse(
            R"({"type":"object","properties":{"i":{"type":"integer","example":"four"},"s":{"type":"string","example":4}}})"),
        services, arena);
    const json::Value value = json::parse(made);
    CHECK(value.find("i")->is_number());
    CHECK(value.find("s")->is_string());
}

TEST_CASE("mocking: XML from the same schema", "[plugins][mocking]") {
    FakeExchange exchange;
    const auto type = GENERATE("application/xml", "text/xml;charset=utf-8");
    const json::Value conf = json::Value::object(
        {{"content_type", type},
         {"response_schema",
          json::parse(
              R"({"type":"object","properties":{"a":{"type":"string","example":"1<2"},"b":{"type":"object","properties":{"c":{"type":"integer","example":7}}}}})")}});
    CHECK(exchange.run(*chain_of("mocking", json::write(conf))).body == "<data><a>1&lt;2</a><b><c>7</c></b></data>");
}

TEST_CASE("mocking: a schema nested without end is cut off", "[plugins][mocking]") {
    json::Value schema = json::parse(R"({"type":"string","example":"x"})");
    for (int i = 0; i < 200; ++i) {
        schema = json::Value::object({{"type", "object"}, {"properties", json::Value::object({{"p", schema}})}});
    }
    FakeServices services;
    Arena arena;
    CHECK(plugins::generate_json(schema, services, arena).find("null") != std::string_view::npos);
}

TEST_CASE("mocking: response headers are added, types are set", "[plugins][mocking]") {
    FakeExchange exchange;
    const Seen& answer = exchange.run(*chain_of(
        "mocking",
        R"({"response_example":"x","content_type":"text/html","response_headers":{"X-N":5,"X-U":"$uri","X-Empty":"$arg_none"}})"));
    CHECK(answer.field("X-N") == "5");
    CHECK(answer.field("X-U") == "/hello");
    CHECK(answer.field("X-Empty") == "(none)");
    CHECK(answer.field("Content-Type") == "text/html");
}

TEST_CASE("mocking: what cannot be configured", "[plugins][mocking]") {
    CHECK(refusal("mocking", "{}") ==
          "object matches none of the required: [\"response_example\"] or [\"response_schema\"]");
    CHECK(refusal("mocking", R"({"response_example":"x","response_status":99})") ==
          "property \"response_status\" validation failed: expected 99 to be at least 100");
    CHECK(refusal("mocking", R"({"response_schema":"x"})") ==
          "property \"response_schema\" validation failed: wrong type: expected object, got string");
    CHECK(refusal("mocking", R"({"response_example":"x","response_headers":{}})").find("at least 1 properties") !=
          std::string::npos);
    CHECK(refusal("mocking", R"({"response_example":"x","response_headers":{"A:":"1"}})") ==
          "invalid field character in header");
}
