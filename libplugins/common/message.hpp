// The JSON bodies of refusals, made once when a plugin is built.
#pragma once

#include <string>
#include <string_view>

#include "libgateway/json/value.hpp"

namespace gateway::plugins {

// `{"<key>":"<text>"}`
inline std::string message_body(std::string_view key, std::string_view text) {
    return json::write(json::Value::object({{key, text}}));
}

}  // namespace gateway::plugins
