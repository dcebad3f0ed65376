// Rows of objects.md 3 and 5: what ids resolve to, what is served when they name nothing, which upstream and times
// count.
#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/snapshot/document.hpp"
#include "tests/unit/snapshot/test_plugins.hpp"

using namespace gateway;
using gateway::test::Kind;
using gateway::test::Worker;
using Outcome = CompiledRoute::Outcome;
using TargetOutcome = CompiledRoute::TargetOutcome;

namespace {

constexpr auto nodes_1 = R"({"nodes":{"127.0.0.1:1":1}})";
constexpr auto nodes_2 = R"({"nodes":{"127.0.0.1:2":1}})";

std::uint16_t port_of(const Ref<const CompiledRoute>& route) {
    return route->target->nodes().at(0).endpoint->port();
}

}  // namespace

TEST_CASE("references: a missing plugin config is found before a missing service", "[snapshot][references]") {
    Worker worker;
    worker.document.put(Kind::route, "1", R"({"uri":"/a","plugin_config_id":"x","service_id":"y"})");
    worker.reload();
    REQUIRE(worker.compiled("/a")->outcome == Outcome::no_plugin_config);
    worker.document.put(Kind::plugin_config, "x", R"({"plugins":{}})");
    worker.update();
    REQUIRE(worker.compiled("/a")->outcome == Outcome::no_service);
    worker.document.put(Kind::service, "y", "{}");
    worker.update();
    REQUIRE(worker.compiled("/a")->outcome == Outcome::ok);
}

TEST_CASE("references: a route without service matches as if it had none", "[snapshot][references]") {
    Worker worker;
    worker.document.put(Kind::route, "1", R"({"uri":"/a","service_id":"gone"})");
    worker.reload();
    REQUIRE(worker.id_for("/a", "any.host") == "1");
    REQUIRE(worker.compiled("/a")->outcome == Outcome::no_service);
    REQUIRE(worker.compiled("/a")->chain);
}

TEST_CASE("references: a missing upstream does not fall through to another source", "[snapshot][references]") {
    Worker worker;
    worker.document.put(Kind::service, "s", std::string(R"({"upstream":)") + nodes_1 + "}");
    worker.document.put(Kind::route, "1", R"({"uri":"/a","upstream_id":"gone","service_id":"s"})");
    worker.reload();
    REQUIRE(worker.compiled("/a")->outcome == Outcome::ok);
    REQUIRE(worker.compiled("/a")->target_outcome == TargetOutcome::missing_object);
    REQUIRE_FALSE(worker.compiled("/a")->target);
}

TEST_CASE("references: no upstream anywhere is told apart from a missing one", "[snapshot][references]") {
    Worker worker;
    worker.document.put(Kind::service, "s", "{}");
    worker.document.put(Kind::route, "1", R"({"uri":"/a","service_id":"s"})");
    worker.document.put(Kind::route, "2", R"({"uri":"/b","plugins":{"mark-a":{}}})");
    worker.reload();
    REQUIRE(worker.compiled("/a")->target_outcome == TargetOutcome::none_configured);
    REQUIRE(worker.compiled("/b")->target_outcome == TargetOutcome::none_configured);
}

TEST_CASE("references: U3, an upstream without nodes is a target without nodes", "[snapshot][references]") {
    const auto nodes = GENERATE("{}", "[]");
    Worker worker;
    worker.document.put(Kind::route, "1", std::string(R"({"uri":"/a","upstream":{"nodes":)") + nodes + "}}");
    worker.reload();
    REQUIRE(worker.compiled("/a")->target_outcome == TargetOutcome::ok);
    REQUIRE(worker.compiled("/a")->target->nodes().empty());
}

TEST_CASE("references: an upstream that cannot be used answers like a missing one", "[snapshot][references]") {
    Worker worker;
    worker.document.put(Kind::upstream, "u", R"({"nodes":{"127.0.0.1:1":1},"scheme":"udp"})");
    worker.document.put(Kind::route, "1", R"({"uri":"/a","upstream_id":"u"})");
    worker.reload();
    REQUIRE(worker.compiled("/a")->target_outcome == TargetOutcome::missing_object);
}

TEST_CASE("references: upstreams rank route id, route, service id, service", "[snapshot][references]") {
    Worker worker;
    worker.document.put(Kind::upstream, "1", nodes_1).put(Kind::upstream, "2", nodes_2);
    const std::string own = R"("upstream":{"nodes":{"127.0.0.1:3":1}})";
    worker.document.put(Kind::service, "both", R"({"upstream_id":2,"upstream":{"nodes":{"127.0.0.1:4":1}}})");
    worker.document.put(Kind::service, "own", R"({"upstream":{"nodes":{"127.0.0.1:4":1}}})");
    worker.document.put(Kind::route, "a", R"({"uri":"/a","upstream_id":"1","service_id":"both",)" + own + "}");
    worker.document.put(Kind::route, "b", R"({"uri":"/b","service_id":"both",)" + own + "}");
    worker.document.put(Kind::route, "c", R"({"uri":"/c","service_id":"both"})");
    worker.document.put(Kind::route, "d", R"({"uri":"/d","service_id":"own"})");
    worker.reload();
    REQUIRE(port_of(worker.compiled("/a")) == 1);
    REQUIRE(port_of(worker.compiled("/b")) == 3);
    REQUIRE(port_of(worker.compiled("/c")) == 2);
    REQUIRE(port_of(worker.compiled("/d")) == 4);
}

TEST_CASE("references: an upstream named by id is built once for all", "[snapshot][references]") {
    Worker worker;
    worker.document.put(Kind::upstream, "1", nodes_1);
    worker.document.put(Kind::route, "a", R"({"uri":"/a","upstream_id":"1"})");
    worker.document.put(Kind::route, "b", R"({"uri":"/b","upstream_id":1})");
    worker.reload();
    REQUIRE(worker.compiled("/a")->target == worker.compiled("/b")->target);
    REQUIRE(worker.compiled("/a")->target->settings().name == "upstreams/1");
}

TEST_CASE("references: the route's timeout beats the upstream's as a whole", "[snapshot][references]") {
    Worker worker;
    const std::string upstream = R"("upstream":{"nodes":{"h:1":1},"timeout":{"connect":1,"send":2,"read":3}})";
    worker.document.put(Kind::route, "a", R"({"uri":"/a",)" + upstream + "}");
    worker.document.put(Kind::route, "b",
                        R"({"uri":"/b","timeout":{"connect":0.5,"send":0.0001,"read":7},)" + upstream + "}");
    worker.document.put(Kind::route, "c", R"({"uri":"/c","upstream":{"nodes":{"h:1":1}}})");
    worker.reload();
    using Times = upstream::Timeouts;
    REQUIRE(worker.compiled("/a")->timeouts == Times{Milliseconds(1000), Milliseconds(2000), Milliseconds(3000)});
    REQUIRE(worker.compiled("/b")->timeouts == Times{Milliseconds(500), Milliseconds(1), Milliseconds(7000)});
    REQUIRE(worker.compiled("/c")->timeouts == Times{Milliseconds(60000), Milliseconds(60000), Milliseconds(60000)});
}

TEST_CASE("references: enable_websocket of the route beats the service's, names stay apart", "[snapshot][references]") {
    Worker worker;
    worker.document.put(Kind::service, "s", R"({"name":"shop","enable_websocket":true})");
    worker.document.put(Kind::route, "a", R"({"uri":"/a","service_id":"s"})");
    worker.document.put(Kind::route, "b", R"({"uri":"/b","service_id":"s","name":"b","enable_websocket":false})");
    worker.document.put(Kind::route, "c", R"({"uri":"/c","upstream_id":"1"})");
    worker.reload();
    REQUIRE(worker.compiled("/a")->enable_websocket);
    REQUIRE(worker.compiled("/a")->route_name.empty());
    REQUIRE(worker.compiled("/a")->service_name == "shop");
    REQUIRE_FALSE(worker.compiled("/b")->enable_websocket);
    REQUIRE(worker.compiled("/b")->route_name == "b");
    REQUIRE_FALSE(worker.compiled("/c")->enable_websocket);
}

TEST_CASE("references: a numeric id names what the same digits name", "[snapshot][references]") {
    Worker worker;
    worker.document.put(Kind::upstream, "7", nodes_2);
    worker.document.put(Kind::service, "8", R"({"upstream_id":7})");
    worker.document.put(Kind::plugin_config, "9", R"({"plugins":{"mark-a":{"text":"p"}}})");
    worker.document.put(Kind::route, "a", R"({"uri":"/a","service_id":8,"plugin_config_id":9})");
    worker.reload();
    REQUIRE(port_of(worker.compiled("/a")) == 2);
    REQUIRE(test::plugins_of(*worker.compiled("/a")->chain) == "mark-a=p");
}

TEST_CASE("references: a route that was resolved before is had without allocation, also after other routes changed",
          "[snapshot][references]") {
    Worker worker;
    worker.document.put(Kind::upstream, "1", nodes_1);
    worker.document.put(Kind::route, "a", R"({"uri":"/a","upstream_id":"1"})");
    worker.document.put(Kind::route, "b", R"({"uri":"/b","upstream_id":"2"})");
    worker.reload();
    const Ref<const CompiledRoute> first = worker.compiled("/a");
    worker.document.put(Kind::upstream, "2", nodes_2);
    worker.update();
    const route::RouteRule* rule = worker.match("/a");
    const test::AllocCount allocations;
    const Ref<const CompiledRoute> again = worker.snapshot->compiled(*rule);
    const int node = again->target->balancer()->pick({}, {});
    REQUIRE(allocations.count() == 0);
    REQUIRE(again == first);
    REQUIRE(node == 0);
}
