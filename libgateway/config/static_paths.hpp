// Directories and files of a gateway: defaults by place and environment, relative names made absolute.
#pragma once

#include "libgateway/config/static_config.hpp"

namespace gateway::config {

// Relative names stand beside the static file; relative logs in the log directory. README of the specification, 14
// and 16.
void resolve_paths(StaticConfig& config, const StaticPlace& place, const Environment& environment);

}  // namespace gateway::config
