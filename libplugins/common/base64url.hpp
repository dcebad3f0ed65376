// Base64url (RFC 4648, 5) as the parts of a token are written: without padding, in one form only.
#pragma once

#include <optional>
#include <string_view>

#include "libgateway/base/arena.hpp"

namespace gateway::plugins {

// The bytes, in `arena`. Nothing if there is padding, another character, a length that cannot be, or a bit set behind
// the last byte: two texts never stand for the same bytes.
std::optional<std::string_view> decode_base64url(std::string_view text, Arena& arena);

}  // namespace gateway::plugins
