// Metrics as text (Prometheus exposition format 0.0.4): families, samples, histograms, sorted.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gateway::admin {

enum class MetricType : std::uint8_t { counter, gauge, histogram };

// `name="value",…` of one series, escaped; bytes that are no UTF-8 become U+FFFD.
std::string label_text(std::span<const std::pair<std::string_view, std::string_view>> labels);

// A number without needless decimals; "+Inf" is written by whoever needs it.
std::string metric_number(double value);

// One name with its help, type and series, gathered in any order.
class MetricFamily {
public:
    MetricFamily(std::string name, std::string_view help, MetricType type)
        : name_(std::move(name)), help_(help), type_(type) {}
    const std::string& name() const noexcept { return name_; }

    void add(std::string labels, std::uint64_t value) {
        samples_.push_back({std::move(labels), std::to_string(value)});
    }
    void add(std::string labels, double value) { samples_.push_back({std::move(labels), metric_number(value)}); }
    // `counts`: one per bound and one for what exceeds them all; `unit`: what a bound and the sum are divided by.
    void add_histogram(const std::string& labels, std::span<const std::uint64_t> bounds,
                       std::span<const std::uint64_t> counts, std::uint64_t sum, double unit);
    // Nothing without series. They are gone afterwards: many routes make hundreds of MiB.
    void write(std::string& out);

private:
    struct Sample {
        std::string labels;
        std::string value;  // of a histogram: all its lines
    };
    std::string name_;
    std::string_view help_;
    MetricType type_;
    std::vector<Sample> samples_;
};

}  // namespace gateway::admin
