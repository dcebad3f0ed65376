// The two forms of PATCH: merging an object into another, and replacing what a path leads to.
#pragma once

#include <span>
#include <string>

#include "libgateway/json/value.hpp"

namespace gateway::admin {

// Objects are merged member by member at every depth, anything else replaces what was there, null removes it. Numbers
// keep their text.
void merge(json::Value& into, const json::Value& patch);

// Replaces the member that the names lead to, null removes it; objects that are missing on the way are made. False,
// with nothing changed, if the path goes through a text, a number, a boolean or an array.
bool replace_at(json::Value& into, std::span<const std::string> path, const json::Value& value);

}  // namespace gateway::admin
