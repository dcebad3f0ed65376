// Huge pages for a large heap: a configuration of many routes is walked all over, and small pages cost it TLB misses.
#pragma once

#include <cstdint>

namespace gateway::process {

// Where the kernel can (MADV_COLLAPSE, Linux 6.1), the heap above `small_heap` is moved to huge pages piece by piece;
// elsewhere nothing happens. Memory in use hardly grows: only pieces that the heap has passed are moved.
class HeapPages {
public:
    static constexpr std::uintptr_t piece = 2 << 20, small_heap = 16 << 20;

    // From where the heap ends now.
    HeapPages() noexcept;
    // Moves at most one piece, which takes some tenths of a millisecond; a comparison if there is none.
    void tidy() noexcept {
        if (end() >= worth_it_ && end() >= next_ + 2 * piece) move_one();
    }
    std::uint32_t moved() const noexcept { return moved_; }

private:
    static std::uintptr_t end() noexcept;
    void move_one() noexcept;

    std::uintptr_t next_, worth_it_;
    std::uint32_t moved_ = 0;
};

}  // namespace gateway::process
