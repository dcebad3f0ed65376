#include "libgateway/admin/series_sum.hpp"

#include <algorithm>
#include <array>

#include "libgateway/telemetry/plugin_buckets.hpp"

namespace gateway::admin {

using config::MetricAttr;
using telemetry::SeriesKind;
using telemetry::SeriesReader;

namespace {

using LabelList = std::vector<std::pair<std::string_view, std::string_view>>;
using Names = std::vector<std::string_view>;

constexpr std::array<std::string_view, 11> status_labels{
    "code", "route",        "matched_uri",       "matched_host", "service",        "consumer",
    "node", "request_type", "request_llm_model", "llm_model",    "response_source"};
constexpr std::array<std::string_view, 7> traffic_labels{"route",        "service",           "consumer", "node",
                                                         "request_type", "request_llm_model", "llm_model"};
constexpr std::array<std::string_view, 3> latency_types{"request", "upstream", "apisix"};
constexpr std::array<std::string_view, 2> directions{"ingress", "egress"};
constexpr double us_per_ms = 1000, ns_per_s = 1e9;

template <std::size_t N>
void name_values(LabelList& list, const std::array<std::string_view, N>& names, std::string_view& values) {
    std::string_view value;
    for (const std::string_view name : names) {
        if (telemetry::next_label(values, value)) list.emplace_back(name, value);
    }
}

void name_extra(LabelList& list, const std::vector<std::pair<std::string, std::string>>& extra,
                std::string_view& values) {
    std::string_view value;
    for (const auto& [name, variable] : extra) {
        if (telemetry::next_label(values, value)) list.emplace_back(name, value);
    }
}

// `{type="…",` and the labels of traffic.
std::string traffic_text(std::string_view type, const MetricAttr& metric, std::string_view values) {
    const auto extra = metric.labels();
    LabelList list{{"type", type}};
    name_values(list, traffic_labels, values);
    name_extra(list, extra, values);
    return label_text(list);
}

std::string plain_text(const Names& names, std::string_view values) {
    LabelList list;
    std::string_view value;
    for (const std::string_view name : names) {
        if (telemetry::next_label(values, value)) list.emplace_back(name, value);
    }
    return label_text(list);
}

// Those of file-logger have a name of their own in the specification.
void tell_dropped(MetricFamily& entries, MetricFamily& lines, std::string_view values, std::uint64_t count) {
    std::string_view rest = values, plugin;
    telemetry::next_label(rest, plugin);
    if (plugin == "file-logger") {
        lines.add("", count);
    } else {
        entries.add(plain_text({"plugin", "reason"}, values), count);
    }
}

}  // namespace

bool SeriesSum::expired(SeriesKind kind, std::uint32_t touched) const noexcept {
    const config::MetricsListAttr& metrics = attr_.metrics;
    const double after = kind == SeriesKind::http_status    ? metrics.http_status.expire
                         : kind == SeriesKind::http_latency ? metrics.http_latency.expire
                         : kind == SeriesKind::bandwidth    ? metrics.bandwidth.expire
                                                            : 0;
    return after > 0 && touched != 0 && static_cast<double>(touched) + after < static_cast<double>(now_);
}

// Whether the labels and buckets are those of this configuration.
bool SeriesSum::current(const Key& key) const noexcept {
    const config::MetricsListAttr& metrics = attr_.metrics;
    switch (key.kind) {
        case SeriesKind::http_status:
            return key.cells == 1 && key.variant == config::metric_variant(metrics.http_status, {});
        case SeriesKind::http_latency:
            return key.cells == latency_types.size() * (bounds_.size() + 2) &&
                   key.variant == config::metric_variant(metrics.http_latency, bounds_);
        case SeriesKind::bandwidth:
            return key.cells == directions.size() && key.variant == config::metric_variant(metrics.bandwidth, {});
        case SeriesKind::plugin_seconds:
            return key.cells == telemetry::plugin_time_bounds.size() + 2;
        case SeriesKind::route_plugin_times:
            return key.cells == 2;
        default:
            return key.cells == 1;
    }
}

void SeriesSum::add_page(std::span<const std::byte> page, bool alive) {
    SeriesReader reader(page);
    refused_ += reader.refused();
    used_ += reader.used();
    while (reader.next()) {
        const telemetry::SeriesName& name = reader.name();
        if (telemetry::is_gauge(name.kind) && !alive) continue;
        Sum& sum = sums_[Key{name.kind, name.variant, name.cells, std::string(name.labels)}];
        sum.touched = std::max(sum.touched, reader.touched());
        sum.cells.resize(name.cells);
        for (std::size_t i = 0; i < sum.cells.size(); ++i) sum.cells[i] += reader.cell(i);
    }
}

void SeriesSum::tell_status(MetricFamily& family, const Key& key, std::uint64_t count) const {
    const auto extra = attr_.metrics.http_status.labels();
    std::string_view values = key.labels;
    LabelList list;
    name_values(list, status_labels, values);
    name_extra(list, extra, values);
    family.add(label_text(list), count);
}

void SeriesSum::tell_latency(MetricFamily& family, const Key& key, const std::vector<std::uint64_t>& cells) const {
    const std::size_t size = bounds_.size() + 2;
    for (std::size_t type = 0; type < latency_types.size(); ++type) {
        const std::span<const std::uint64_t> all(cells.data() + type * size, size);
        std::uint64_t count = 0;
        for (const std::uint64_t cell : all.first(size - 1)) count += cell;
        if (count == 0) continue;
        family.add_histogram(traffic_text(latency_types[type], attr_.metrics.http_latency, key.labels), bounds_,
                             all.first(size - 1), all.back(), us_per_ms);
    }
}

void SeriesSum::tell_bandwidth(MetricFamily& family, const Key& key, const std::vector<std::uint64_t>& cells) const {
    for (std::size_t i = 0; i < directions.size(); ++i) {
        family.add(traffic_text(directions[i], attr_.metrics.bandwidth, key.labels), cells[i]);
    }
}

std::vector<PluginTime> SeriesSum::plugin_times(std::string_view route) const {
    std::vector<PluginTime> all;
    for (const auto& [key, sum] : sums_) {
        if (key.kind != SeriesKind::route_plugin_times || !current(key)) continue;
        const auto& cells = sum.cells;
        std::string_view rest = key.labels, of, plugin, phase, kind;
        const bool whole = telemetry::next_label(rest, of) && telemetry::next_label(rest, plugin) &&
                           telemetry::next_label(rest, phase) && telemetry::next_label(rest, kind);
        if (whole && of == route)
            all.push_back({std::string(plugin), std::string(phase), std::string(kind), cells[0], cells[1]});
    }
    return all;
}

std::vector<MetricFamily> SeriesSum::families() const {
    const std::string& prefix = attr_.metric_prefix;
    const std::string& own = attr_.own_metric_prefix;
    MetricFamily status(prefix + "http_status", "HTTP status codes per service in APISIX", MetricType::counter);
    MetricFamily latency(prefix + "http_latency", "HTTP request latency in milliseconds per service in APISIX",
                         MetricType::histogram);
    MetricFamily bandwidth(prefix + "bandwidth", "Total bandwidth in bytes consumed per service in APISIX",
                           MetricType::counter);
    MetricFamily batches(prefix + "batch_process_entries", "batch process remaining entries", MetricType::gauge);
    MetricFamily seconds(own + "plugin_seconds", "Time spent in plugins: waits of all exchanges, CPU of one in 64",
                         MetricType::histogram);
    MetricFamily dropped(own + "log_entries_dropped_total", "Entries that loggers had to give up", MetricType::counter);
    MetricFamily lines(own + "file_logger_dropped_total", "Lines that file-logger had to give up", MetricType::counter);
    for (const auto& [key, sum] : sums_) {
        if (!current(key) || expired(key.kind, sum.touched)) continue;
        const auto& cells = sum.cells;
        if (key.kind == SeriesKind::http_status) tell_status(status, key, cells[0]);
        if (key.kind == SeriesKind::http_latency) tell_latency(latency, key, cells);
        if (key.kind == SeriesKind::bandwidth) tell_bandwidth(bandwidth, key, cells);
        if (key.kind == SeriesKind::batch_entries)
            batches.add(plain_text({"name", "route_id", "server_addr"}, key.labels), cells[0]);
        if (key.kind == SeriesKind::log_entries_dropped) tell_dropped(dropped, lines, key.labels, cells[0]);
        if (key.kind == SeriesKind::plugin_seconds)
            seconds.add_histogram(plain_text({"plugin", "phase", "kind"}, key.labels), telemetry::plugin_time_bounds,
                                  std::span(cells).first(cells.size() - 1), cells.back(), ns_per_s);
    }
    return {std::move(status),  std::move(latency), std::move(bandwidth), std::move(batches),
            std::move(seconds), std::move(dropped), std::move(lines)};
}

}  // namespace gateway::admin
