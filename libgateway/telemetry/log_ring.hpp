// Bytes from one thread that must never wait to one that may: a single-producer single-consumer ring of log records.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "libgateway/base/log.hpp"

namespace gateway::telemetry {

struct LogRecord {
    std::string_view text;
    std::int64_t time_ms = 0;  // of the wall clock; 0: the text is the whole line, with its end
    LogLevel level = LogLevel::info;
};

// Producer: reserve, fill, commit; allocates nothing, waits for nobody; a full ring drops the record and counts it.
// Consumer: front, pop. Records are contiguous in memory; each is preceded by its size.
class LogRing {
    struct Header {
        std::uint32_t size;  // of the text; `skip` ends the lap
        std::uint32_t level;
        std::int64_t time_ms;
    };

public:
    // `bytes` is rounded up to a power of two, at least 8 KiB.
    explicit LogRing(std::size_t bytes);
    LogRing(const LogRing&) = delete;
    LogRing& operator=(const LogRing&) = delete;

    // Room for `most` bytes of text, or null. Does not count a drop: the caller may ask for less or give up with
    // drop().
    char* reserve(std::size_t most) noexcept;
    // Publishes the reserved record with its first `size` bytes. Call once after a successful reserve.
    void commit(std::size_t size, LogLevel level = LogLevel::info, std::int64_t time_ms = 0) noexcept;
    void drop() noexcept { dropped_.store(dropped() + 1, std::memory_order_relaxed); }
    // All three in one; false if it was dropped.
    bool write(std::string_view text, LogLevel level = LogLevel::info, std::int64_t time_ms = 0) noexcept;
    std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }
    std::size_t capacity() const noexcept { return mask_ + 1; }
    // Largest text that always fits an empty ring, wherever it stands.
    std::size_t most() const noexcept { return capacity() / 2 - sizeof(Header); }

    // Oldest record; false if there is none. The view lives until pop().
    bool front(LogRecord& record) noexcept;
    void pop() noexcept;

    // Descriptor that the producer writes to when the ring becomes half full, so that the consumer wakes up early. -1:
    // none.
    void wake_by(int event_fd) noexcept { wake_fd_.store(event_fd, std::memory_order_relaxed); }

private:
    static constexpr std::uint32_t skip = 0xffffffffu;
    static std::size_t footprint(std::size_t size) noexcept {
        return sizeof(Header) + ((size + 15) & ~std::size_t{15});
    }
    bool fits(std::uint64_t at, std::size_t bytes) noexcept;
    void wake() noexcept;

    std::size_t mask_;
    std::unique_ptr<char[]> memory_;
    alignas(64) std::atomic<std::uint64_t> head_{0};  // written by the producer
    std::uint64_t reserved_ = 0, seen_tail_ = 0;
    std::atomic<std::uint64_t> dropped_{0};
    std::atomic<int> wake_fd_{-1};
    bool woken_ = false;
    alignas(64) std::atomic<std::uint64_t> tail_{0};  // written by the consumer
};

}  // namespace gateway::telemetry
