#include "libgateway/route/disposal.hpp"

#include <limits>
#include <vector>

namespace gateway::route {
namespace {

struct Buried {
    const void* node;
    Disposal::Free free;
};
struct Bin {
    std::vector<Buried> buried;
    bool held_back = false, sweeping = false;
};

// Never destroyed: nodes of static or thread-local owners may be released after any destructor of this file.
Bin& bin() noexcept {
    thread_local Bin* const own = new Bin;
    return *own;
}

}  // namespace

void Disposal::bury(const void* node, Free free) noexcept {
    Bin& own = bin();
    own.buried.push_back({node, free});
    if (!own.held_back && !own.sweeping) sweep(std::numeric_limits<std::size_t>::max());
}

void Disposal::hold_back(bool on) noexcept {
    bin().held_back = on;
}

bool Disposal::sweep(std::size_t nodes) noexcept {
    Bin& own = bin();
    own.sweeping = true;
    for (; nodes > 0 && !own.buried.empty(); --nodes) {
        const Buried next = own.buried.back();
        own.buried.pop_back();
        next.free(next.node);
    }
    own.sweeping = false;
    if (own.buried.empty()) own.buried.shrink_to_fit();
    return !own.buried.empty();
}

std::size_t Disposal::waiting() noexcept {
    return bin().buried.size();
}

}  // namespace gateway::route
