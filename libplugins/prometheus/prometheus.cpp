#include <algorithm>

#include "libgateway/base/clock.hpp"
#include "libgateway/base/log.hpp"
#include "libgateway/config/metrics_attr.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libplugins/common/arena_text.hpp"
#include "libplugins/prometheus/series_cache.hpp"

namespace gateway::plugins {
namespace {

using telemetry::Series;
using telemetry::SeriesKind;
using telemetry::SeriesName;

// Labels of plugin metadata `disabled_labels`: their values become empty, so that series fall together.
struct DisabledLabels {
    std::vector<std::string> http_status, http_latency, bandwidth;
    static constexpr auto of_status =
        config::one_of("route", "matched_uri", "matched_host", "service", "consumer", "node", "request_type",
                       "request_llm_model", "llm_model", "response_source");
    static constexpr auto of_traffic =
        config::one_of("route", "service", "consumer", "node", "request_type", "request_llm_model", "llm_model");
    static constexpr auto schema = config::fields(
        config::field("http_status", &DisabledLabels::http_status, "labels without value", config::each(of_status)),
        config::field("http_latency", &DisabledLabels::http_latency, "labels without value", config::each(of_traffic)),
        config::field("bandwidth", &DisabledLabels::bandwidth, "labels without value", config::each(of_traffic)));
};

// One metric as the static file wants it.
struct Metric {
    std::uint32_t variant = 0;
    std::vector<expr::Variable> extra;
    std::vector<std::string> disabled;

    Metric(const config::MetricAttr& attr, const std::vector<std::uint64_t>& bounds, std::vector<std::string> without)
        : variant(config::metric_variant(attr, bounds)), disabled(std::move(without)) {
        for (const auto& [name, variable] : attr.labels()) {
            extra.push_back(expr::compile_variable(std::string_view(variable).substr(1)));
        }
    }
    std::string_view value(std::string_view label, std::string_view known) const {
        return std::find(disabled.begin(), disabled.end(), label) != disabled.end() ? std::string_view() : known;
    }
};

class Prometheus final : public Plugin {
public:
    struct Settings {
        bool prefer_name = false;
    };
    struct Metadata {
        DisabledLabels disabled_labels;
        static constexpr auto schema = config::fields(config::field("disabled_labels", &Metadata::disabled_labels,
                                                                    "labels whose values are left out, by metric"));
    };
    static constexpr std::string_view name = "prometheus";
    static constexpr int priority = 500;
    static constexpr bool prefer_route = true;
    static constexpr auto schema = config::fields(config::field(
        "prefer_name", &Settings::prefer_name, "labels route and service carry names where there are any"));

    Prometheus(Settings settings, BuildScope& scope)
        : Prometheus(settings, attr_of(scope), read_metadata<Prometheus>(scope).disabled_labels) {}

    Step log(Exchange& exchange) const override {
        telemetry::SeriesWriter* writer = exchange.services().series();
        if (!writer) return Verdict::next;
        const ExchangeFacts facts = exchange.facts();
        const SeriesCase known = case_of(exchange, facts);
        const std::uint64_t hash = known.hash();
        const SeriesSet* set = cache_.find(known, hash);
        if (!set) set = &cache_.add(known, hash, make_series(*writer, facts, known));
        count(*set, facts);
        return Verdict::next;
    }

private:
    Prometheus(Settings settings, const config::MetricsAttr& attr, const DisabledLabels& disabled)
        : settings_(settings),
          bounds_(attr.bounds()),
          status_(attr.metrics.http_status, {}, disabled.http_status),
          latency_(attr.metrics.http_latency, bounds_, disabled.http_latency),
          bandwidth_(attr.metrics.bandwidth, {}, disabled.bandwidth),
          has_extra_(!status_.extra.empty() || !latency_.extra.empty() || !bandwidth_.extra.empty()),
          expires_(attr.metrics.http_status.expire > 0 || attr.metrics.http_latency.expire > 0 ||
                   attr.metrics.bandwidth.expire > 0) {}

    static config::MetricsAttr attr_of(const BuildScope& scope) {
        config::Errors errors;
        config::MetricsAttr attr = config::read_metrics_attr(scope.node.plugin_attr, errors);
        errors.throw_if_any();
        return attr;
    }

    // Values of all extra labels, as labels; in the arena.
    std::string_view extra_values(Exchange& exchange) const {
        ArenaText text(exchange.arena());
        for (const Metric* metric : {&status_, &latency_, &bandwidth_}) {
            for (const expr::Variable& variable : metric->extra) {
                expr::VariableValue value;
                exchange.read(variable, value);
                const std::string_view plain = value.plain().substr(0, 512);
                const auto size = static_cast<std::uint16_t>(plain.size());
                text << std::string_view(reinterpret_cast<const char*>(&size), sizeof size) << plain;
            }
        }
        return text.view();
    }

    SeriesCase case_of(Exchange& exchange, const ExchangeFacts& facts) const {
        SeriesCase known;
        known.route = facts.route_serial;
        known.pattern = facts.matched_uri.data();
        known.source = facts.response_source.data();
        known.status = facts.status;
        known.texts[0] = facts.matched_host;
        known.texts[1] = facts.node;
        if (exchange.consumer()) known.texts[2] = exchange.consumer()->username;
        if (has_extra_) known.texts[3] = extra_values(exchange);
        return known;
    }

    SeriesSet make_series(telemetry::SeriesWriter& writer, const ExchangeFacts& facts, const SeriesCase& known) const {
        std::string_view extra = known.texts[3];
        const auto with_extra = [&extra](std::string labels, const Metric& metric) {
            for (std::size_t i = 0; i < metric.extra.size(); ++i) {
                std::string_view value;
                telemetry::next_label(extra, value);
                telemetry::append_label(labels, value);
            }
            return labels;
        };
        const std::string status = with_extra(status_values(facts, known), status_);
        const std::string latency = with_extra(traffic_values(latency_, facts, known), latency_);
        const std::string bandwidth = with_extra(traffic_values(bandwidth_, facts, known), bandwidth_);
        const auto cells = static_cast<std::uint32_t>(3 * (bounds_.size() + 2));
        const SeriesSet made{find(writer, {SeriesKind::http_status, status_.variant, 1, status}),
                             find(writer, {SeriesKind::http_latency, latency_.variant, cells, latency}),
                             find(writer, {SeriesKind::bandwidth, bandwidth_.variant, 2, bandwidth})};
        return made;
    }
    static Series* find(telemetry::SeriesWriter& writer, const SeriesName& wanted) {
        const std::uint64_t refused = writer.refused();
        Series* found = writer.find_or_add(wanted);
        if (!found && refused == 0) log::error("prometheus: no room for more series; further ones are not counted");
        return found;
    }

    std::string_view route_of(const ExchangeFacts& facts) const noexcept {
        return settings_.prefer_name && !facts.route_name.empty() ? facts.route_name : facts.route_id;
    }
    std::string_view service_of(const ExchangeFacts& facts) const noexcept {
        return settings_.prefer_name && !facts.service_name.empty() ? facts.service_name : facts.service_id;
    }
    std::string status_values(const ExchangeFacts& facts, const SeriesCase& known) const {
        std::string labels;
        telemetry::append_label(labels, std::to_string(facts.status));
        const auto add = [&](std::string_view label, std::string_view value) {
            telemetry::append_label(labels, status_.value(label, value));
        };
        add("route", route_of(facts));
        add("matched_uri", facts.matched_uri);
        add("matched_host", facts.matched_host);
        add("service", service_of(facts));
        add("consumer", known.texts[2]);
        add("node", facts.node);
        add("request_type", "traditional_http");
        add("request_llm_model", {});
        add("llm_model", {});
        add("response_source", facts.response_source);
        return labels;
    }
    std::string traffic_values(const Metric& metric, const ExchangeFacts& facts, const SeriesCase& known) const {
        std::string labels;
        const auto add = [&](std::string_view label, std::string_view value) {
            telemetry::append_label(labels, metric.value(label, value));
        };
        add("route", route_of(facts));
        add("service", service_of(facts));
        add("consumer", known.texts[2]);
        add("node", facts.node);
        add("request_type", "traditional_http");
        add("request_llm_model", {});
        add("llm_model", {});
        return labels;
    }

    void observe(Series& series, std::size_t type, std::int64_t microseconds) const noexcept {
        const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(microseconds, 0));
        std::size_t bucket = 0;
        while (bucket < bounds_.size() && value > bounds_[bucket]) ++bucket;
        const std::size_t base = type * (bounds_.size() + 2);
        telemetry::add(series.cell(base + bucket));
        telemetry::add(series.cell(base + bounds_.size() + 1), value);
    }
    void count(const SeriesSet& set, const ExchangeFacts& facts) const noexcept {
        if (set.status) telemetry::add(set.status->cell(0));
        if (set.bandwidth) {
            telemetry::add(set.bandwidth->cell(0), facts.request_length);
            telemetry::add(set.bandwidth->cell(1), facts.bytes_sent);
        }
        if (set.latency) {
            const bool proxied = facts.upstream_ms >= 0;
            const std::int64_t upstream = proxied ? facts.upstream_ms * 1000 : 0;
            observe(*set.latency, 0, facts.duration_us);
            if (proxied) observe(*set.latency, 1, upstream);
            observe(*set.latency, 2, facts.duration_us - upstream);
        }
        if (!expires_) return;
        const auto now = static_cast<std::uint32_t>(monotonic_ns() / 1'000'000'000);
        for (Series* series : {set.status, set.latency, set.bandwidth}) {
            if (series) series->touch(now);
        }
    }

    Settings settings_;
    std::vector<std::uint64_t> bounds_;
    Metric status_, latency_, bandwidth_;
    bool has_extra_, expires_;
    mutable SeriesCache cache_;  // of the one thread of this worker
};
const Registration<Prometheus> registration;

}  // namespace
}  // namespace gateway::plugins
