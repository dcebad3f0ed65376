// What messages of checks say about values, for all that check JSON.
#pragma once

#include <cstddef>
#include <string_view>

#include "libgateway/json/value.hpp"

namespace gateway::json {

// The type's name in messages, as the reference has it: "userdata" (null), "boolean", "number", "string", "table".
std::string_view reference_type(const Value& value) noexcept;
// Characters of UTF-8 text: every byte that starts none is not counted.
std::size_t code_points(std::string_view text) noexcept;

}  // namespace gateway::json
