// Bodies made up from a JSON schema: values of the right types, given examples where there are any.
#pragma once

#include <string_view>

#include "libgateway/base/arena.hpp"
#include "libgateway/json/value.hpp"
#include "libgateway/plugin/services.hpp"

namespace gateway::plugins {

// Compact JSON. The schema is read each time; numbers of examples keep their text.
std::string_view generate_json(const json::Value& schema, Services& services, Arena& arena);
// The same content as elements below <data>; an array repeats its element.
std::string_view generate_xml(const json::Value& schema, Services& services, Arena& arena);

}  // namespace gateway::plugins
