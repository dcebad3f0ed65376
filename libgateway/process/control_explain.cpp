#include "libgateway/process/control_explain.hpp"

#include <algorithm>
#include <stdexcept>

#include "libgateway/base/strings.hpp"
#include "libgateway/plugin/encrypted_fields.hpp"
#include "libgateway/plugin/merge.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libgateway/process/control_imagined.hpp"
#include "libgateway/snapshot/object_reader.hpp"
#include "libgateway/sources/secrets.hpp"

namespace gateway::process {

namespace {

json::Value text_or_null(std::string text) {
    return text.empty() ? json::Value() : json::Value(std::move(text));
}

const json::Value* plugins_of(const json::Value& object) {
    const json::Value* plugins = object.find("plugins");
    return plugins && plugins->is_object() ? plugins : nullptr;
}

// Tells explain what the search looked at and passed over.
class Passed final : public route::MatchObserver {
public:
    void rejected(const route::Entry& candidate, std::string_view failed) override {
        if (list.size() >= 100) return;
        list.push(json::Value::object({{"route", json::Value(candidate.rule->id)},
                                       {"uri", json::Value(candidate.pattern.text())},
                                       {"failed", json::Value(failed)}}));
    }
    void taken(const route::Entry&) override {}
    json::Value list = json::Value::array();
};

json::Value plugin_row(const PluginEntry& entry, std::string_view scope, bool masks_secrets) {
    const PluginType* type = plugin_registry().find(entry.name);
    const json::Value* own = entry.config->find("_meta");
    const json::Value* priority = own ? own->find("priority") : nullptr;
    json::Value shown = *entry.config;
    if (masks_secrets) mask_secrets(entry.name, shown);
    return json::Value::object({{"plugin", json::Value(entry.name)},
                                {"priority", priority ? *priority : json::Value(type ? type->priority : 0)},
                                {"source", json::Value(entry.where)},
                                {"scope", json::Value(scope)},
                                {"enabled", entry.enabled},
                                {"config", std::move(shown)}});
}

// The order in which a chain runs: priority descending, then name.
void add_sorted(json::Value& rows, std::vector<json::Value> more) {
    std::stable_sort(more.begin(), more.end(), [](const json::Value& a, const json::Value& b) {
        const auto first = member(a, "priority").as_int64().value_or(0);
        const auto second = member(b, "priority").as_int64().value_or(0);
        return first != second ? first > second : member(a, "plugin").string() < member(b, "plugin").string();
    });
    for (json::Value& row : more) rows.push(std::move(row));
}

bool contains(const json::Value& value, std::string_view filter) {
    if (value.is_string()) return value.string().find(filter) != std::string::npos;
    for (const json::Value& item : value.items()) {
        if (contains(item, filter)) return true;
    }
    for (const json::Member& item : value.members()) {
        if (contains(item.value, filter)) return true;
    }
    return false;
}

// `one` and `many` mean the same: an array, or null if neither is there.
json::Value list_of(const json::Value& object, std::string_view one, std::string_view many) {
    if (const json::Value* list = object.find(many)) return *list;
    const json::Value* single = object.find(one);
    return single ? json::Value::array({*single}) : json::Value();
}

}  // namespace

std::string id_of(const json::Value& object, std::string_view name) {
    const json::Value& value = member(object, name);
    return value.is_number() ? value.number() : value.string();
}

json::Value node_rows(const json::Value& upstream) {
    const json::Value& nodes = member(upstream, "nodes");
    if (nodes.is_array()) return nodes;
    json::Value rows = json::Value::array();
    for (const json::Member& node : nodes.members()) {
        const std::size_t colon = node.key.rfind(':');
        const bool has_port = colon != std::string::npos && node.key.find(']', colon) == std::string::npos;
        rows.push(json::Value::object({{"host", json::Value(node.key.substr(0, has_port ? colon : std::string::npos))},
                                       {"port", has_port ? json::Value(node.key.substr(colon + 1)) : json::Value()},
                                       {"weight", node.value}}));
    }
    return rows;
}

ExplainSettings explain_settings(const config::StaticConfig& settings) {
    const config::ApisixSection& apisix = settings.apisix;
    return {route::router_kind(apisix.router.http).value_or(route::RouterKind::uri),
            {apisix.delete_uri_tail_slash, apisix.normalize_uri_like_servlet, apisix.match_uri_encoded_slash},
            apisix.compat.plugin_config_overrides_route};
}

DocumentView::DocumentView(FullDelta document, ExplainSettings settings)
    : document_(std::move(document)), settings_(settings), router_(settings.router) {
    config::DeltaReader reader(document_.bytes);
    for (config::Change change; reader.next(change);) {
        objects_[static_cast<std::size_t>(change.kind)].emplace(change.id, change);
    }
    if (!reader.ok()) throw std::runtime_error("the document is damaged");
    for (const auto& [id, change] : of(config::Kind::route)) add_route(change);
}

void DocumentView::add_route(const config::Change& change) {
    const Ref<RouteEntry> entry = read_route(change, {});
    if (!entry->active) return;
    if (entry->inherits_hosts && !entry->service_id.empty()) {
        const json::Value service = object(config::Kind::service, entry->service_id);
        for (const json::Value& host : member(service, "hosts").items())
            entry->hosts.push_back(to_lower(host.string()));
    }
    rules_.emplace_back(entry);
    router_.add(rules_.back());
}

json::Value DocumentView::object(config::Kind kind, std::string_view id) const {
    const auto found = of(kind).find(id);
    return found == of(kind).end() ? json::Value() : json::parse(found->second.json, {1000, 64 << 20, false});
}

json::Value DocumentView::explain(const json::Value& arguments) const {
    const ImaginedRequest request(arguments, settings_.path);
    const route::MatchInput input = request.input();
    Passed passed;
    const route::RouteMatch match = router_.find(input, &passed);
    const Asker who = asker(id_of(arguments, "consumer"));
    json::Value result = match ? matched(*match.rule(), who) : json::Value::object({{"route", nullptr}});
    result.set("revision", revision());
    result.set("method", json::Value(request.method()));
    result.set("host", json::Value(request.host()));
    result.set("path", json::Value(request.path()));
    result.set("considered", std::move(passed.list));
    if (match) {
        result.set("pattern", json::Value(match.pattern()));
        return result;
    }
    result.set("outcome", "404");
    json::Value& nearest = result.set("nearest", json::Value::array());
    for (const route::NearMiss& miss : router_.nearest(input)) {
        nearest.push(json::Value::object({{"route", json::Value(miss.rule->id)},
                                          {"uri", json::Value(miss.pattern)},
                                          {"failed", json::Value(miss.failed)}}));
    }
    return result;
}

json::Value DocumentView::reached(const route::RouteRule& rule, std::string_view consumer) const {
    return matched(rule, asker(std::string(consumer)));
}

DocumentView::Asker DocumentView::asker(std::string id) const {
    Asker asker;
    asker.id = std::move(id);
    if (asker.id.empty()) return asker;
    asker.consumer = object(config::Kind::consumer, asker.id);
    if (asker.consumer.is_null()) throw std::runtime_error("--consumer: there is no consumer " + asker.id);
    asker.group_id = id_of(asker.consumer, "group_id");
    if (!asker.group_id.empty()) asker.group = object(config::Kind::consumer_group, asker.group_id);
    return asker;
}

json::Value DocumentView::matched(const route::RouteRule& rule, const Asker& asker) const {
    const json::Value route = object(config::Kind::route, rule.id);
    const std::string service_id = id_of(route, "service_id"), plugin_config_id = id_of(route, "plugin_config_id");
    const json::Value service = object(config::Kind::service, service_id);
    const json::Value plugin_config = object(config::Kind::plugin_config, plugin_config_id);
    std::string outcome = "proxied";
    json::Value target = target_of(rule.id, route, service, outcome);
    if (!asker.group_id.empty() && asker.group.is_null()) outcome = "503: consumer group is missing";
    if (!plugin_config_id.empty() && plugin_config.is_null()) outcome = "503: plugin config is missing";
    if (!service_id.empty() && service.is_null()) outcome = "404: service is missing";
    json::Value described = json::Value::object({{"id", json::Value(rule.id)},
                                                 {"name", member(route, "name")},
                                                 {"uri", list_of(route, "uri", "uris")},
                                                 {"priority", rule.priority},
                                                 {"service_id", text_or_null(service_id)},
                                                 {"plugin_config_id", text_or_null(plugin_config_id)}});
    json::Value consumer =
        asker.id.empty()
            ? json::Value()
            : json::Value::object({{"id", json::Value(asker.id)}, {"group", text_or_null(asker.group_id)}});
    return json::Value::object({{"route", std::move(described)},
                                {"outcome", json::Value(outcome)},
                                {"consumer", std::move(consumer)},
                                {"chain", chain_of(rule.id, route, service, plugin_config, asker)},
                                {"upstream", std::move(target)}});
}

json::Value DocumentView::chain_of(std::string_view id, const json::Value& route, const json::Value& service,
                                   const json::Value& plugin_config, const Asker& asker) const {
    json::Value rows = json::Value::array();
    std::vector<std::string> names;
    std::vector<json::Value> rules;
    std::vector<PluginSource> sources;
    const Objects& globals = of(config::Kind::global_rule);
    names.reserve(globals.size());
    rules.reserve(globals.size());
    for (const auto& [rule_id, change] : globals) {
        names.push_back("global_rules/" + std::string(rule_id));
        rules.push_back(object(config::Kind::global_rule, rule_id));
        sources.push_back({names.back(), plugins_of(rules.back())});
    }
    std::vector<json::Value> more;
    for (const PluginEntry& entry : merge_global_rules(sources))
        more.push_back(plugin_row(entry, "global", settings_.masks_secrets));
    add_sorted(rows, std::move(more));

    const std::string service_name = "services/" + id_of(route, "service_id");
    const std::string config_name = "plugin_configs/" + id_of(route, "plugin_config_id");
    const std::string route_name = "routes/" + std::string(id);
    more.clear();
    const RoutePlugins all{
        {service_name, plugins_of(service)}, {config_name, plugins_of(plugin_config)}, {route_name, plugins_of(route)}};
    std::vector<PluginEntry> merged = merge_route_plugins(all, settings_.plugin_config_overrides_route);
    const std::string group_name = "consumer_groups/" + asker.group_id, consumer_name = "consumers/" + asker.id;
    merge_consumer_plugins({group_name, plugins_of(asker.group)}, {consumer_name, plugins_of(asker.consumer)}, merged);
    for (const PluginEntry& entry : merged) more.push_back(plugin_row(entry, "route", settings_.masks_secrets));
    add_sorted(rows, std::move(more));
    return rows;
}

// objects.md 5: the route's id, the route's own, the service's id, the service's own.
json::Value DocumentView::target_of(std::string_view id, const json::Value& route, const json::Value& service,
                                    std::string& outcome) const {
    std::string reference = id_of(route, "upstream_id"), source;
    const json::Value* own = nullptr;
    if (reference.empty()) {
        if ((own = route.find("upstream"))) {
            source = "routes/" + std::string(id);
        } else if (reference = id_of(service, "upstream_id"); reference.empty()) {
            own = service.find("upstream");
            source = "services/" + id_of(route, "service_id");
        }
    }
    json::Value named;
    if (!reference.empty()) {
        named = object(config::Kind::upstream, reference);
        own = &named;
        source = "upstreams/" + reference;
        if (named.is_null()) outcome = "502: upstream " + reference + " is missing";
    } else if (!own) {
        outcome = "503: no upstream, unless a plugin answers";
        return {};
    }
    json::Value shown = *own;
    if (settings_.masks_secrets) sources::mask_item(config::Kind::upstream, reference, shown);
    return json::Value::object(
        {{"source", json::Value(source)},
         {"type", member(*own, "type").is_null() ? json::Value("roundrobin") : member(*own, "type")},
         {"nodes", node_rows(*own)},
         {"object", std::move(shown)}});
}

json::Value DocumentView::routes(std::string_view filter) const {
    json::Value rows = json::Value::array();
    for (const auto& [id, change] : of(config::Kind::route)) {
        const json::Value route = object(config::Kind::route, id);
        const json::Value* own = route.find("upstream");
        json::Value row =
            json::Value::object({{"id", json::Value(id)},
                                 {"name", member(route, "name")},
                                 {"uri", list_of(route, "uri", "uris")},
                                 {"host", list_of(route, "host", "hosts")},
                                 {"methods", member(route, "methods")},
                                 {"priority", member(route, "priority")},
                                 {"service", text_or_null(id_of(route, "service_id"))},
                                 {"upstream", own ? json::Value("own") : text_or_null(id_of(route, "upstream_id"))},
                                 {"status", member(route, "status")}});
        if (filter.empty() || contains(row, filter)) rows.push(std::move(row));
    }
    return rows;
}

json::Value DocumentView::upstreams(std::string_view filter) const {
    json::Value rows = json::Value::array();
    for (const auto& [id, change] : of(config::Kind::upstream)) {
        const json::Value upstream = object(config::Kind::upstream, id);
        json::Value nodes = json::Value::array();
        const json::Value node_list = node_rows(upstream);
        for (const json::Value& node : node_list.items()) {
            const std::string port = id_of(node, "port");
            nodes.push(json::Value(member(node, "host").string() + (port.empty() ? "" : ":" + port)));
        }
        json::Value row = json::Value::object(
            {{"id", json::Value(id)},
             {"name", member(upstream, "name")},
             {"type", member(upstream, "type").is_null() ? json::Value("roundrobin") : member(upstream, "type")},
             {"nodes", std::move(nodes)}});
        if (filter.empty() || contains(row, filter)) rows.push(std::move(row));
    }
    return rows;
}

json::Value DocumentView::consumers(std::string_view filter) const {
    json::Value rows = json::Value::array();
    for (const auto& [id, change] : of(config::Kind::consumer)) {
        const json::Value consumer = object(config::Kind::consumer, id);
        json::Value credentials = json::Value::array(), overrides = json::Value::array();
        for (const json::Member& entry : member(consumer, "plugins").members())
            (is_auth_plugin(entry.key) ? credentials : overrides).push(json::Value(entry.key));
        json::Value row = json::Value::object({{"id", json::Value(id)},
                                               {"group", text_or_null(id_of(consumer, "group_id"))},
                                               {"credentials", std::move(credentials)},
                                               {"plugins", std::move(overrides)}});
        if (filter.empty() || contains(row, filter)) rows.push(std::move(row));
    }
    return rows;
}

json::Value DocumentView::consumer_groups(std::string_view filter) const {
    std::map<std::string, std::size_t> members;
    for (const auto& [id, change] : of(config::Kind::consumer))
        ++members[id_of(object(config::Kind::consumer, id), "group_id")];
    json::Value rows = json::Value::array();
    for (const auto& [id, change] : of(config::Kind::consumer_group)) {
        json::Value plugins = json::Value::array();
        const json::Value group = object(config::Kind::consumer_group, id);
        for (const json::Member& entry : member(group, "plugins").members()) plugins.push(json::Value(entry.key));
        json::Value row = json::Value::object(
            {{"id", json::Value(id)}, {"plugins", std::move(plugins)}, {"consumers", members[std::string(id)]}});
        if (filter.empty() || contains(row, filter)) rows.push(std::move(row));
    }
    return rows;
}

json::Value DocumentView::plugin_metadata(std::string_view filter) const {
    json::Value rows = json::Value::array();
    for (const auto& [id, change] : of(config::Kind::plugin_metadata)) {
        json::Value metadata = object(config::Kind::plugin_metadata, id);
        mask_secrets(id, metadata);
        json::Value row = json::Value::object({{"id", json::Value(id)}, {"metadata", std::move(metadata)}});
        if (filter.empty() || contains(row, filter)) rows.push(std::move(row));
    }
    return rows;
}

}  // namespace gateway::process
