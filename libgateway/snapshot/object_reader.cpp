#include "libgateway/snapshot/object_reader.hpp"

#include <fmt/format.h>

#include "libgateway/base/strings.hpp"
#include "libgateway/config/errors.hpp"

namespace gateway {

namespace {

json::Value parse_object(const config::Change& change) {
    json::Limits limits;
    limits.positions = false;
    json::Value value = json::parse(change.json, limits);
    if (!value.is_object()) throw config::Error("expected an object");
    return value;
}

// Numeric ids equal the same digits as text.
std::string id_of(const json::Value& value, std::string_view member) {
    const json::Value* found = value.find(member);
    if (!found) return {};
    return found->is_number() ? found->number() : found->string();
}

std::string text_of(const json::Value& value, std::string_view member) {
    const json::Value* found = value.find(member);
    return found ? found->string() : std::string();
}

std::string json_of(const json::Value& value, std::string_view member) {
    const json::Value* found = value.find(member);
    return found && found->is_object() && found->size() != 0 ? json::write(*found) : std::string();
}

// `{}` is an upstream too (one without nodes), unlike empty plugins.
std::string upstream_of(const json::Value& value) {
    const json::Value* found = value.find("upstream");
    return found && found->is_object() ? json::write(*found) : std::string();
}

std::optional<bool> flag_of(const json::Value& value, std::string_view member) {
    const json::Value* found = value.find(member);
    return found ? found->as_bool() : std::nullopt;
}

// Members `one` (a text) and `many` (an array) mean the same thing.
std::vector<std::string> list_of(const json::Value& value, std::string_view one, std::string_view many) {
    std::vector<std::string> result;
    if (const json::Value* found = value.find(many)) {
        for (const json::Value& item : found->items()) result.push_back(item.string());
    } else if (const json::Value* single = value.find(one)) {
        result.push_back(single->string());
    }
    return result;
}

std::vector<std::string> hosts_of(const json::Value& value) {
    std::vector<std::string> hosts = list_of(value, "host", "hosts");
    for (std::string& host : hosts) host = to_lower(host);
    return hosts;
}

std::uint32_t methods_of(const json::Value& value) {
    std::uint32_t bits = 0;
    for (const std::string& name : list_of(value, "", "methods")) {
        const std::uint32_t bit = route::method_bit(name);
        if (bit == 0) throw config::Error(fmt::format("unknown method {}", name));
        bits |= bit;
    }
    return bits;
}

expr::CidrSet addresses_of(const json::Value& value) {
    std::vector<expr::Cidr> networks;
    for (const std::string& text : list_of(value, "remote_addr", "remote_addrs")) {
        const auto network = expr::parse_cidr(text);
        if (!network) throw config::Error(fmt::format("{} is no address or network", text));
        networks.push_back(*network);
    }
    return networks.empty() ? expr::CidrSet() : expr::CidrSet(networks);
}

Ref<const expr::Expression> vars_of(const json::Value& value) {
    const json::Value* found = value.find("vars");
    if (!found) return {};
    Ref<const expr::Expression> vars(new expr::Expression(*found));
    return vars->always() ? Ref<const expr::Expression>() : vars;
}

template <class Int>
Int integer_of(const json::Value& value, std::string_view member, Int otherwise) {
    const json::Value* found = value.find(member);
    if (!found) return otherwise;
    const auto number = found->as_int64();
    if (!number || !std::in_range<Int>(*number)) throw config::Error(fmt::format("{} is out of range", member));
    return static_cast<Int>(*number);
}

void read_rule(const json::Value& value, RouteEntry& entry) {
    entry.uris = list_of(value, "uri", "uris");
    if (entry.uris.empty()) throw config::Error("no uri");
    entry.priority = integer_of<std::int32_t>(value, "priority", 0);
    entry.methods = methods_of(value);
    entry.hosts = hosts_of(value);
    entry.inherits_hosts = entry.hosts.empty();
    entry.addresses = addresses_of(value);
    entry.vars = vars_of(value);
    entry.active = integer_of<int>(value, "status", 1) != 0;
}

// Runs `read(value, object)` and says in every failure which object it was.
template <class Object, class Read>
Ref<Object> read_object(const config::Change& change, const Hash128& hash, Read&& read) {
    try {
        const json::Value value = parse_object(change);
        Ref<Object> object = make_ref<Object>();
        object->id = std::string(change.id);
        object->stamp.hash = hash;
        read(value, *object);
        return object;
    } catch (const std::exception& problem) {
        throw config::Error(fmt::format("{}/{}: {}", config::list_name(change.kind), change.id, problem.what()));
    }
}

}  // namespace

Ref<RouteEntry> read_route(const config::Change& change, const Hash128& hash) {
    return read_object<RouteEntry>(change, hash, [&](const json::Value& value, RouteEntry& entry) {
        entry.order = change.order;
        read_rule(value, entry);
        entry.name = text_of(value, "name");
        entry.service_id = id_of(value, "service_id");
        entry.upstream_id = id_of(value, "upstream_id");
        entry.plugin_config_id = id_of(value, "plugin_config_id");
        entry.plugins = json_of(value, "plugins");
        entry.upstream.json = upstream_of(value);
        entry.enable_websocket = flag_of(value, "enable_websocket");
        if (const json::Value* timeout = value.find("timeout")) entry.timeouts = read_timeouts(*timeout);
    });
}

Ref<ServiceObject> read_service(const config::Change& change, const Hash128& hash) {
    return read_object<ServiceObject>(change, hash, [](const json::Value& value, ServiceObject& service) {
        service.name = text_of(value, "name");
        service.upstream_id = id_of(value, "upstream_id");
        service.plugins = json_of(value, "plugins");
        service.hosts = hosts_of(value);
        service.enable_websocket = flag_of(value, "enable_websocket");
        service.upstream.json = upstream_of(value);
    });
}

// Read when a route needs it: one with 10,000 nodes takes some milliseconds.
Ref<UpstreamObject> read_upstream(const config::Change& change, const Hash128& hash) {
    Ref<UpstreamObject> upstream = make_ref<UpstreamObject>();
    upstream->id = std::string(change.id);
    upstream->upstream.json = std::string(change.json);
    upstream->stamp.hash = hash;
    return upstream;
}

Ref<PluginsObject> read_plugins(const config::Change& change, const Hash128& hash) {
    return read_object<PluginsObject>(change, hash, [&](const json::Value& value, PluginsObject& object) {
        object.order = change.order;
        object.plugins = json_of(value, "plugins");
    });
}

Ref<GroupObject> read_group(const config::Change& change, const Hash128& hash) {
    return read_object<GroupObject>(change, hash, [](const json::Value& value, GroupObject& group) {
        group.overrides.json = json_of(value, "plugins");
    });
}

Ref<MetadataObject> read_metadata_object(const config::Change& change, const Hash128& hash) {
    return read_object<MetadataObject>(
        change, hash, [](const json::Value& value, MetadataObject& object) { object.metadata = value; });
}

}  // namespace gateway
