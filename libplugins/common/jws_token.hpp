// A compact JSON Web Token (RFC 7515, 7519) taken apart, strictly and in place; nothing of it is believed yet.
#pragma once

#include <cstdint>
#include <string_view>

#include "libgateway/base/arena.hpp"

namespace gateway::plugins {

enum class TokenFault : std::uint8_t {
    none,
    shape,    // not three parts of base64url, or too long
    header,   // the first part is no JSON object
    payload,  // the second part is no JSON object
};

// Views of the token's text and of the arena.
struct JwsToken {
    std::string_view header, payload;  // JSON objects as text
    std::string_view signature;        // bytes
    std::string_view signed_part;      // what the signature is of
};

constexpr std::size_t longest_token = 64 * 1024;

TokenFault parse_token(std::string_view text, Arena& arena, JwsToken& token);

// The text of the value of a member of a JSON object that parse_token has accepted; of several the last. Empty if there
// is none. A string is recognised by its quote; its content is what json_string gives.
std::string_view member_of(std::string_view object, std::string_view name, Arena& arena);
// False if the value is not a string.
bool json_string(std::string_view value, Arena& arena, std::string_view& content);
// False if the value is not a number, or is none that a double can hold.
bool json_number(std::string_view value, double& number) noexcept;

}  // namespace gateway::plugins
