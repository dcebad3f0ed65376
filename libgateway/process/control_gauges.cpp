#include "libgateway/process/control_gauges.hpp"

#include <algorithm>

#include "libgateway/process/control_process.hpp"

namespace gateway::process {

using admin::MetricFamily;
using admin::MetricType;

namespace {

std::string label(std::string_view name, std::string_view value) {
    const std::array<std::pair<std::string_view, std::string_view>, 1> labels{{{name, value}}};
    return admin::label_text(labels);
}
std::string key_label(std::string_view key) {
    return label("key", key);
}

void tell_objects(std::vector<MetricFamily>& all, const std::string& prefix, const ControlGauges& gauges) {
    MetricFamily objects(prefix + "config_objects", "Objects of the configuration in force", MetricType::gauge);
    for (std::size_t i = 0; i < gauges.objects.size(); ++i) {
        const auto kind = static_cast<config::Kind>(i);
        if (config::is_listed(kind)) objects.add(label("kind", config::list_name(kind)), gauges.objects[i]);
    }
    all.push_back(std::move(objects));
}

void tell_etcd(std::vector<MetricFamily>& all, const std::string& prefix, const EtcdGauges& etcd) {
    all.emplace_back(prefix + "etcd_reachable", "Config server etcd reachable from APISIX, 0 is unreachable",
                     MetricType::gauge)
        .add("", std::uint64_t{etcd.reachable ? 1u : 0u});
    MetricFamily indexes(prefix + "etcd_modify_indexes", "Etcd modify index for APISIX keys", MetricType::gauge);
    for (std::size_t i = 0; i < etcd.lists.size(); ++i) {
        if (etcd.newest[i] != 0) indexes.add(key_label(etcd.lists[i]), etcd.newest[i]);
    }
    indexes.add(key_label("max_modify_index"), *std::max_element(etcd.newest.begin(), etcd.newest.end()));
    indexes.add(key_label("prev_index"), etcd.followed);
    indexes.add(key_label("x_etcd_index"), etcd.store);
    all.push_back(std::move(indexes));
}

}  // namespace

void EtcdGauges::note(std::string_view list, std::uint64_t modified) noexcept {
    const auto found = std::find(lists.begin(), lists.end(), list);
    if (found == lists.end()) return;
    std::uint64_t& known = newest[static_cast<std::size_t>(found - lists.begin())];
    known = std::max(known, modified);
}

void tell_control(std::vector<MetricFamily>& all, const MetricsFacts& facts) {
    const ControlGauges& gauges = facts.gauges;
    const auto one = [&](const char* name, const char* help, auto value) {
        all.emplace_back(facts.attr.own_metric_prefix + name, help, MetricType::gauge).add("", value);
    };
    one("config_revision", "Revision of the configuration in force", gauges.revision);
    one("config_changed_timestamp_seconds", "When the configuration changed last",
        static_cast<double>(gauges.changed_ms) / 1000);
    one("config_last_change_successful", "0: the last attempt to change the configuration was refused",
        std::uint64_t{gauges.last_refused ? 0u : 1u});
    one("workers_behind", "Workers that do not run or hold an old revision", gauges.workers_behind);
    tell_objects(all, facts.attr.own_metric_prefix, gauges);
    if (gauges.etcd) tell_etcd(all, facts.attr.metric_prefix, *gauges.etcd);
}

MetricsFacts Control::metrics_facts() const {
    MetricsFacts facts;
    config::Errors errors;  // the file was checked
    facts.attr = config::read_metrics_attr(catalogue_.settings().plugin_attr.value, errors);
    const auto& plugins = catalogue_.settings().plugins;
    facts.loaded = !plugins || std::count(plugins->begin(), plugins->end(), "prometheus") > 0;
    facts.gauges.revision = revisions_->revision();
    for (std::size_t i = 0; i < config::kind_count; ++i)
        facts.gauges.objects[i] = catalogue_.document().size(static_cast<config::Kind>(i));
    facts.gauges.changed_ms = situation_.changed_ms;
    facts.gauges.last_refused = situation_.last.result == "refused";
    for (std::uint32_t i = 0; i < max_workers; ++i) facts.gauges.workers_behind += revisions_->lagging_since(i) ? 1 : 0;
    if (etcd_) facts.gauges.etcd = etcd_->gauges();
    return facts;
}

}  // namespace gateway::process
