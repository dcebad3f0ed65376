// The series of all workers' pages added up and told as the reference's metrics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "libgateway/admin/metrics_text.hpp"
#include "libgateway/config/metrics_attr.hpp"
#include "libgateway/telemetry/series.hpp"

namespace gateway::admin {

struct PluginTime {
    std::string plugin, phase, kind;
    std::uint64_t count = 0, nanoseconds = 0;
};

// One rendering. Any thread: it only reads the pages.
class SeriesSum {
public:
    // `now`: seconds of CLOCK_MONOTONIC, for series that expire.
    SeriesSum(const config::MetricsAttr& attr, std::uint32_t now) : attr_(attr), bounds_(attr.bounds()), now_(now) {}

    // `alive`: a worker writes this page now, so that its gauges count.
    void add_page(std::span<const std::byte> page, bool alive);
    // Families of the reference and of the gateway's own plugin metrics.
    std::vector<MetricFamily> families() const;
    // Of one route: what its plugins took, CPU of one exchange in 64, waits of all.
    std::vector<PluginTime> plugin_times(std::string_view route) const;
    std::uint64_t refused() const noexcept { return refused_; }
    std::uint64_t used() const noexcept { return used_; }
    std::size_t series() const noexcept { return sums_.size(); }

private:
    struct Key {
        telemetry::SeriesKind kind;
        std::uint32_t variant, cells;
        std::string labels;
        auto operator<=>(const Key&) const = default;
    };
    struct Sum {
        std::vector<std::uint64_t> cells;
        std::uint32_t touched = 0;  // in the page where it was touched last
    };
    bool expired(telemetry::SeriesKind kind, std::uint32_t touched) const noexcept;
    bool current(const Key& key) const noexcept;
    void tell_status(MetricFamily& family, const Key& key, std::uint64_t count) const;
    void tell_latency(MetricFamily& family, const Key& key, const std::vector<std::uint64_t>& cells) const;
    void tell_bandwidth(MetricFamily& family, const Key& key, const std::vector<std::uint64_t>& cells) const;

    const config::MetricsAttr& attr_;
    std::vector<std::uint64_t> bounds_;
    std::uint32_t now_;
    std::map<Key, Sum> sums_;
    std::uint64_t refused_ = 0, used_ = 0;
};

}  // namespace gateway::admin
