// Counts heap allocations by standing in for malloc, calloc, realloc, aligned_alloc, posix_memalign and memalign.
#pragma once

#include <cstdint>

namespace gateway::test {

// Allocations made by this thread since the program started. `operator new` ends in malloc and is counted once.
// Under the address sanitizer the same is counted through its hooks.
std::uint64_t allocations_of_this_thread() noexcept;

// How many allocations this thread has made since the object was made.
class AllocCount {
public:
    AllocCount() noexcept : start_(allocations_of_this_thread()) {}
    std::uint64_t count() const noexcept { return allocations_of_this_thread() - start_; }

private:
    std::uint64_t start_;
};

}  // namespace gateway::test
