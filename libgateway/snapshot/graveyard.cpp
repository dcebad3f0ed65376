#include "libgateway/snapshot/graveyard.hpp"

#include "libgateway/base/clock.hpp"
#include "libgateway/route/disposal.hpp"

namespace gateway {

namespace {

// One clock reading per that many nodes; a node frees at most 32 objects.
constexpr std::size_t nodes_per_reading = 16;

}  // namespace

void Graveyard::open() noexcept {
    route::Disposal::hold_back(true);
}

void Graveyard::close() noexcept {
    route::Disposal::hold_back(false);
    while (route::Disposal::sweep(nodes_per_reading)) {
    }
}

bool Graveyard::dig(std::chrono::microseconds budget) noexcept {
    if (waiting() == 0) return true;
    const std::int64_t end = monotonic_ns() + std::chrono::nanoseconds(budget).count();
    while (route::Disposal::sweep(nodes_per_reading)) {
        if (monotonic_ns() >= end) return false;
    }
    return true;
}

std::size_t Graveyard::waiting() noexcept {
    return route::Disposal::waiting();
}

}  // namespace gateway
