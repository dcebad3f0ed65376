#include "libgateway/process/control_dashboard.hpp"

#include "libgateway/process/worker_page.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::process;
using config::Kind;
using telemetry::RouteTraffic;

namespace {

sources::ObjectPtr object(Kind kind, std::string id, std::uint64_t order, std::string json) {
    return sources::make_object(kind, std::move(id), order, std::move(json), {});
}

std::vector<sources::ObjectPtr> three_routes() {
    return {object(Kind::route, "c", 3, R"({"uri":"/c"})"), object(Kind::route, "a", 1, R"({"uri":"/a"})"),
            object(Kind::route, "b", 2, R"({"uri":"/b"})")};
}

std::string ids_of(const Chosen& chosen) {
    std::string ids;
    for (const auto& row : chosen.rows) ids += row->id;
    return ids;
}

RouteCount answers(std::uint64_t count) {
    RouteCount made;
    made.cells[2] = count;
    return made;
}

// Counts as a worker does.
void count(std::span<std::byte> page, std::string_view route, unsigned status, std::int64_t nanoseconds) {
    telemetry::SeriesWriter writer(page);
    std::string label;
    telemetry::append_label(label, route);
    auto* series = writer.find_or_add({telemetry::SeriesKind::route_traffic, 0, RouteTraffic::cells, label});
    REQUIRE(series);
    telemetry::count_route(*series, status, nanoseconds);
}

}  // namespace

TEST_CASE("traffic: all workers are added up by route", "[process][control_traffic]") {
    const shm::ZoneRequest zones[] = {{routes_zone, routes_page_size * 3}};
    const shm::Segment segment = shm::Segment::create(zones);
    const std::span<std::byte> zone = segment.zone(routes_zone);
    count(zone.first(routes_page_size), "a", 200, 1'000'000);
    count(zone.first(routes_page_size), "a", 503, 1'000'000);
    count(zone.subspan(2 * routes_page_size), "a", 200, 70'000'000);
    count(zone.subspan(2 * routes_page_size), "b", 301, 0);
    const RouteCounts counts = count_routes(segment);
    REQUIRE(counts.size() == 2);
    REQUIRE(counts.at("a").answers() == 3);
    REQUIRE(counts.at("b").answers() == 1);
    REQUIRE(json::write(counts.at("b").to_json()) == R"({"classes":[0,0,0,1,0,0],"times":[[0,1]]})");
    const json::Value told = counts.at("a").to_json();
    REQUIRE(json::write(*told.find("classes")) == "[0,0,2,0,0,1]");
    REQUIRE(told.find("times")->size() == 2);
}

TEST_CASE("traffic: bounds of times grow, and name milliseconds", "[process][control_traffic]") {
    const json::Value bounds = time_bounds();
    REQUIRE(bounds.size() == RouteTraffic::buckets);
    REQUIRE(bounds.items().front().as_double() == Approx(0.016384));
    for (std::size_t i = 1; i < bounds.size(); ++i)
        REQUIRE(*bounds.items()[i].as_double() > *bounds.items()[i - 1].as_double());
}

TEST_CASE("dashboard: routes with most answers come first, others by rank", "[process][control_dashboard]") {
    REQUIRE(ids_of(choose_routes(three_routes(), {}, {"", 0, 10})) == "abc");
    const RouteCounts counts{{"c", answers(9)}, {"b", answers(7)}};
    REQUIRE(ids_of(choose_routes(three_routes(), counts, {"", 0, 10})) == "cba");
}

TEST_CASE("dashboard: long lists are cut, with the number of all", "[process][control_dashboard]") {
    const Chosen second = choose_routes(three_routes(), {}, {"", 1, 1});
    REQUIRE(ids_of(second) == "b");
    REQUIRE(second.total == 3);
    REQUIRE(ids_of(choose_routes(three_routes(), {}, {"", 2, 10})) == "c");
    const Chosen behind = choose_routes(three_routes(), {}, {"", 99, std::size_t(-1)});
    REQUIRE(behind.rows.empty());
    REQUIRE(behind.total == 3);
    REQUIRE(ids_of(choose_routes(three_routes(), {}, {"", 0, 0})).empty());
}

TEST_CASE("dashboard: a filter is a part of the id or of the text", "[process][control_dashboard]") {
    const Chosen found = choose_routes(three_routes(), {}, {"/b", 0, 10});
    REQUIRE(ids_of(found) == "b");
    REQUIRE(found.total == 1);
    REQUIRE(ids_of(choose_routes(three_routes(), {}, {"c", 0, 10})) == "c");
}

TEST_CASE("dashboard: upstreams come before those of services and of routes", "[process][control_dashboard]") {
    const Chosen all = choose_upstreams(
        {object(Kind::route, "r", 1, R"({"upstream":{"nodes":[]},"uri":"/"})"),
         object(Kind::route, "x", 2, R"({"upstream_id":"u","uri":"/"})"),
         object(Kind::service, "s", 1, R"({"upstream":{"nodes":[]}})"),
         object(Kind::service, "t", 2, R"({"plugins":{}})"), object(Kind::upstream, "u", 1, R"({"nodes":[]})")},
        {"", 0, 10});
    REQUIRE(ids_of(all) == "usr");
}

TEST_CASE("dashboard: endpoints are rows in both forms of nodes, and nobody checks them",
          "[process][control_dashboard]") {
    const json::Value map = upstream_row(Kind::upstream, "1", json::parse(R"({"name":"n","nodes":{"10.0.0.1:80":5}})"));
    REQUIRE(json::write(map) == R"({"owner":"upstreams/1","name":"n","type":"roundrobin","scheme":"http",)"
                                R"("nodes":[{"host":"10.0.0.1","port":"80","weight":5,"health":"not checked"}]})");
    const json::Value list = upstream_row(
        Kind::service, "s",
        json::parse(
            R"({"name":"of","upstream":{"type":"chash","scheme":"https","nodes":[{"host":"h","port":1,"weight":2}]}})"));
    REQUIRE(json::write(list) == R"({"owner":"services/s","name":"of","type":"chash","scheme":"https",)"
                                 R"("nodes":[{"host":"h","port":1,"weight":2,"health":"not checked"}]})");
    REQUIRE(upstream_row(Kind::route, "r", json::parse(R"({"uri":"/"})")).is_null());
}
