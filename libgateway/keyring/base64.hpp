// Strict padded base64 (RFC 4648, 4) of stored texts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gateway::keyring {

// Nothing if the text is not padded base64, has blanks or line ends, or bits behind its last byte.
std::optional<std::string> decode_base64(std::string_view text);
std::string encode_base64(std::string_view bytes);

}  // namespace gateway::keyring
