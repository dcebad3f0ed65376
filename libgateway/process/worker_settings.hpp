// From the static file as the snapshot holds it to the plain values of the data plane.
#pragma once

#include <memory>
#include <optional>

#include "libgateway/config/debug_config.hpp"
#include "libgateway/net/resolver.hpp"
#include "libgateway/plugin/debug_hooks.hpp"
#include "libgateway/proxy/settings.hpp"
#include "libgateway/snapshot/snapshot.hpp"
#include "libgateway/tls/server.hpp"

namespace gateway::process {

// What debug.yaml says; without it apisix.enable_debug decides.
struct DebugState {
    std::optional<config::DebugConfig> config;
    std::shared_ptr<const DebugHooks> hooks;
};
DebugState read_debug_state(std::string_view text);

Ref<const proxy::Settings> make_settings(const Ref<const WorkerSettings>& settings, const DebugState& debug);
net::ResolverSettings make_resolver_settings(const WorkerSettings& settings);
tls::ServerSettings make_tls_settings(const config::SslSection& ssl);

}  // namespace gateway::process
