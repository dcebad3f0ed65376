// Base64 (RFC 4648, 4) of configurations and of requests.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libgateway/base/arena.hpp"

namespace gateway::plugins {

// Nothing if it is not padded base64 text; line breaks are not accepted.
std::optional<std::string> decode_base64(std::string_view text);

// The same for the request path, in `arena`; the padding may be missing.
std::optional<std::string_view> decode_base64(std::string_view text, Arena& arena);

// Padded.
std::string_view encode_base64(std::string_view bytes, Arena& arena);

}  // namespace gateway::plugins
