#include "libgateway/telemetry/route_traffic.hpp"

#include <vector>

#include "tests/support/catch.hpp"

using namespace gateway::telemetry;

namespace {

std::vector<std::uint64_t> cells_after(unsigned status, std::int64_t nanoseconds) {
    alignas(8) std::byte page[8192]{};
    SeriesWriter writer(page);
    std::string label;
    append_label(label, "r");
    Series* series = writer.find_or_add({SeriesKind::route_traffic, 0, RouteTraffic::cells, label});
    REQUIRE(series);
    count_route(*series, status, nanoseconds);
    std::vector<std::uint64_t> cells;
    for (std::size_t i = 0; i < RouteTraffic::cells; ++i) cells.push_back(get(series->cell(i)));
    return cells;
}

std::uint64_t sum_of(const std::vector<std::uint64_t>& cells, std::size_t from) {
    std::uint64_t sum = 0;
    for (std::size_t i = from; i < cells.size(); ++i) sum += cells[i];
    return sum;
}

}  // namespace

TEST_CASE("route traffic: every time lies before the end of its bucket and not before its begin",
          "[telemetry][route_traffic]") {
    std::size_t last = 0;
    for (std::int64_t time = 0; time < 60'000'000'000; time = time + time / 50 + 1000) {
        const std::size_t bucket = RouteTraffic::bucket_of(time);
        INFO(time << " ns in bucket " << bucket);
        REQUIRE(bucket < RouteTraffic::buckets);
        REQUIRE(bucket >= last);
        REQUIRE(static_cast<std::uint64_t>(time) < RouteTraffic::end_of(bucket));
        if (bucket > 0) REQUIRE(static_cast<std::uint64_t>(time) >= RouteTraffic::end_of(bucket - 1));
        last = bucket;
    }
    REQUIRE(last + 2 >= RouteTraffic::buckets);
}

TEST_CASE("route traffic: what is too long or not there counts at the edges", "[telemetry][route_traffic]") {
    REQUIRE(RouteTraffic::bucket_of(-5) == 0);
    REQUIRE(RouteTraffic::bucket_of(0) == 0);
    REQUIRE(RouteTraffic::bucket_of(INT64_MAX) == RouteTraffic::buckets - 1);
}

TEST_CASE("route traffic: an answer is one of its class and one of its time", "[telemetry][route_traffic]") {
    const auto cells = cells_after(404, 1'000'000);
    REQUIRE(cells[4] == 1);
    REQUIRE(sum_of(cells, 0) == 2);
    REQUIRE(cells[RouteTraffic::classes + RouteTraffic::bucket_of(1'000'000)] == 1);
    REQUIRE(cells_after(0, 1)[0] == 1);
    REQUIRE(cells_after(999, 1)[0] == 1);
}

TEST_CASE("route traffic: a tunnel has no time", "[telemetry][route_traffic]") {
    const auto cells = cells_after(101, 1'000'000);
    REQUIRE(cells[1] == 1);
    REQUIRE(sum_of(cells, RouteTraffic::classes) == 0);
}
