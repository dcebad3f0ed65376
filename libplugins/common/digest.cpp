// The library's direct functions: the newer interface makes and frees a state of its own for each digest.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "libplugins/common/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace gateway::plugins {

Sha256 sha256(std::initializer_list<std::string_view> parts) noexcept {
    SHA256_CTX state;
    SHA256_Init(&state);
    for (const std::string_view part : parts) SHA256_Update(&state, part.data(), part.size());
    Sha256 digest;
    SHA256_Final(digest.data(), &state);
    return digest;
}

std::array<char, 64> hex_of(const Sha256& digest) noexcept {
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<char, 64> text;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    return text;
}

bool equal_secretly(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace gateway::plugins
