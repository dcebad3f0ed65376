#include "libgateway/telemetry/log_ring.hpp"

#include <unistd.h>

#include <bit>
#include <cstring>
#include <new>

namespace gateway::telemetry {

LogRing::LogRing(std::size_t bytes)
    : mask_(std::bit_ceil(bytes < 8192 ? std::size_t{8192} : bytes) - 1), memory_(new char[mask_ + 1]) {}

// Positions grow for ever; every record begins on a multiple of 16, so a header always fits before the end of a lap.
bool LogRing::fits(std::uint64_t at, std::size_t bytes) noexcept {
    if (at + bytes - seen_tail_ <= capacity()) return true;
    seen_tail_ = tail_.load(std::memory_order_acquire);
    return at + bytes - seen_tail_ <= capacity();
}

char* LogRing::reserve(std::size_t most) noexcept {
    const std::size_t bytes = footprint(most);
    std::uint64_t at = head_.load(std::memory_order_relaxed);
    const std::size_t left = capacity() - (at & mask_);
    if (bytes > left) {
        if (bytes > capacity() || !fits(at, left + bytes)) return nullptr;
        ::new (memory_.get() + (at & mask_)) Header{skip, 0, 0};
        at += left;
    } else if (!fits(at, bytes)) {
        return nullptr;
    }
    reserved_ = at;
    return memory_.get() + (at & mask_) + sizeof(Header);
}

void LogRing::commit(std::size_t size, LogLevel level, std::int64_t time_ms) noexcept {
    ::new (memory_.get() + (reserved_ & mask_))
        Header{static_cast<std::uint32_t>(size), static_cast<std::uint32_t>(level), time_ms};
    const std::uint64_t head = reserved_ + footprint(size);
    head_.store(head, std::memory_order_release);
    if (head - seen_tail_ < capacity() / 2) {
        woken_ = false;
        return;
    }
    seen_tail_ = tail_.load(std::memory_order_acquire);
    if (!woken_ && head - seen_tail_ >= capacity() / 2) wake();
}

void LogRing::wake() noexcept {
    woken_ = true;
    const int fd = wake_fd_.load(std::memory_order_relaxed);
    const std::uint64_t one = 1;
    // An eventfd write fails only when its counter is full, and then the consumer is awake already.
    if (fd >= 0 && ::write(fd, &one, sizeof one) < 0) woken_ = false;
}

bool LogRing::write(std::string_view text, LogLevel level, std::int64_t time_ms) noexcept {
    char* to = reserve(text.size());
    if (!to) {
        drop();
        return false;
    }
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    commit(text.size(), level, time_ms);
    return true;
}

bool LogRing::front(LogRecord& record) noexcept {
    std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    if (tail == head_.load(std::memory_order_acquire)) return false;
    const auto* header = reinterpret_cast<const Header*>(memory_.get() + (tail & mask_));
    if (header->size == skip) {
        tail += capacity() - (tail & mask_);
        tail_.store(tail, std::memory_order_release);
        header = reinterpret_cast<const Header*>(memory_.get() + (tail & mask_));
    }
    record.text = {reinterpret_cast<const char*>(header + 1), header->size};
    record.time_ms = header->time_ms;
    record.level = static_cast<LogLevel>(header->level);
    return true;
}

void LogRing::pop() noexcept {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    const auto* header = reinterpret_cast<const Header*>(memory_.get() + (tail & mask_));
    tail_.store(tail + footprint(header->size), std::memory_order_release);
}

}  // namespace gateway::telemetry
