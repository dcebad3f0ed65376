// Hashes and HMAC (RFC 2104) of what a request holds, without allocation.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace gateway::plugins {

enum class Hash : std::uint8_t { sha1, sha256, sha384, sha512 };

struct HashValue {
    std::array<char, 64> bytes{};
    std::size_t size = 0;
    std::string_view view() const noexcept { return {bytes.data(), size}; }
};

// Of the pieces one behind the other.
HashValue hash_of(Hash hash, std::initializer_list<std::string_view> pieces) noexcept;
HashValue hmac_of(Hash hash, std::string_view key, std::initializer_list<std::string_view> pieces) noexcept;

}  // namespace gateway::plugins
