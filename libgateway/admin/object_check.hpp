// Everything that can be wrong with an object that is written, in the order of the reference, as one text.
#pragma once

#include <string>
#include <string_view>

#include "libgateway/admin/objects.hpp"
#include "libgateway/json/value.hpp"

namespace gateway::admin {

// Of one object on its own: schema, plugins, expressions, what this build has. Empty: nothing is wrong. `value` has its
// secrets open; `id` is its name in the store.
std::string object_refusal(config::Kind kind, std::string_view id, const json::Value& value,
                           const sources::CheckRules& rules);

// The same, with what it says about other objects: references, credentials and global rules that exist already.
std::string write_refusal(config::Kind kind, std::string_view id, const json::Value& value, const Objects& objects);

// By the schema alone, as `POST /schema/validate` answers.
std::string schema_refusal(config::Kind kind, const json::Value& value);

}  // namespace gateway::admin
