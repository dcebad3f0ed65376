// Memory for coroutine frames: one free list per 64-byte size class, per thread, never returned while the thread lives.
#pragma once

#include <array>
#include <cstddef>
#include <new>

namespace gateway {

class FramePool {
public:
    static constexpr std::size_t grain = 64, largest = 4096;

    // Memory for `size` bytes, aligned for any object. Allocates only until the pool is warm; larger than `largest`:
    // always.
    static void* take(std::size_t size) {
        const std::size_t index = (size + grain - 1) / grain;
        if (index >= lists_.size()) return ::operator new(size);
        if (Free* head = lists_[index]) {
            lists_[index] = head->next;
            return head;
        }
        return ::operator new(index* grain);
    }
    static void give(void* memory, std::size_t size) noexcept {
        const std::size_t index = (size + grain - 1) / grain;
        if (index >= lists_.size()) return ::operator delete(memory);
        lists_[index] = ::new (memory) Free{lists_[index]};
    }
    // Gives everything idle back to the heap; for the end of a thread and for leak checks.
    static void trim() noexcept {
        for (Free*& head : lists_) {
            while (head) {
                Free* next = head->next;
                ::operator delete(head);
                head = next;
            }
        }
    }

private:
    struct Free {
        Free* next;
    };
    static inline thread_local constinit std::array<Free*, largest / grain + 1> lists_{};
};

}  // namespace gateway
