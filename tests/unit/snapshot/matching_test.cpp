// What reaches the router: status, inherited hosts, the kind of router, routes whose conditions read the body.
#include "tests/support/catch.hpp"
#include "tests/unit/snapshot/document.hpp"

using namespace gateway;
using gateway::test::Kind;
using gateway::test::Worker;

namespace {

Worker with_service(const char* service) {
    Worker worker;
    worker.document.put(Kind::service, "s", service);
    worker.document.put(Kind::route, "1", R"({"uri":"/a","service_id":"s"})");
    worker.document.put(Kind::route, "2", R"({"uri":"/a","service_id":"s","host":"Own.com"})");
    worker.reload();
    return worker;
}

}  // namespace

TEST_CASE("matching: a route with status 0 is kept but not matched", "[snapshot][matching]") {
    Worker worker;
    worker.document.put(Kind::route, "1", R"({"uri":"/a","upstream_id":"u","status":0})");
    worker.reload();
    REQUIRE(worker.id_for("/a") == "none");
    REQUIRE(worker.snapshot->route_count() == 1);
    worker.document.put(Kind::route, "1", R"({"uri":"/a","upstream_id":"u","status":1})");
    worker.update();
    REQUIRE(worker.id_for("/a") == "1");
    worker.document.put(Kind::route, "1", R"({"uri":"/a","upstream_id":"u","status":0})");
    worker.update();
    REQUIRE(worker.id_for("/a") == "none");
}

TEST_CASE("matching: a route without hosts inherits its service's", "[snapshot][matching]") {
    const Worker worker = with_service(R"({"hosts":["Shop.com","*.shop.com"]})");
    REQUIRE(worker.id_for("/a", "shop.com") == "1");
    REQUIRE(worker.id_for("/a", "x.shop.com") == "1");
    REQUIRE(worker.id_for("/a", "own.com") == "2");
    REQUIRE(worker.id_for("/a", "other.com") == "none");
}

TEST_CASE("matching: inherited hosts follow the service, also when it comes and goes", "[snapshot][matching]") {
    Worker worker = with_service(R"({"hosts":["one.com"]})");
    const auto* own = worker.match("/a", "own.com");
    const SnapshotPtr before = worker.snapshot;
    worker.document.put(Kind::service, "s", R"({"hosts":["two.com"]})");
    worker.update();
    REQUIRE(worker.id_for("/a", "one.com") == "none");
    REQUIRE(worker.id_for("/a", "two.com") == "1");
    REQUIRE(worker.match("/a", "own.com") == own);
    worker.document.remove(Kind::service, "s");
    worker.update();
    REQUIRE(worker.id_for("/a", "any.com") == "1");
    worker.document.put(Kind::service, "s", R"({"hosts":["three.com"]})");
    worker.update();
    REQUIRE(worker.id_for("/a", "any.com") == "none");
    REQUIRE(worker.id_for("/a", "three.com") == "1");
    worker.snapshot = before;
    REQUIRE(worker.id_for("/a", "one.com") == "1");
}

TEST_CASE("matching: a service and its route changed in one delta agree", "[snapshot][matching]") {
    Worker worker = with_service(R"({"hosts":["one.com"]})");
    worker.document.put(Kind::route, "1", R"({"uri":"/b","service_id":"s"})");
    worker.document.put(Kind::service, "s", R"({"hosts":["two.com"]})");
    worker.update();
    REQUIRE(worker.id_for("/b", "two.com") == "1");
    REQUIRE(worker.id_for("/b", "one.com") == "none");
    REQUIRE(worker.id_for("/a", "two.com") == "none");
}

TEST_CASE("matching: a route that leaves its service keeps no hosts of it", "[snapshot][matching]") {
    Worker worker = with_service(R"({"hosts":["one.com"]})");
    worker.document.put(Kind::route, "1", R"({"uri":"/a","upstream_id":"u"})");
    worker.update();
    REQUIRE(worker.id_for("/a", "any.com") == "1");
    worker.document.put(Kind::service, "s", R"({"hosts":["two.com"]})");
    worker.update();
    REQUIRE(worker.id_for("/a", "any.com") == "1");
}

TEST_CASE("matching: a full document that drops a service frees its routes of the hosts", "[snapshot][matching]") {
    Worker worker = with_service(R"({"hosts":["one.com"]})");
    worker.document.remove(Kind::service, "s");
    worker.reload();
    REQUIRE(worker.id_for("/a", "any.com") == "1");
}

TEST_CASE("matching: ties go to the older route, whatever the order of arrival", "[snapshot][matching]") {
    Worker worker;
    worker.document.put(Kind::route, "young", R"({"uri":"/a","upstream_id":"u"})", 20);
    worker.document.put(Kind::route, "old", R"({"uri":"/a","upstream_id":"u"})", 10);
    worker.reload();
    REQUIRE(worker.id_for("/a") == "old");
}

TEST_CASE("matching: it is known whether some route's conditions read the body", "[snapshot][matching]") {
    Worker worker;
    worker.document.put(Kind::route, "1", R"({"uri":"/a","vars":[["post_arg_x","==","1"]],"upstream_id":"u"})");
    worker.reload();
    REQUIRE(worker.snapshot->match_needs_body());
    worker.document.put(Kind::route, "1", R"({"uri":"/a","vars":[["arg_x","==","1"]],"upstream_id":"u"})");
    worker.update();
    REQUIRE_FALSE(worker.snapshot->match_needs_body());
}
