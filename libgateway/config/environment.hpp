// `${{NAME}}` and `${{NAME:=default}}` in configuration files.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "libgateway/config/errors.hpp"
#include "libgateway/json/value.hpp"

namespace gateway::config {

// Value of a variable, or nothing if it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment process_environment();

// In the text of a YAML route file, before it is parsed, so that quotes in the file decide the type. A missing variable
// is an error at its place, except in lines that are comments; the reference stays in the text then.
std::string substitute_text(std::string_view text, const Environment& environment, Errors& errors);

// In all strings and keys of a parsed document. A string that was changed and now looks like a number, true or false
// becomes one.
void substitute_values(json::Value& value, const Environment& environment, Errors& errors);

}  // namespace gateway::config
