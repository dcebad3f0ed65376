#include "libgateway/base/hash.hpp"

#include <cstring>

namespace gateway {

namespace {

constexpr std::uint64_t rotate(std::uint64_t value, int bits) noexcept {
    return (value << bits) | (value >> (64 - bits));
}

struct State {
    std::uint64_t v0, v1, v2, v3;

    void round() noexcept {
        v0 += v1, v1 = rotate(v1, 13), v1 ^= v0, v0 = rotate(v0, 32);
        v2 += v3, v3 = rotate(v3, 16), v3 ^= v2;
        v0 += v3, v3 = rotate(v3, 21), v3 ^= v0;
        v2 += v1, v1 = rotate(v1, 17), v1 ^= v2, v2 = rotate(v2, 32);
    }
    std::uint64_t finish() noexcept {
        for (int i = 0; i < 4; ++i) round();
        return v0 ^ v1 ^ v2 ^ v3;
    }
};

}  // namespace

Hash128 hash128(std::string_view bytes, const HashKey& key) noexcept {
    State state{0x736f6d6570736575ULL ^ key.low, 0x646f72616e646f6dULL ^ key.high ^ 0xee,
                0x6c7967656e657261ULL ^ key.low, 0x7465646279746573ULL ^ key.high};
    const char* at = bytes.data();
    for (std::size_t left = bytes.size(); left >= 8; left -= 8, at += 8) {
        std::uint64_t word;
        std::memcpy(&word, at, 8);
        state.v3 ^= word;
        state.round();
        state.round();
        state.v0 ^= word;
    }
    std::uint64_t last = static_cast<std::uint64_t>(bytes.size()) << 56;
    for (std::size_t i = 0; i < bytes.size() % 8; ++i) {
        last |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])) << (8 * i);
    }
    state.v3 ^= last;
    state.round();
    state.round();
    state.v0 ^= last;
    state.v2 ^= 0xee;
    Hash128 result;
    result.low = state.finish();
    state.v1 ^= 0xdd;
    result.high = state.finish();
    return result;
}

}  // namespace gateway
