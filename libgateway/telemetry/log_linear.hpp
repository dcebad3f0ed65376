// Buckets of a distribution: exact for small values, then as many to each power of two.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace gateway::telemetry {

// 2^SubBits buckets to each power of two, so a value is at most 2^-SubBits off. Values of 2^(HighestBit + 1) and more
// count as the largest.
template <unsigned SubBits, unsigned HighestBit>
struct LogLinear {
    static constexpr std::size_t size = (std::size_t{HighestBit - SubBits} << SubBits) + (2u << SubBits);

    static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
        constexpr std::uint64_t largest = (std::uint64_t{2} << HighestBit) - 1;
        const std::uint64_t known = std::min(value, largest);
        const unsigned shift = static_cast<unsigned>(std::bit_width(known | ((2u << SubBits) - 1))) - 1 - SubBits;
        return (std::size_t{shift} << SubBits) + static_cast<std::size_t>(known >> shift);
    }
    // The least value that is too large for the bucket.
    static constexpr std::uint64_t end_of(std::size_t bucket) noexcept {
        const std::size_t shift = bucket < (2u << SubBits) ? 0 : (bucket >> SubBits) - 1;
        return std::uint64_t{bucket - (shift << SubBits) + 1} << shift;
    }
};

}  // namespace gateway::telemetry
