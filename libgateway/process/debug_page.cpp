#include "libgateway/process/debug_page.hpp"

#include <algorithm>
#include <cstring>

namespace gateway::process {

bool DebugPage::write(std::string_view text) noexcept {
    if (text.size() > room) return false;
    const std::uint64_t odd = version_.load(std::memory_order_relaxed) | 1;
    version_.store(odd, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    size_.store(text.size(), std::memory_order_relaxed);
    for (std::size_t at = 0; at < text.size(); at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + at, std::min<std::size_t>(8, text.size() - at));
        words_[at / 8].store(word, std::memory_order_relaxed);
    }
    version_.store(odd + 1, std::memory_order_release);
    return true;
}

std::optional<std::string> DebugPage::read(std::uint64_t& version) const {
    const std::uint64_t before = version_.load(std::memory_order_acquire);
    if (before & 1) return std::nullopt;
    const std::size_t size = std::min<std::size_t>(size_.load(std::memory_order_relaxed), room);
    std::string text(size, '\0');
    for (std::size_t at = 0; at < size; at += 8) {
        const std::uint64_t word = words_[at / 8].load(std::memory_order_relaxed);
        std::memcpy(text.data() + at, &word, std::min<std::size_t>(8, size - at));
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    if (version_.load(std::memory_order_relaxed) != before) return std::nullopt;
    version = before;
    return text;
}

}  // namespace gateway::process
