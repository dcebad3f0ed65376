// `apisix.compat.admin_on_node_listen`: the ports of traffic lead to the Admin API too, for scripts of old releases.
#pragma once

#include <string_view>

#include "libgateway/config/static_config.hpp"
#include "libgateway/sources/document.hpp"

namespace gateway::process {

inline constexpr std::string_view admin_route_id = "gateway.admin_on_node_listen";

// A route to the listener of the Admin API, for the addresses that it lets in; null: the settings do not want it. It
// belongs to no file and no store, and beats every route with the same path.
sources::ObjectPtr admin_route(const config::StaticConfig& settings);
inline bool is_admin_route(config::Kind kind, std::string_view id) noexcept {
    return kind == config::Kind::route && id == admin_route_id;
}

}  // namespace gateway::process
