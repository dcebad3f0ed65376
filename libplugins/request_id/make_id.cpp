#include "libplugins/request_id/make_id.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace gateway::plugins {
namespace {

using Bytes = std::array<unsigned char, 16>;

std::string_view write_uuid(Bytes& bytes, unsigned version, Arena& arena) {
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | version << 4);
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
    constexpr std::string_view digits = "0123456789abcdef";
    char* const begin = arena.chars(36);
    char* out = begin;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    return {begin, 36};
}

// Milliseconds and the 12 bits behind them of the last version 7 id of this thread.
struct LastV7 {
    std::uint64_t time = 0;
    std::uint32_t count = 0;
};
thread_local constinit LastV7 last_v7{};

void step_v7(std::uint64_t now, std::uint32_t random) noexcept {
    constexpr std::uint32_t count_end = 4096;
    if (now > last_v7.time) {
        last_v7 = {now, random % (count_end / 2)};
    } else if (++last_v7.count == count_end) {
        last_v7 = {last_v7.time + 1, 0};
    }
}

}  // namespace

std::string_view make_uuid(Services& services, Arena& arena) {
    Bytes bytes;
    services.secure_random(bytes.data(), bytes.size());
    return write_uuid(bytes, 4, arena);
}

std::string_view make_uuidv7(Services& services, Arena& arena) {
    Bytes bytes;
    services.secure_random(bytes.data(), bytes.size());
    step_v7(static_cast<std::uint64_t>(services.now_ms()), bytes[6] << 8u | bytes[7]);
    for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<unsigned char>(last_v7.time >> (40 - 8 * i));
    bytes[6] = static_cast<unsigned char>(last_v7.count >> 8);
    bytes[7] = static_cast<unsigned char>(last_v7.count);
    return write_uuid(bytes, 7, arena);
}

std::string_view make_nanoid(Services& services, Arena& arena) {
    constexpr std::string_view alphabet = "-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static_assert(alphabet.size() == 64);
    return make_range_id(services, alphabet, 21, arena);
}

std::string_view make_ksuid(Services& services, Arena& arena) {
    constexpr std::string_view digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    constexpr std::int64_t epoch = 1'400'000'000;
    std::array<std::uint32_t, 5> number{};  // 160 bits, most significant word first
    services.secure_random(number.data() + 1, 16);
    number[0] = static_cast<std::uint32_t>(services.now_ms() / 1000 - epoch);
    char* const begin = arena.chars(27);
    for (std::size_t at = 27; at-- > 0;) {
        std::uint64_t rest = 0;
        for (std::uint32_t& word : number) {
            const std::uint64_t part = rest << 32 | word;
            word = static_cast<std::uint32_t>(part / 62);
            rest = part % 62;
        }
        begin[at] = digits[rest];
    }
    return {begin, 27};
}

std::string_view make_range_id(Services& services, std::string_view alphabet, std::size_t length, Arena& arena) {
    char* const begin = arena.chars(length);
    // Values at or above the greatest multiple of the alphabet's size would favour its first characters.
    const auto size = static_cast<std::uint32_t>(alphabet.size());
    const std::uint32_t limit = 65536 - 65536 % size;
    std::array<std::uint16_t, 32> drawn;
    std::size_t left = 0;
    for (std::size_t i = 0; i < length;) {
        if (left == 0) {
            left = std::min(drawn.size(), length - i);
            services.secure_random(drawn.data(), left * sizeof drawn[0]);
        }
        const std::uint32_t value = drawn[--left];
        if (value < limit) begin[i++] = alphabet[value % size];
    }
    return {begin, length};
}

}  // namespace gateway::plugins
