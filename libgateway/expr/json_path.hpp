// Paths into a JSON body (`post_arg.<path>`): dotted members, or a JSONPath subset with [*], [n], ['name'], .. and *.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/arena.hpp"

namespace gateway::expr {

struct VariableValue;

// One step from a value to others below it.
struct JsonStep {
    enum class Kind : std::uint8_t { member, element, any };
    Kind kind = Kind::member;
    bool descend = false;    // `..`: at this value and at all below it
    std::int64_t index = 0;  // of element; negative counts from the end
    std::string name;        // of member
};

// Compiled with the configuration; immutable.
struct JsonPath {
    std::vector<JsonStep> steps;
    bool list = false;    // JSONPath form: the result is a list of all matches, absent when there is none
    bool broken = false;  // not understood: always absent
};

JsonPath compile_json_path(std::string_view path);

// The value at `path` in the JSON text `body`. Absent if the body is not JSON, too deeply nested, or has nothing there;
// of members with equal names the last counts. Work is bounded by a small multiple of the body's size. Results live in
// `arena` or point into `body`.
VariableValue read_json(const JsonPath& path, std::string_view body, Arena& arena);

}  // namespace gateway::expr
