// Keys of the static file that are known without being settings here: without effect, not in this build, or of old
// releases.
#pragma once

#include "libgateway/config/diagnostic.hpp"
#include "libgateway/json/value.hpp"

namespace gateway::config {

// Takes such keys out of the parsed file, so that the schema sees only what it knows. Adds one warning that lists those
// without effect, and an error for each feature that this build does not have.
void take_known_keys(json::Value& file, std::string_view path, Diagnostics& diagnostics);

}  // namespace gateway::config
