// JSON written straight into a text that is used again and again; what is no UTF-8 becomes U+FFFD.
#pragma once

#include <string>
#include <string_view>

namespace gateway::plugins {

// A string with its quotes.
void append_json_string(std::string& out, std::string_view text);
// `"name":` with a comma before it unless an object or the text begins here.
void append_json_name(std::string& out, std::string_view name);

}  // namespace gateway::plugins
