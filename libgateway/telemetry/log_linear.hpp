// Distribution of durations in fixed log-linear buckets: eight to each power of two, so a quantile is at most 12.5 %
// off.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace gateway::telemetry {

// One writer, any number of readers in other processes; lives in shared memory, all zero is empty.
class Histogram {
public:
    static constexpr unsigned sub_bits = 3;
    static constexpr unsigned highest_bit = 39;  // about 13 days in microseconds; larger values count as that
    static constexpr std::size_t size = ((highest_bit - sub_bits + 1) << sub_bits) + (1u << sub_bits);

    static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
        constexpr std::uint64_t largest = (std::uint64_t{2} << highest_bit) - 1;
        if (value > largest) value = largest;
        if (value < (1u << sub_bits)) return static_cast<std::size_t>(value);
        const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - sub_bits;
        return (static_cast<std::size_t>(shift) << sub_bits) + static_cast<std::size_t>(value >> shift);
    }
    // Largest value that falls into the bucket.
    static constexpr std::uint64_t upper_bound(std::size_t bucket) noexcept {
        if (bucket < (2u << sub_bits)) return bucket;
        const std::size_t shift = (bucket >> sub_bits) - 1;
        const std::uint64_t top = (bucket & ((1u << sub_bits) - 1)) | (1u << sub_bits);
        return ((top + 1) << shift) - 1;
    }

    void record(std::uint64_t value) noexcept {
        bump(buckets_[bucket_of(value)], 1);
        bump(sum_, value);
    }
    std::uint64_t at(std::size_t bucket) const noexcept { return buckets_[bucket].load(std::memory_order_relaxed); }
    std::uint64_t sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

private:
    static void bump(std::atomic<std::uint64_t>& cell, std::uint64_t by) noexcept {
        cell.store(cell.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
    }
    std::array<std::atomic<std::uint64_t>, size> buckets_{};
    std::atomic<std::uint64_t> sum_{};
};

// Plain sums of histograms of several workers, for the exporter.
class HistogramSum {
public:
    void add(const Histogram& part) noexcept {
        for (std::size_t i = 0; i < Histogram::size; ++i) buckets_[i] += part.at(i);
        sum_ += part.sum();
    }
    std::uint64_t count() const noexcept {
        std::uint64_t total = 0;
        for (const std::uint64_t bucket : buckets_) total += bucket;
        return total;
    }
    std::uint64_t sum() const noexcept { return sum_; }
    // A value that `share` (0 to 1) of all values do not exceed, rounded up to a bucket's bound; 0 when empty.
    std::uint64_t quantile(double share) const noexcept {
        const std::uint64_t total = count();
        if (total == 0) return 0;
        auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total));
        if (wanted >= total) wanted = total - 1;
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < Histogram::size; ++i) {
            seen += buckets_[i];
            if (seen > wanted) return Histogram::upper_bound(i);
        }
        return Histogram::upper_bound(Histogram::size - 1);
    }

private:
    std::array<std::uint64_t, Histogram::size> buckets_{};
    std::uint64_t sum_ = 0;
};

}  // namespace gateway::telemetry
