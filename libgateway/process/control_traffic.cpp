#include "libgateway/process/control_traffic.hpp"

#include <numeric>

#include "libgateway/process/worker_page.hpp"

namespace gateway::process {

using telemetry::RouteTraffic;

std::uint64_t RouteCount::answers() const noexcept {
    return std::accumulate(cells.begin(), cells.begin() + RouteTraffic::classes, std::uint64_t{0});
}

json::Value RouteCount::to_json() const {
    json::Value classes = json::Value::array(), times = json::Value::array();
    for (std::size_t i = 0; i < RouteTraffic::classes; ++i) classes.push(cells[i]);
    for (std::size_t i = 0; i < RouteTraffic::buckets; ++i) {
        const std::uint64_t count = cells[RouteTraffic::classes + i];
        if (count != 0) times.push(json::Value::array({i, count}));
    }
    return json::Value::object({{"classes", std::move(classes)}, {"times", std::move(times)}});
}

RouteCounts count_routes(const shm::Segment& segment) {
    RouteCounts counts;
    const std::span<const std::byte> zone = segment.zone(routes_zone);
    for (std::size_t from = 0; from + routes_page_size <= zone.size(); from += routes_page_size) {
        for (telemetry::SeriesReader reader(zone.subspan(from, routes_page_size)); reader.next();) {
            const telemetry::SeriesName& name = reader.name();
            std::string_view labels = name.labels, route;
            if (name.kind != telemetry::SeriesKind::route_traffic || name.cells != RouteTraffic::cells) continue;
            if (!telemetry::next_label(labels, route)) continue;
            RouteCount& count = counts[std::string(route)];
            for (std::size_t i = 0; i < count.cells.size(); ++i) count.cells[i] += reader.cell(i);
        }
    }
    return counts;
}

json::Value time_bounds() {
    json::Value bounds = json::Value::array();
    for (std::size_t i = 0; i < RouteTraffic::buckets; ++i)
        bounds.push(json::Value(static_cast<double>(RouteTraffic::end_of(i)) / 1e6));
    return bounds;
}

}  // namespace gateway::process
