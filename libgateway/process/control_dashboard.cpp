#include "libgateway/process/control_dashboard.hpp"

#include <algorithm>
#include <tuple>

#include "libgateway/base/clock.hpp"
#include "libgateway/plugin/merge.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libgateway/process/control_history.hpp"
#include "libgateway/process/control_process.hpp"

namespace gateway::process {

using config::Kind;
using control::Answer;
using sources::ObjectPtr;

namespace {

json::Value parsed(const std::string& text) {
    return json::parse(text, {1000, 64 << 20, false});
}

// `one` and `many` mean the same.
json::Value list_of(const json::Value& object, std::string_view one, std::string_view many) {
    if (const json::Value* list = object.find(many)) return *list;
    const json::Value* single = object.find(one);
    return single ? json::Value::array({*single}) : json::Value::array();
}

const json::Value* plugins_of(const json::Value& object) {
    const json::Value* plugins = object.find("plugins");
    return plugins && plugins->is_object() ? plugins : nullptr;
}

// Names of those that run, in the order in which they do.
json::Value names_of(const std::vector<PluginEntry>& entries) {
    std::vector<std::pair<std::int64_t, const PluginEntry*>> sorted;
    for (const PluginEntry& entry : entries) {
        if (!entry.enabled) continue;
        const PluginType* type = plugin_registry().find(entry.name);
        const json::Value* own = entry.config->find("_meta");
        const json::Value* priority = own ? own->find("priority") : nullptr;
        sorted.emplace_back(priority ? priority->as_int64().value_or(0) : (type ? type->priority : 0), &entry);
    }
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second->name < b.second->name;
    });
    json::Value names = json::Value::array();
    for (const auto& [priority, entry] : sorted)
        names.push(json::Value::object({{"name", json::Value(entry->name)}, {"source", json::Value(entry->where)}}));
    return names;
}

json::Value global_names(const sources::Document& document) {
    std::vector<std::string> names;
    std::vector<json::Value> rules;
    std::vector<PluginSource> sources;
    names.reserve(document.size(Kind::global_rule));
    rules.reserve(document.size(Kind::global_rule));
    document.each(Kind::global_rule, [&](const sources::Object& rule) {
        names.push_back("global_rules/" + rule.id);
        rules.push_back(parsed(rule.json));
        sources.push_back({names.back(), plugins_of(rules.back())});
    });
    return names_of(merge_global_rules(sources));
}

Chosen cut(std::vector<ObjectPtr> objects, const admin::ListQuestion& question) {
    Chosen chosen;
    chosen.total = objects.size();
    const std::size_t from = std::min(question.from, objects.size());
    const std::size_t size = std::min(question.most, objects.size() - from);
    const auto first = objects.begin() + static_cast<std::ptrdiff_t>(from);
    chosen.rows.assign(first, first + static_cast<std::ptrdiff_t>(size));
    return chosen;
}

bool holds(const sources::Object& object, const std::string& filter) {
    return filter.empty() || object.id.find(filter) != std::string::npos ||
           object.json.find(filter) != std::string::npos;
}

Answer good(const json::Value& result) {
    Answer answer;
    answer.result = json::write(result);
    return answer;
}

}  // namespace

Chosen choose_routes(std::vector<ObjectPtr> routes, const RouteCounts& counts, const admin::ListQuestion& question) {
    std::erase_if(routes, [&](const ObjectPtr& route) { return !holds(*route, question.filter); });
    using Rank = std::tuple<std::uint64_t, std::uint64_t, ObjectPtr>;  // what is missing to most answers, order
    std::vector<Rank> ranks;
    ranks.reserve(routes.size());
    for (ObjectPtr& route : routes) {
        const auto found = counts.find(route->id);
        const std::uint64_t answers = found == counts.end() ? 0 : found->second.answers();
        ranks.emplace_back(~answers, route->order, std::move(route));
    }
    const std::size_t sorted = std::min(question.from + std::min(question.most, ranks.size()), ranks.size());
    std::partial_sort(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(sorted), ranks.end());
    for (std::size_t i = 0; i < ranks.size(); ++i) routes[i] = std::move(std::get<ObjectPtr>(ranks[i]));
    return cut(std::move(routes), question);
}

Chosen choose_upstreams(std::vector<ObjectPtr> objects, const admin::ListQuestion& question) {
    std::erase_if(objects, [&](const ObjectPtr& object) {
        const bool has = object->kind == Kind::upstream || object->json.find(R"("upstream":)") != std::string::npos;
        return !has || !holds(*object, question.filter);
    });
    const auto place = [](const ObjectPtr& object) {
        const int kind = object->kind == Kind::upstream ? 0 : object->kind == Kind::service ? 1 : 2;
        return std::pair(kind, object->order);
    };
    std::sort(objects.begin(), objects.end(),
              [&](const ObjectPtr& a, const ObjectPtr& b) { return place(a) < place(b); });
    return cut(std::move(objects), question);
}

json::Value upstream_row(Kind kind, std::string_view id, const json::Value& object) {
    const json::Value own = kind == Kind::upstream ? object : member(object, "upstream");
    if (!own.is_object()) return {};
    const std::string_view folder = kind == Kind::upstream  ? "upstreams/"
                                    : kind == Kind::service ? "services/"
                                                            : "routes/";
    json::Value nodes = node_rows(own);
    for (json::Value& node : nodes.make_array()) node.set("health", "not checked");
    const auto or_else = [&](std::string_view name, std::string_view otherwise) {
        json::Value value = member(own, name);
        return value.is_null() ? json::Value(otherwise) : value;
    };
    return json::Value::object({{"owner", json::Value(std::string(folder) + std::string(id))},
                                {"name", kind == Kind::upstream ? member(own, "name") : member(object, "name")},
                                {"type", or_else("type", "roundrobin")},
                                {"scheme", or_else("scheme", "http")},
                                {"nodes", std::move(nodes)}});
}

json::Value ControlDashboard::status() const {
    json::Value status = control_.status()->to_json();
    status.set("time", time_text(wall_ms()));
    status.set("clock_ms", monotonic_ns() / 1'000'000);
    return status;
}

json::Value ControlDashboard::read(Kind kind, const std::string& id) const {
    const ObjectPtr object = id.empty() ? nullptr : control_.catalogue().document().find(kind, id);
    return object ? parsed(object->json) : json::Value();
}

json::Value ControlDashboard::row_of(const sources::Object& object, const RouteCounts& counts) const {
    const json::Value route = parsed(object.json);
    const std::string service_id = id_of(route, "service_id"), config_id = id_of(route, "plugin_config_id");
    const json::Value service = read(Kind::service, service_id), config = read(Kind::plugin_config, config_id);
    const std::string names[] = {"services/" + service_id, "plugin_configs/" + config_id, "routes/" + object.id};
    const bool config_first = control_.catalogue().settings().apisix.compat.plugin_config_overrides_route;
    const RoutePlugins all{
        {names[0], plugins_of(service)}, {names[1], plugins_of(config)}, {names[2], plugins_of(route)}};
    json::Value row =
        json::Value::object({{"id", json::Value(object.id)},
                             {"name", member(route, "name")},
                             {"uri", list_of(route, "uri", "uris")},
                             {"host", list_of(route, "host", "hosts")},
                             {"methods", member(route, "methods")},
                             {"enabled", member(route, "status").as_int64().value_or(1) != 0},
                             {"service", json::Value(service_id)},
                             {"where", json::Value(control_.catalogue().place_of(object.kind, object.id))},
                             {"plugins", names_of(merge_route_plugins(all, config_first))}});
    const auto found = counts.find(object.id);
    if (found != counts.end()) row.set("count", found->second.to_json());
    return row;
}

// The list of all routes is copied here, searched on the builder thread; only what is shown is looked at in full.
admin::Dashboard::Coming ControlDashboard::routes(admin::ListQuestion question) {
    std::vector<ObjectPtr> all = control_.catalogue().document().objects(Kind::route);
    const shm::Segment* segment = control_.segment();
    auto work = [all = std::move(all), question = std::move(question), segment]() mutable {
        RouteCounts counts = segment ? count_routes(*segment) : RouteCounts();
        Chosen chosen = choose_routes(std::move(all), counts, question);
        return std::make_pair(std::move(chosen), std::move(counts));
    };
    const auto found = co_await on_thread(control_.builder(), std::move(work));
    const RouteCounts& counts = found.second;
    const auto others = counts.find("");
    json::Value rows = json::Value::array();
    for (const ObjectPtr& route : found.first.rows) rows.push(row_of(*route, counts));
    co_return good(json::Value::object({{"clock_ms", monotonic_ns() / 1'000'000},
                                        {"total", found.first.total},
                                        {"bounds_ms", time_bounds()},
                                        {"global_plugins", global_names(control_.catalogue().document())},
                                        {"uncounted", others == counts.end() ? 0 : others->second.answers()},
                                        {"list", std::move(rows)}}));
}

admin::Dashboard::Coming ControlDashboard::upstreams(admin::ListQuestion question) {
    const sources::Document& document = control_.catalogue().document();
    std::vector<ObjectPtr> all = document.objects(Kind::upstream);
    for (const Kind kind : {Kind::service, Kind::route}) {
        const std::vector<ObjectPtr> more = document.objects(kind);
        all.insert(all.end(), more.begin(), more.end());
    }
    auto work = [all = std::move(all), question = std::move(question)]() mutable {
        const Chosen chosen = choose_upstreams(std::move(all), question);
        json::Value rows = json::Value::array();
        for (const ObjectPtr& object : chosen.rows) {
            json::Value row = upstream_row(object->kind, object->id, parsed(object->json));
            if (!row.is_null()) rows.push(std::move(row));
        }
        return json::Value::object({{"total", chosen.total}, {"list", std::move(rows)}});
    };
    const json::Value found = co_await on_thread(control_.builder(), std::move(work));
    co_return good(found);
}

admin::Dashboard::Coming ControlDashboard::run(std::string_view command, json::Value arguments) {
    return control_.handle({std::string(command), std::move(arguments)});
}

admin::Dashboard::Coming ControlDashboard::history(std::uint64_t most) {
    return run("history", json::Value::object({{"count", json::Value(std::to_string(most))}}));
}

admin::Dashboard::Coming ControlDashboard::revision(std::uint64_t number) {
    return run("history", json::Value::object({{"revision", json::Value(std::to_string(number))}}));
}

admin::Dashboard::Coming ControlDashboard::explain(json::Value arguments) {
    return run("explain", std::move(arguments));
}

admin::Dashboard::Coming ControlDashboard::roll_back(std::uint64_t number, store::Author author) {
    if (!control_.in_charge())
        co_return control::refuse(control::Status::not_ready, "a new binary is starting: try again when it serves");
    Answer answer = co_await process::roll_back(control_, number, std::move(author));
    co_return answer;
}

}  // namespace gateway::process
