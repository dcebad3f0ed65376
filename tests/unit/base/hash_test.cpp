#include "libgateway/base/hash.hpp"

#include "tests/support/catch.hpp"

using namespace gateway;

TEST_CASE("hash: agrees with the published SipHash-128 vectors", "[base][hash]") {
    const HashKey key{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
    REQUIRE(hash128("", key) == Hash128{0xe6a825ba047f81a3ULL, 0x930255c71472f66dULL});
    REQUIRE(hash128("a") != hash128("b"));
}
