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
    void rounds(int count) noexcept {
        for (int i = 0; i < count; ++i) round();
    }
    std::uint64_t word() const noexcept { return v0 ^ v1 ^ v2 ^ v3; }
};

// What is left behind the last whole word, as one little-endian number.
std::uint64_t tail_of(std::string_view bytes) noexcept {
    const std::size_t size = bytes.size() % 8;
    std::uint64_t tail = 0;
    if (bytes.size() > 8 && size > 0) {
        std::memcpy(&tail, bytes.data() + bytes.size() - 8, 8);
        return tail >> (64 - 8 * size);
    }
    for (std::size_t i = 0; i < size; ++i) {
        tail |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    }
    return tail;
}

template <int WordRounds, int EndRounds>
Hash128 sip_hash(std::string_view bytes, const HashKey& key) noexcept {
    State state{0x736f6d6570736575ULL ^ key.low, 0x646f72616e646f6dULL ^ key.high ^ 0xee,
                0x6c7967656e657261ULL ^ key.low, 0x7465646279746573ULL ^ key.high};
    const char* at = bytes.data();
    for (std::size_t left = bytes.size(); left >= 8; left -= 8, at += 8) {
        std::uint64_t word;
        std::memcpy(&word, at, 8);
        state.v3 ^= word;
        state.rounds(WordRounds);
        state.v0 ^= word;
    }
    const std::uint64_t last = static_cast<std::uint64_t>(bytes.size()) << 56 | tail_of(bytes);
    state.v3 ^= last;
    state.rounds(WordRounds);
    state.v0 ^= last;
    state.v2 ^= 0xee;
    Hash128 result;
    state.rounds(EndRounds);
    result.low = state.word();
    state.v1 ^= 0xdd;
    state.rounds(EndRounds);
    result.high = state.word();
    return result;
}

}  // namespace

Hash128 hash128(std::string_view bytes, const HashKey& key) noexcept {
    return sip_hash<2, 4>(bytes, key);
}

Hash128 place128(std::string_view bytes, const HashKey& key) noexcept {
    return sip_hash<1, 3>(bytes, key);
}

}  // namespace gateway
