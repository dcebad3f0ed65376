#include "libgateway/base/hash.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <array>
#include <cstring>
#include <string>

#include "tests/support/catch.hpp"

using namespace gateway;

namespace {

// What OpenSSL makes of it, with so many rounds.
Hash128 oracle(std::string_view bytes, const HashKey& key, unsigned word_rounds, unsigned end_rounds) {
    std::size_t size = 16;
    const OSSL_PARAM settings[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                                   OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_C_ROUNDS, &word_rounds),
                                   OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_D_ROUNDS, &end_rounds),
                                   OSSL_PARAM_construct_end()};
    EVP_MAC* mac = EVP_MAC_fetch(nullptr, "SIPHASH", nullptr);
    REQUIRE(mac);
    EVP_MAC_CTX* context = EVP_MAC_CTX_new(mac);
    std::array<unsigned char, 16> raw{}, out{};
    std::memcpy(raw.data(), &key, 16);
    REQUIRE(EVP_MAC_init(context, raw.data(), raw.size(), settings) == 1);
    REQUIRE(EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) == 1);
    REQUIRE(EVP_MAC_final(context, out.data(), &size, out.size()) == 1);
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    Hash128 hash;
    std::memcpy(&hash, out.data(), 16);
    return hash;
}

}  // namespace

TEST_CASE("hash: agrees with the published SipHash-128 vectors", "[base][hash]") {
    const HashKey key{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
    REQUIRE(hash128("", key) == Hash128{0xe6a825ba047f81a3ULL, 0x930255c71472f66dULL});
    REQUIRE(hash128("a") != hash128("b"));
}

TEST_CASE("hash: agrees with OpenSSL at every length, with either number of rounds", "[base][hash]") {
    const HashKey key{0x0123456789abcdefULL, 0xfedcba9876543210ULL};
    std::string text;
    for (int size = 0; size < 70; ++size) {
        CHECK(hash128(text, key) == oracle(text, key, 2, 4));
        CHECK(place128(text, key) == oracle(text, key, 1, 3));
        text.push_back(static_cast<char>(size * 37 + 200));
    }
}
