// Freeing of tree nodes without recursion, and, where a loop turn must stay short, in slices.
#pragma once

#include <cstddef>

namespace gateway::route {

// Per thread. By default a node is freed when its last reference goes, with everything that only it kept. While held
// back, nodes wait for sweep(): dropping the last copy of a large router then costs nothing at once.
class Disposal {
public:
    using Free = void (*)(const void* node) noexcept;

    static void bury(const void* node, Free free) noexcept;
    static void hold_back(bool on) noexcept;
    // Frees up to `nodes`; true if some are left. Freeing a node may bury those below it.
    static bool sweep(std::size_t nodes) noexcept;
    static std::size_t waiting() noexcept;  // nodes known to be free; more may hang below them
};

}  // namespace gateway::route
