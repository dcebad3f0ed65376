#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "libgateway/base/strings.hpp"
#include "libgateway/config/errors.hpp"
#include "libgateway/snapshot/object_reader.hpp"
#include "libgateway/snapshot/timeouts_reader.hpp"

namespace gateway {

namespace {

using upstream::NodeSettings;
using upstream::UpstreamSettings;

template <class Int>
Int integer(const json::Value& value, std::string_view what) {
    const auto number = value.as_int64();
    if (!number || !std::in_range<Int>(*number)) throw config::Error(fmt::format("{} is no usable number", what));
    return static_cast<Int>(*number);
}

// `host`, `host:port`, `[v6]:port`; the last colon divides.
NodeSettings node_of(std::string_view key) {
    NodeSettings node;
    const std::size_t colon = key.rfind(':');
    const bool bracket_behind = key.find(']', colon == std::string_view::npos ? 0 : colon) != std::string_view::npos;
    if (colon == std::string_view::npos || bracket_behind) {
        node.host = std::string(key);
        return node;
    }
    const auto port = parse_decimal<std::uint16_t>(key.substr(colon + 1));
    if (!port || *port == 0) throw config::Error(fmt::format("invalid port {}", key.substr(colon + 1)));
    node.host = std::string(key.substr(0, colon));
    node.port = *port;
    return node;
}

NodeSettings node_of(const json::Value& value) {
    NodeSettings node;
    if (const json::Value* host = value.find("host")) node.host = host->string();
    if (node.host.empty()) throw config::Error("a node without host");
    if (node.host.find(':') != std::string::npos && node.host.front() != '[') node.host = '[' + node.host + ']';
    if (const json::Value* port = value.find("port")) node.port = integer<std::uint16_t>(*port, "port");
    if (const json::Value* weight = value.find("weight")) node.weight = integer<std::uint32_t>(*weight, "weight");
    if (const json::Value* priority = value.find("priority")) {
        node.priority = integer<std::int32_t>(*priority, "priority");
    }
    return node;
}

std::vector<NodeSettings> nodes_of(const json::Value& value) {
    std::vector<NodeSettings> nodes;
    for (const json::Value& item : value.items()) nodes.push_back(node_of(item));
    for (const json::Member& member : value.members()) {
        nodes.push_back(node_of(std::string_view(member.key)));
        nodes.back().weight = integer<std::uint32_t>(member.value, "weight");
    }
    return nodes;
}

upstream::Scheme scheme_of(std::string_view name) {
    using upstream::Scheme;
    for (const Scheme scheme : {Scheme::http, Scheme::https, Scheme::grpc, Scheme::grpcs}) {
        if (name == upstream::name_of(scheme)) return scheme;
    }
    throw config::Error(fmt::format("scheme {} is not supported by this build", name));
}

upstream::PassHost pass_host_of(std::string_view name) {
    if (name == "pass") return upstream::PassHost::pass;
    if (name == "node") return upstream::PassHost::node;
    if (name == "rewrite") return upstream::PassHost::rewrite;
    throw config::Error(fmt::format("unknown pass_host {}", name));
}

void read_pool(const json::Value& value, upstream::PoolLimits& pool) {
    if (const json::Value* size = value.find("size")) pool.size = integer<std::uint32_t>(*size, "size");
    if (const json::Value* requests = value.find("requests")) {
        pool.requests = integer<std::uint32_t>(*requests, "requests");
    }
    if (const json::Value* idle = value.find("idle_timeout")) pool.idle_timeout = read_seconds(*idle);
}

void read_into(const json::Value& value, UpstreamSettings& settings) {
    for (const json::Member& member : value.members()) {
        const json::Value& found = member.value;
        if (member.key == "type") settings.type = found.string();
        if (member.key == "scheme") settings.scheme = scheme_of(found.string());
        if (member.key == "pass_host") settings.pass_host = pass_host_of(found.string());
        if (member.key == "upstream_host") settings.upstream_host = found.string();
        if (member.key == "retries") settings.retries = integer<int>(found, "retries");
        if (member.key == "retry_timeout") settings.retry_timeout = read_seconds(found);
        if (member.key == "timeout") settings.timeouts = read_timeouts(found);
        if (member.key == "keepalive_pool") read_pool(found, settings.pool);
        if (member.key == "nodes") settings.nodes = nodes_of(found);
    }
}

}  // namespace

Milliseconds read_seconds(const json::Value& value) {
    const auto seconds = value.as_double();
    if (!seconds || !(*seconds >= 0)) throw config::Error("a time must be a number of seconds");
    const double count = std::ceil(*seconds * 1000.0 - 1e-6);
    return Milliseconds(static_cast<std::int64_t>(std::min(count, 2'147'483'647.0)));
}

upstream::Timeouts read_timeouts(const json::Value& value) {
    const auto member = [&](std::string_view name) {
        const json::Value* found = value.find(name);
        if (!found) throw config::Error(fmt::format("timeout without {}", name));
        return read_seconds(*found);
    };
    upstream::Timeouts timeouts;
    timeouts.connect = member("connect");
    timeouts.send = member("send");
    timeouts.read = member("read");
    return timeouts;
}

UpstreamSettings read_upstream_settings(std::string_view json, std::string name, const UpstreamDefaults& defaults) {
    UpstreamSettings settings;
    settings.timeouts = defaults.timeouts;
    settings.pool = defaults.pool;
    settings.name = std::move(name);
    try {
        json::Limits limits;
        limits.positions = false;
        read_into(json::parse(json, limits), settings);
    } catch (const std::exception& problem) {
        throw config::Error(fmt::format("{}: {}", settings.name, problem.what()));
    }
    return settings;
}

}  // namespace gateway
