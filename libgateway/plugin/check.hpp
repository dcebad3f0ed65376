// Checks of plugin entries while a document is read: control's side, nothing is built for traffic.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/errors.hpp"
#include "libgateway/json/value.hpp"

namespace gateway {

// Checks one entry of a `plugins` object: known name, an object (or null), `_meta`, then the plugin's settings. The
// innermost scope of `errors` is the entry. The texts are those of the Admin API: "unknown plugin [x]", "failed to
// check the configuration of plugin x err: …". What is wrong with a disabled entry goes into `warnings` instead.
void check_plugin(std::string_view name, const json::Value& config, config::Errors& errors,
                  std::vector<std::string>& warnings);

}  // namespace gateway
