#include "libgateway/config/objects.hpp"

#include "libgateway/config/consumer_objects.hpp"
#include "libgateway/config/idle_objects.hpp"
#include "libgateway/config/ssl_object.hpp"

namespace gateway::config {

namespace {

void refuse(std::string_view field, bool present, Errors& errors) {
    if (present) errors.add_member(field, {}, "'" + std::string(field) + "' is not supported by this build");
}

// The reference says this before anything else about a route.
void only_one(const json::Value& route, std::string_view one, std::string_view many, Errors& errors) {
    const json::Value* found = route.find(many);
    if (!found || !route.find(one)) return;
    std::string text = "only one of ";
    errors.add_member(many, found->where, text.append(one).append(" or ").append(many).append(" is allowed"));
}

template <class S>
void check_as(const json::Value& value, Errors& errors) {
    S object;
    read(value, object, errors);
}

// A secret's length is not that of the text that names it.
void check_ssl(const json::Value& value, Errors& errors) {
    const bool before = errors.references_allowed();
    errors.allow_references();
    check_as<Ssl>(value, errors);
    errors.allow_references(before);
}

void check_credential_object(const json::Value& value, Errors& errors) {
    check_as<ConsumerCredential>(value, errors);
    if (credential_name(value.find("id")->string())) return;
    const Errors::Scope scope(errors, Errors::Level::property, "id", *value.find("id"));
    errors.add("object matches none of the required", "expected <username>/credentials/<id>");
}

// Which manager it is stands in its name; without one nothing more can be said.
void check_secret_object(const json::Value& value, Errors& errors) {
    const json::Value* id = value.find("id");
    const auto name = id ? secret_name(id->string()) : std::nullopt;
    if (!name) return errors.add("invalid secret id: " + (id ? id->string() : std::string()));
    secret_schema(name->manager).check(value, errors);
}

}  // namespace

void Route::check(const Route& route, Errors& errors) {
    if (route.script && (!route.plugins.value.is_null() || route.plugin_config_id)) {
        errors.add("value wasn't supposed to match schema", "script excludes plugins and plugin_config_id");
    }
    refuse("filter_func", route.filter_func.has_value(), errors);
    refuse("script", route.script.has_value(), errors);
}

void Service::check(const Service& service, Errors& errors) {
    refuse("script", service.script.has_value(), errors);
}

void check_object(Kind kind, const json::Value& value, Errors& errors) {
    switch (kind) {
        case Kind::route:
            only_one(value, "host", "hosts", errors);
            only_one(value, "remote_addr", "remote_addrs", errors);
            return check_as<Route>(value, errors);
        case Kind::service:
            return check_as<Service>(value, errors);
        case Kind::upstream:
            return check_as<Upstream>(value, errors);
        case Kind::plugin_config:
        case Kind::consumer_group:
            return check_as<PluginConfig>(value, errors);
        case Kind::consumer:
            return is_credential_object(value) ? check_credential_object(value, errors)
                                               : check_as<Consumer>(value, errors);
        case Kind::global_rule:
            return check_as<GlobalRule>(value, errors);
        case Kind::proto:
            return check_as<Proto>(value, errors);
        case Kind::stream_route:
            return check_as<StreamRoute>(value, errors);
        case Kind::secret:
            return check_secret_object(value, errors);
        case Kind::ssl:
            return check_ssl(value, errors);
        case Kind::settings:
        case Kind::plugins:
        case Kind::plugin_metadata:
        case Kind::standalone:
            return;
    }
}

SchemaTable schema_of(Kind kind) {
    switch (kind) {
        case Kind::route:
            return table_of(Route::schema);
        case Kind::service:
            return table_of(Service::schema);
        case Kind::upstream:
            return table_of(Upstream::schema);
        case Kind::plugin_config:
        case Kind::consumer_group:
            return table_of(PluginConfig::schema);
        case Kind::consumer:
            return table_of(Consumer::schema);
        case Kind::global_rule:
            return table_of(GlobalRule::schema);
        case Kind::proto:
            return table_of(Proto::schema);
        case Kind::stream_route:
            return table_of(StreamRoute::schema);
        case Kind::ssl:
            return table_of(Ssl::schema);
        case Kind::settings:
        case Kind::plugins:
        case Kind::plugin_metadata:
        case Kind::secret:
        case Kind::standalone:
            break;
    }
    return {};
}

const std::vector<std::string_view>& document_lists() noexcept {
    static const std::vector<std::string_view> lists{
        "routes",          "services", "upstreams", "plugin_configs",  "global_rules", "plugins",      "consumers",
        "consumer_groups", "ssls",     "secrets",   "plugin_metadata", "protos",       "stream_routes"};
    return lists;
}

}  // namespace gateway::config
