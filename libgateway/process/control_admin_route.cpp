#include "libgateway/process/control_admin_route.hpp"

#include <limits>

namespace gateway::process {

using json::Value;

namespace {

constexpr std::string_view prefix = "/apisix/admin";

// Where workers reach a listener of all addresses.
Value node_of(const config::AdminListen& listen) {
    const std::string ip = listen.ip == "0.0.0.0" ? "127.0.0.1" : listen.ip == "::" ? "::1" : listen.ip;
    const bool bare = ip.find(':') != std::string::npos && ip.front() != '[';
    return Value::object({{"host", Value(bare ? "[" + ip + "]" : ip)}, {"port", listen.port}, {"weight", 1}});
}

}  // namespace

sources::ObjectPtr admin_route(const config::StaticConfig& settings) {
    if (!settings.apisix.compat.admin_on_node_listen || !settings.admin_api()) return nullptr;
    const config::AdminSettings& admin = settings.deployment.admin;
    const Value upstream = Value::object(
        {{"nodes", Value::array({node_of(admin.admin_listen.value_or(config::AdminListen()))})}, {"retries", 0}});
    Value route = Value::object({{"id", Value(admin_route_id)},
                                 {"uris", Value::array({Value(prefix), Value(std::string(prefix) + "/*")})},
                                 {"priority", std::numeric_limits<std::int32_t>::max()},
                                 {"upstream", upstream}});
    if (!admin.allow_admin.empty()) {
        Value networks = Value::array();
        for (const std::string& network : admin.allow_admin) networks.push(Value(network));
        route.set("remote_addrs", std::move(networks));
    }
    return sources::make_object(config::Kind::route, std::string(admin_route_id), 0, json::write(route), {});
}

}  // namespace gateway::process
