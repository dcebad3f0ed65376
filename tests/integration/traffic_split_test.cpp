// Which upstream a request goes to when traffic-split has a say.
#include <map>

#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;

namespace {

ScriptedUpstream::Answer named(const std::string& name) {
    return ScriptedUpstream::answers(200, name);
}

std::string written_out(const ScriptedUpstream& server, const std::string& further = {}) {
    return R"({"upstream": {"type": "roundrobin", "nodes": {")" + server.node() + R"(": 1}, "retries": 3)" + further +
           "}";
}
std::string object_at(const ScriptedUpstream& server) {
    return R"({"type": "roundrobin", "nodes": {")" + server.node() + R"(": 1}})";
}
StageOptions with_rules(const std::string& rules) {
    return {.route_lines = "plugins: {traffic-split: {rules: [" + rules + "]}}"};
}

// Who answered so many requests.
std::map<std::string, int> shares(Stage& stage, const std::string& target, int times) {
    std::map<std::string, int> counts;
    RawClient client = stage.client();
    for (int i = 0; i < times; ++i) ++counts[client.get(target).body];
    return counts;
}
using Shares = std::map<std::string, int>;

const std::string jack = R"("match": [{"vars": [["arg_name", "==", "jack"], ["arg_age", ">", "18"]]}], )";

}  // namespace

TEST_CASE("traffic-split: shares are exact over a cycle (TS1), of those that match (TS2)", "[e2e][plugins]") {
    ScriptedUpstream other(named("other"));
    Stage stage(with_rules("{" + jack + R"("weighted_upstreams": [)" + written_out(other) +
                           R"(, "weight": 2}, {"weight": 1}]})"),
                named("own"));
    CHECK(shares(stage, "/server_port?name=jack&age=20", 6) == Shares{{"other", 4}, {"own", 2}});
    CHECK(shares(stage, "/server_port?name=jack&age=14", 4) == Shares{{"own", 4}});
}

TEST_CASE("traffic-split: the first rule that matches decides (TS3)", "[e2e][plugins]") {
    ScriptedUpstream second(named("second")), third(named("third"));
    Stage stage(with_rules("{" + jack + R"("weighted_upstreams": [)" + written_out(second) +
                           R"(}]}, {"weighted_upstreams": [)" + written_out(third) + "}]}"),
                named("own"));
    CHECK(shares(stage, "/server_port", 3) == Shares{{"third", 3}});
    CHECK(shares(stage, "/server_port?name=jack&age=20", 3) == Shares{{"second", 3}});
}

TEST_CASE("traffic-split: one of the conditions is enough (TS4)", "[e2e][plugins]") {
    ScriptedUpstream other(named("other"));
    const std::string match = R"("match": [{"vars": [["arg_a", "==", "1"]]}, {"vars": [["arg_b", "==", "1"]]}], )";
    Stage stage(with_rules("{" + match + R"("weighted_upstreams": [)" + written_out(other) + "}]}"), named("own"));
    CHECK(stage.get("/?b=1").body == "other");
    CHECK(stage.get("/?c=1").body == "own");
}

TEST_CASE("traffic-split: who has no weight gets nothing (TS6)", "[e2e][plugins]") {
    ScriptedUpstream other(named("other"));
    Stage stage(with_rules(R"({"weighted_upstreams": [)" + written_out(other) + R"(, "weight": 0}, {"weight": 1}]})"),
                named("own"));
    CHECK(shares(stage, "/", 4) == Shares{{"own", 4}});
}

TEST_CASE("traffic-split: an upstream that is written out says which Host it gets (TS7)", "[e2e][plugins]") {
    ScriptedUpstream other(named("other"));
    Stage stage(with_rules(R"({"weighted_upstreams": [)" +
                           written_out(other, R"(, "pass_host": "rewrite", "upstream_host": "x.com")") + "}]}"),
                named("own"));
    CHECK(stage.get("/echo").body == "other");
    CHECK(other.requests().at(0).field("host") == "x.com");
}

TEST_CASE("traffic-split: an upstream object is followed wherever it goes", "[e2e][plugins]") {
    ScriptedUpstream first(named("first")), second(named("second"));
    Stage stage(with_rules(R"({"weighted_upstreams": [{"upstream_id": "9"}]})"), named("own"));
    CHECK(stage.get("/").status() == 500);
    REQUIRE(stage.gateway.put("upstream", "9", object_at(first)).exit == 0);
    CHECK(stage.get("/").body == "first");
    REQUIRE(stage.gateway.put("upstream", "9", object_at(second)).exit == 0);
    CHECK(stage.get("/").body == "second");
    REQUIRE(stage.gateway.ctl({"delete", "upstream", "9"}).exit == 0);
    CHECK(stage.get("/").body == "failed to fetch upstream info by upstream id: 9");
}

TEST_CASE("traffic-split: a consumer's upstream", "[e2e][plugins]") {
    ScriptedUpstream other(named("other"));
    Stage stage({.route_lines = "plugins: {key-auth: {}}"}, named("own"));
    REQUIRE(stage.gateway
                .put("consumer", "jack",
                     R"({"username": "jack", "plugins": {"key-auth": {"key": "j"}, "traffic-split": {"rules": )"
                     R"([{"weighted_upstreams": [)" +
                         written_out(other) + "}]}]}}}")
                .exit == 0);
    REQUIRE(
        stage.gateway.put("consumer", "rose", R"({"username": "rose", "plugins": {"key-auth": {"key": "r"}}})").exit ==
        0);
    CHECK(stage.get("/", "apikey: j\r\n").body == "other");
    CHECK(stage.get("/", "apikey: r\r\n").body == "own");
}

TEST_CASE("traffic-split: the time limits are the route's, else the chosen upstream's", "[e2e][plugins]") {
    ScriptedUpstream slow(ScriptedUpstream::stalls());
    const std::string times = R"({"connect": 1, "send": 1, "read": 0.1})";
    StageOptions options =
        with_rules(R"({"weighted_upstreams": [)" + written_out(slow, R"(, "timeout": )" + times) + "}]}");
    SECTION("upstream") {
        Stage stage(options, named("own"));
        CHECK(stage.get("/").status() == 504);
    }
    SECTION("route") {
        options = with_rules(R"({"weighted_upstreams": [)" + written_out(slow) + "}]}");
        options.route_lines += "\ntimeout: " + times;
        Stage stage(options, named("own"));
        CHECK(stage.get("/").status() == 504);
    }
}
