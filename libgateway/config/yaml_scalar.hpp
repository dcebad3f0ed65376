// What a plain YAML 1.1 scalar means: null, boolean, number or text.
#pragma once

#include <string_view>

#include "libgateway/json/value.hpp"

namespace gateway::config {

// Integers keep all digits and fractions their text; `+`, `_`, leading zeros, octal, binary and hexadecimal are written
// as JSON numbers. What JSON cannot hold (.inf, .nan) and sexagesimal numbers (12:30) stay text.
json::Value plain_scalar(std::string_view text);

}  // namespace gateway::config
