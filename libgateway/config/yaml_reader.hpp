// Reads one YAML document straight into a JSON value with positions, without a YAML tree in between.
#pragma once

#include <optional>
#include <string_view>

#include "libgateway/json/value.hpp"

namespace gateway::config {

struct YamlLimits {
    std::size_t bytes = 64 << 20;
    std::size_t copied_nodes = 2'000'000;  // values made by anchors and aliases together
    std::size_t copied_bytes = 64 << 20;   // and their text
};

// An empty text is null. Keys become text as written; merge keys (`<<`) are resolved; anchors and aliases are copies
// and bounded; a second document, an unknown alias or a key that is no scalar is an error. Of equal keys the last wins.
std::optional<json::Value> try_read_yaml(std::string_view text, json::ParseFailure& why, const YamlLimits& limits = {});
// The same; throws json::ParseError.
json::Value read_yaml(std::string_view text, const YamlLimits& limits = {});

}  // namespace gateway::config
