// `plugin_attr.prometheus`: where metrics are told, and how their names, labels and buckets look. Read by control and
// by the plugin.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/schema.hpp"

namespace gateway::config {

// One `[{label: "$variable"}]` list: labels behind the built-in ones.
struct MetricAttr {
    double expire = 0;
    std::vector<Members<std::string>> extra_labels;
    static constexpr auto schema =
        fields(field("expire", &MetricAttr::expire, "seconds after which a series that did not change disappears",
                     at_least(0)),
               field("extra_labels", &MetricAttr::extra_labels, "labels behind the built-in ones"));
    // Name and variable of each.
    std::vector<std::pair<std::string, std::string>> labels() const;
};
struct MetricsListAttr {
    MetricAttr http_status, http_latency, bandwidth, upstream_status;
    static constexpr auto schema =
        fields(field("http_status", &MetricsListAttr::http_status, "requests by status"),
               field("http_latency", &MetricsListAttr::http_latency, "durations"),
               field("bandwidth", &MetricsListAttr::bandwidth, "bytes"),
               field("upstream_status", &MetricsListAttr::upstream_status, "health of endpoints"));
};
struct ExportAddress {
    std::string ip = "127.0.0.1";
    std::uint16_t port = 9091;
    static constexpr auto schema = fields(field("ip", &ExportAddress::ip, "address to listen on"),
                                          field("port", &ExportAddress::port, "port; 0: any", range(0, 65535)));
};
struct MetricsAttr {
    std::string export_uri = "/apisix/prometheus/metrics", metric_prefix = "apisix_", own_metric_prefix = "gateway_";
    bool enable_export_server = true;
    ExportAddress export_addr;
    double refresh_interval = 15;
    MetricsListAttr metrics;
    std::vector<double> default_buckets{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000};

    static constexpr auto schema = fields(
        field("export_uri", &MetricsAttr::export_uri, "path of the metrics", length(1)),
        field("metric_prefix", &MetricsAttr::metric_prefix, "prefix of the reference's metrics"),
        field("own_metric_prefix", &MetricsAttr::own_metric_prefix, "prefix of the gateway's own metrics"),
        field("enable_export_server", &MetricsAttr::enable_export_server, "a listener of its own"),
        field("export_addr", &MetricsAttr::export_addr, "where that listens"),
        field("refresh_interval", &MetricsAttr::refresh_interval, "seconds between two renderings", range(0.1, 3600)),
        field("metrics", &MetricsAttr::metrics, "settings of single metrics"),
        field("default_buckets", &MetricsAttr::default_buckets, "bounds of durations in milliseconds", items(1, 100),
              each(more_than(0))));
    // Rules beyond the schema: rising buckets, names that are names.
    static void check(const MetricsAttr& attr, Errors& errors);

    // Bounds in whole microseconds.
    std::vector<std::uint64_t> bounds() const;
};

// Of the whole `plugin_attr`; the defaults where it says nothing.
MetricsAttr read_metrics_attr(const json::Value& plugin_attr, Errors& errors);

// Tells series apart whose labels or buckets are not those of this configuration.
std::uint32_t metric_variant(const MetricAttr& metric, const std::vector<std::uint64_t>& bounds);

}  // namespace gateway::config
