#include "libgateway/admin/metrics_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "libgateway/base/utf8.hpp"

namespace gateway::admin {

namespace {

std::string_view name_of(MetricType type) noexcept {
    return type == MetricType::counter ? "counter" : type == MetricType::gauge ? "gauge" : "histogram";
}

void append_escaped(std::string& out, std::string_view value) {
    while (!value.empty()) {
        const std::size_t size = utf8_length(value);
        if (size == 0) {
            out += "\xEF\xBF\xBD";
            value.remove_prefix(1);
            continue;
        }
        const char c = value.front();
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n') {
            out += "\\n";
        } else {
            out.append(value.substr(0, size));
        }
        value.remove_prefix(size);
    }
}

}  // namespace

std::string label_text(std::span<const std::pair<std::string_view, std::string_view>> labels) {
    std::string text;
    for (const auto& [name, value] : labels) {
        if (!text.empty()) text += ',';
        text.append(name).append("=\"");
        append_escaped(text, value);
        text += '"';
    }
    return text;
}

std::string metric_number(double value) {
    if (std::abs(value) < 1e15 && value == std::floor(value))
        return fmt::format("{}", static_cast<std::int64_t>(value));
    return fmt::format("{}", value);
}

void MetricFamily::add_histogram(const std::string& labels, std::span<const std::uint64_t> bounds,
                                 std::span<const std::uint64_t> counts, std::uint64_t sum, double unit) {
    const std::string_view comma = labels.empty() ? "" : ",";
    std::string lines;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        total += counts[i];
        const std::string bound = i < bounds.size() ? metric_number(static_cast<double>(bounds[i]) / unit) : "+Inf";
        fmt::format_to(std::back_inserter(lines), "{}_bucket{{{}{}le=\"{}\"}} {}\n", name_, labels, comma, bound,
                       total);
    }
    const std::string braced = labels.empty() ? "" : "{" + labels + "}";
    fmt::format_to(std::back_inserter(lines), "{0}_sum{1} {2}\n{0}_count{1} {3}\n", name_, braced,
                   metric_number(static_cast<double>(sum) / unit), total);
    samples_.push_back({labels, std::move(lines)});
}

void MetricFamily::write(std::string& out) {
    if (samples_.empty()) return;
    std::sort(samples_.begin(), samples_.end(), [](const Sample& a, const Sample& b) { return a.labels < b.labels; });
    out.append("# HELP ").append(name_).append(1, ' ').append(help_);
    out.append("\n# TYPE ").append(name_).append(1, ' ').append(name_of(type_)).append(1, '\n');
    for (const Sample& sample : samples_) {
        if (type_ == MetricType::histogram) {
            out += sample.value;
            continue;
        }
        out += name_;
        if (!sample.labels.empty()) out.append(1, '{').append(sample.labels).append(1, '}');
        out.append(1, ' ').append(sample.value).append(1, '\n');
    }
    std::vector<Sample>().swap(samples_);
}

}  // namespace gateway::admin
