// Where what an old snapshot kept alone is freed little by little, so that no turn of the loop is long.
#pragma once

#include <chrono>
#include <cstddef>

namespace gateway {

// Nodes of the router and of the persistent maps. Until open() they are freed at once, as tools and tests want it. Per
// thread.
class Graveyard {
public:
    // From now on nodes wait for dig(). A worker calls this once, before its first snapshot.
    static void open() noexcept;
    // Back to freeing at once; frees all that waits. To be called before what old snapshots point at goes (the endpoint
    // table).
    static void close() noexcept;
    // Frees for about `budget`; call once per loop turn. True when nothing waits.
    static bool dig(std::chrono::microseconds budget) noexcept;
    // Puts freed memory in order now, so that no later allocation has to; to be called often where much is freed.
    static void rake() noexcept;
    // Nodes known to be free; more may hang below them.
    static std::size_t waiting() noexcept;
};

}  // namespace gateway
