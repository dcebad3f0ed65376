#include "libgateway/config/metrics_attr.hpp"

#include <algorithm>
#include <cmath>

#include "libgateway/base/hash.hpp"

namespace gateway::config {

namespace {

bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_metric_name(std::string_view name) noexcept {
    return std::all_of(name.begin(), name.end(),
                       [](char c) { return is_letter(c) || c == ':' || (c >= '0' && c <= '9'); }) &&
           (name.empty() || !(name.front() >= '0' && name.front() <= '9'));
}

bool is_label_name(std::string_view name) noexcept {
    return !name.empty() && is_metric_name(name) && name.find(':') == std::string_view::npos && name != "le" &&
           name.substr(0, 2) != "__";
}

void check_labels(std::string_view metric, const MetricAttr& attr, Errors& errors) {
    std::vector<std::string> seen;
    for (const auto& [name, variable] : attr.labels()) {
        const std::string where = "metrics." + std::string(metric) + ".extra_labels: ";
        if (!is_label_name(name)) errors.add(where + "\"" + name + "\" is no name of a label");
        if (variable.size() < 2 || variable.front() != '$') errors.add(where + name + ": expected \"$variable\"");
        if (std::find(seen.begin(), seen.end(), name) != seen.end()) errors.add(where + name + " is there twice");
        seen.push_back(name);
    }
}

}  // namespace

std::vector<std::pair<std::string, std::string>> MetricAttr::labels() const {
    std::vector<std::pair<std::string, std::string>> all;
    for (const Members<std::string>& one : extra_labels) all.insert(all.end(), one.begin(), one.end());
    return all;
}

void MetricsAttr::check(const MetricsAttr& attr, Errors& errors) {
    if (!is_metric_name(attr.metric_prefix)) errors.add("metric_prefix: no beginning of a metric's name");
    if (!is_metric_name(attr.own_metric_prefix)) errors.add("own_metric_prefix: no beginning of a metric's name");
    if (attr.export_uri.front() != '/') errors.add("export_uri: expected a path that begins with /");
    const auto bounds = attr.bounds();
    if (std::adjacent_find(bounds.begin(), bounds.end(), std::greater_equal<>()) != bounds.end())
        errors.add("default_buckets: expected rising numbers");
    check_labels("http_status", attr.metrics.http_status, errors);
    check_labels("http_latency", attr.metrics.http_latency, errors);
    check_labels("bandwidth", attr.metrics.bandwidth, errors);
}

std::vector<std::uint64_t> MetricsAttr::bounds() const {
    std::vector<std::uint64_t> all;
    for (const double bound : default_buckets) all.push_back(static_cast<std::uint64_t>(std::llround(bound * 1000)));
    return all;
}

MetricsAttr read_metrics_attr(const json::Value& plugin_attr, Errors& errors) {
    MetricsAttr attr;
    const json::Value* own = plugin_attr.find("prometheus");
    if (!own) return attr;
    const Errors::Scope scope(errors, Errors::Level::property, "prometheus", *own);
    read(*own, attr, errors);
    return attr;
}

std::uint32_t metric_variant(const MetricAttr& metric, const std::vector<std::uint64_t>& bounds) {
    std::string text;
    for (const auto& [name, variable] : metric.labels())
        text.append(name).append(1, '=').append(variable).append(1, '\n');
    for (const std::uint64_t bound : bounds) text.append(std::to_string(bound)).append(1, ' ');
    return static_cast<std::uint32_t>(hash128(text).low);
}

}  // namespace gateway::config
