// Digests of request-time data (OpenSSL), without allocation.
#pragma once

#include <array>
#include <initializer_list>
#include <string_view>

namespace gateway::plugins {

using Sha256 = std::array<unsigned char, 32>;

// Of the parts, one behind the other.
Sha256 sha256(std::initializer_list<std::string_view> parts) noexcept;

// Lower-case hexadecimal digits.
std::array<char, 64> hex_of(const Sha256& digest) noexcept;

// Equal, in a time that depends on the lengths alone.
bool equal_secretly(std::string_view a, std::string_view b) noexcept;

}  // namespace gateway::plugins
