#include "libgateway/plugin/plugin_times.hpp"

#include <algorithm>
#include <exception>
#include <string>

#include "libgateway/plugin/exchange.hpp"
#include "libgateway/plugin/instance.hpp"
#include "libgateway/telemetry/plugin_buckets.hpp"
#include "libgateway/telemetry/series.hpp"

namespace gateway {
namespace {

using telemetry::Series;
using telemetry::SeriesKind;

std::string_view text_of(TimeKind kind) noexcept {
    return kind == TimeKind::cpu ? "cpu" : "wait";
}

// One text for one look-up at a time; keeps its memory.
std::string& begin_labels() {
    thread_local std::string labels;
    labels.clear();
    return labels;
}

Series* find(telemetry::SeriesWriter& writer, SeriesKind kind, std::uint32_t cells, std::string& labels,
             const Instance& instance, Phase phase, TimeKind time) {
    telemetry::append_label(labels, instance.name);
    telemetry::append_label(labels, name_of(phase));
    telemetry::append_label(labels, text_of(time));
    return writer.find_or_add({kind, 0, cells, labels});
}

void count(Series& series, std::uint64_t nanoseconds) noexcept {
    const auto& bounds = telemetry::plugin_time_bounds;
    const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), nanoseconds) - bounds.begin();
    telemetry::add(series.cell(static_cast<std::size_t>(bucket)));
    telemetry::add(series.cell(bounds.size() + 1), nanoseconds);
}

void note(telemetry::SeriesWriter& writer, const Instance& instance, const Exchange& exchange, Phase phase,
          TimeKind kind, std::uint64_t nanoseconds) {
    Series*& all = instance.times[static_cast<std::size_t>(kind) * phase_count + static_cast<std::size_t>(phase)];
    constexpr auto cells = static_cast<std::uint32_t>(telemetry::plugin_time_bounds.size() + 2);
    if (!all) all = find(writer, SeriesKind::plugin_seconds, cells, begin_labels(), instance, phase, kind);
    if (all) count(*all, nanoseconds);
    const std::string_view route = exchange.route_id();
    if (route.empty()) return;
    std::string& labels = begin_labels();
    telemetry::append_label(labels, route);
    Series* of_route = find(writer, SeriesKind::route_plugin_times, 2, labels, instance, phase, kind);
    if (!of_route) return;
    telemetry::add(of_route->cell(0));
    telemetry::add(of_route->cell(1), nanoseconds);
}

}  // namespace

void note_time(const Instance& instance, const Exchange& exchange, Phase phase, TimeKind kind,
               std::int64_t nanoseconds) noexcept {
    telemetry::SeriesWriter* writer = exchange.services().series();
    if (!writer || nanoseconds < 0) return;
    try {
        note(*writer, instance, exchange, phase, kind, static_cast<std::uint64_t>(nanoseconds));
    } catch (const std::exception&) {  // out of memory for a name: that time is not told
    }
}

}  // namespace gateway
