// Questions that a schema asks about one JSON value.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "libgateway/json/describe.hpp"

namespace gateway::schema {

// An empty array and an empty object are the same, as in the reference.
bool is_object_like(const json::Value& value) noexcept;
bool is_array_like(const json::Value& value) noexcept;
using json::code_points;
using json::reference_type;

// Of a JSON number, exact whatever its length: `3.0` and `1e3` are whole.
bool is_whole(std::string_view number) noexcept;
// Exact while both fit into 18 digits at the same scale, else by doubles. `step` is above 0.
bool is_multiple(const std::string& number, const std::string& step) noexcept;

// The first item that has an equal one before it, and the first of those; zero-based.
std::optional<std::pair<std::size_t, std::size_t>> first_equal_pair(const json::Value::Array& items);

}  // namespace gateway::schema
