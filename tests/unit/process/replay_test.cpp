#include "libgateway/process/replay.hpp"

#include "libgateway/plugin/registry.hpp"
#include "tests/unit/process/control_fakes.hpp"

using namespace gateway;
using namespace gateway::process;
using namespace gateway::process::test;

namespace {

// A plugin with a secret.
const bool registered = [] {
    PluginType type;
    type.name = "replay-secret";
    type.priority = 90020;
    type.encrypt_fields = {"key"};
    plugin_registry().add(type);
    return true;
}();

config::Change object(config::Kind kind, std::string_view id, std::string_view json) {
    return {kind, false, id, 1, json};
}

constexpr const char* old_route = R"({"uri":"/a","upstream_id":"u"})";
const config::Change upstream_u = object(config::Kind::upstream, "u", R"({"nodes":{"10.0.0.1:80":1}})");

ReplaySides sides(const std::vector<config::Change>& before, const std::vector<config::Change>& after) {
    return {DocumentView(full_delta(1, before), {}), DocumentView(full_delta(2, after), {}), {}, {}};
}
std::string line(std::string_view target, std::string_view more = "") {
    return R"({"request":"GET )" + std::string(target) + R"( HTTP/1.1")" + std::string(more) + "}";
}
// What differs for one request to /a.
std::string differs(const std::vector<config::Change>& before, const std::vector<config::Change>& after,
                    std::string_view more = "") {
    Replay replay(sides(before, after));
    replay.take(line("/a", more));
    const json::Value result = replay.result();
    if (replay.judged() == 0) return "not judged: " + result.find("not_judged")->items().at(0).find("why")->string();
    const auto& groups = result.find("groups")->items();
    return groups.empty() ? "nothing" : json::write(*groups[0].find("differs"));
}

}  // namespace

TEST_CASE("replay: another route, chain or upstream is told, and what comes to the same is not", "[process][replay]") {
    const auto [after, expected] = GENERATE(table<std::string, std::string>({
        {R"({"uri":"/a","upstream_id":"u","name":"new"})", "nothing"},
        {R"({"uri":"/b","upstream_id":"u"})", R"(["route","upstream"])"},
        {R"({"uri":"/a","upstream":{"nodes":{"10.0.0.1:80":1}}})", R"(["upstream"])"},
        {R"({"uri":"/a","upstream_id":"u","plugins":{"cors":{}}})", R"(["chain"])"},
        {R"({"uri":"/a","upstream_id":"v"})", R"(["upstream"])"},
        {R"({"uri":"/a","upstream_id":"u","vars":[["http_x","==","1"]]})",
         "not judged: a route asks for http_x, which it does not hold"},
        {R"({"uri":"/a","upstream_id":"u","hosts":["h"]})", "not judged: it has no http_host or host"},
    }));
    REQUIRE(differs({route_change("1", old_route), upstream_u}, {route_change("1", after), upstream_u}) == expected);
}

TEST_CASE("replay: the same route under another id is another route", "[process][replay]") {
    REQUIRE(differs({route_change("1", old_route), upstream_u}, {route_change("2", old_route), upstream_u}) ==
            R"(["route"])");
}

TEST_CASE("replay: other nodes of an upstream are another upstream", "[process][replay]") {
    const auto other = object(config::Kind::upstream, "u", R"({"nodes":{"10.0.0.2:80":1}})");
    REQUIRE(differs({route_change("1", old_route), upstream_u}, {route_change("1", old_route), other}) ==
            R"(["upstream"])");
}

TEST_CASE("replay: plugins count where they take effect, in whatever order and object they are written",
          "[process][replay]") {
    const auto on_route = route_change(
        "1", R"({"uri":"/a","upstream_id":"u","service_id":"s","plugins":{"cors":{"allow_origins":"a","max_age":1}}})");
    const auto plain = route_change("1", R"({"uri":"/a","upstream_id":"u","service_id":"s"})");
    const auto bare = object(config::Kind::service, "s", "{}");
    const auto with = object(config::Kind::service, "s", R"({"plugins":{"cors":{"max_age":1,"allow_origins":"a"}}})");
    const auto other = object(config::Kind::service, "s", R"({"plugins":{"cors":{"max_age":2,"allow_origins":"a"}}})");
    CHECK(differs({on_route, bare, upstream_u}, {plain, with, upstream_u}) == "nothing");
    CHECK(differs({on_route, bare, upstream_u}, {plain, other, upstream_u}) == R"(["chain"])");
}

TEST_CASE("replay: what a recorded consumer brings along is part of the chain", "[process][replay]") {
    const auto route = route_change("1", old_route);
    const auto jack =
        object(config::Kind::consumer, "jack", R"({"username":"jack","plugins":{"limit-req":{"rate":1}}})");
    const auto other =
        object(config::Kind::consumer, "jack", R"({"username":"jack","plugins":{"limit-req":{"rate":2}}})");
    CHECK(differs({route, upstream_u, jack}, {route, upstream_u, other}) == "nothing");
    CHECK(differs({route, upstream_u, jack}, {route, upstream_u, other}, R"(,"consumer_name":"jack")") ==
          R"(["chain"])");
    CHECK(differs({route, upstream_u, jack}, {route, upstream_u}, R"(,"consumer_name":"jack")") == R"(["chain"])");
    CHECK(differs({route, upstream_u}, {route, upstream_u}, R"(,"consumer_name":"gone")") == "nothing");
}

TEST_CASE("replay: requests are grouped by where they come from and where they end", "[process][replay]") {
    Replay replay(sides({route_change("1", R"({"uri":"/*","upstream_id":"u"})"), upstream_u},
                        {route_change("1", R"({"uri":"/*","upstream_id":"u"})"),
                         route_change("2", R"({"uri":"/new/*","upstream_id":"u"})", 2), upstream_u}));
    for (const char* target : {"/a", "/new/a", "", "/new/b", "/%zz"}) replay.take(*target ? line(target) : "");
    replay.take("no line");
    const json::Value result = replay.result();
    INFO(json::write(result));
    CHECK(result.find("lines")->number() == "5");
    CHECK(result.find("judged")->number() == "3");
    CHECK(result.find("changed")->number() == "2");
    REQUIRE(result.find("groups")->items().size() == 1);
    const json::Value& group = result.find("groups")->items()[0];
    CHECK(json::write(*group.find("example")) == R"({"line":2,"request":"GET /new/a"})");
    CHECK(group.find("before")->find("route")->string() == "1");
    CHECK(json::write(*group.find("after")) ==
          R"({"route":"2","outcome":"proxied","plugins":[],"upstream":"upstreams/u","nodes":["10.0.0.1:80"]})");
    CHECK(json::write(*result.find("not_judged")) ==
          R"([{"why":"URL: answered 400: invalid percent escape","count":1,"first_line":5}])");
    CHECK(result.find("unreadable")->find("lines")->items().at(0).find("line")->number() == "6");
}

TEST_CASE("replay: both sides survive their way, secrets only as what can be compared", "[process][replay]") {
    Catalogue catalogue("/nonexistent/gateway.yaml");
    const std::vector<config::Change> kept{
        route_change("1", R"({"uri":"/a","plugins":{"replay-secret":{"key":"topsecret"}}})"), upstream_u};
    REQUIRE(catalogue.adopt(full_delta(1, kept)));
    sources::Document after = catalogue.document();
    const auto replayed = [&] {
        const json::Value wire = sides_to_json(catalogue, after);
        REQUIRE(json::write(wire).find("topsecret") == std::string::npos);
        Replay replay(sides_from_json(wire));
        replay.take(line("/a"));
        REQUIRE(replay.judged() == 1);
        return replay.changed();
    };
    CHECK(replayed() == 0);
    after.put(sources::make_object(config::Kind::route, "1", 7,
                                   R"({"uri":"/a","plugins":{"replay-secret":{"key":"topsecret"}}})", {}));
    CHECK(replayed() == 0);
    after.put(sources::make_object(config::Kind::route, "1", 1,
                                   R"({"uri":"/a","plugins":{"replay-secret":{"key":"other"}}})", {}));
    CHECK(replayed() == 1);
}

TEST_CASE("replay: an answer of something else is refused", "[process][replay]") {
    const std::string text = GENERATE(as<std::string>(), "[]", "{}", R"({"settings":{"router":"none"}})",
                                      R"({"settings":{"router":"radixtree_uri"},"before":[],"after":[],"both":[]})");
    REQUIRE_THROWS_WITH(sides_from_json(json::parse(text)), gateway::test::contains("of another version"));
}
