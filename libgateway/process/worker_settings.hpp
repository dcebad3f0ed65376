// From the static file as the snapshot holds it to the plain values of the data plane.
#pragma once

#include "libgateway/net/resolver.hpp"
#include "libgateway/proxy/settings.hpp"
#include "libgateway/snapshot/snapshot.hpp"

namespace gateway::process {

Ref<const proxy::Settings> make_settings(const Ref<const WorkerSettings>& settings);
net::ResolverSettings make_resolver_settings(const WorkerSettings& settings);

}  // namespace gateway::process
