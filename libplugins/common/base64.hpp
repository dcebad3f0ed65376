// Base64 of configurations (RFC 4648, 4), for control's side and constructors.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gateway::plugins {

// Nothing if it is not padded base64 text; line breaks are not accepted.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace gateway::plugins
