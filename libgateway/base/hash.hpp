// SipHash with 128-bit result: keyed, so that neither clients nor configuration authors can aim at collisions.
#pragma once

#include <cstdint>
#include <string_view>

namespace gateway {

struct Hash128 {
    std::uint64_t low = 0, high = 0;
    friend bool operator==(const Hash128& a, const Hash128& b) noexcept { return a.low == b.low && a.high == b.high; }
    friend bool operator!=(const Hash128& a, const Hash128& b) noexcept { return !(a == b); }
};

struct HashKey {
    std::uint64_t low = 0x736f6d6570736575ULL, high = 0x646f72616e646f6dULL;
};

// SipHash-2-4: for what is stored, sent or compared between processes.
Hash128 hash128(std::string_view bytes, const HashKey& key = {}) noexcept;
// SipHash-1-3, at two thirds of the cost: for places in tables that live in memory, on the path of requests.
Hash128 place128(std::string_view bytes, const HashKey& key = {}) noexcept;

}  // namespace gateway
