// A balancer answers one question: which endpoint next. No socket in sight.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "libgateway/base/ref_counted.hpp"
#include "libgateway/upstream/pick_hint.hpp"

namespace gateway::upstream {

class Endpoint;

struct Node {
    Ref<Endpoint> endpoint;
    std::uint32_t weight = 1;
    std::int32_t priority = 0;
    std::string
        host_value;  // Host for pass_host `node`: the configured name, with the port unless it is the standard one
};

// Nodes already tried by one exchange, by position in Upstream::nodes(); positions beyond 255 count as untried.
using TriedSet = std::bitset<256>;
inline bool was_tried(const TriedSet& tried, int position) noexcept {
    return static_cast<std::size_t>(position) < tried.size() && tried[static_cast<std::size_t>(position)];
}

struct Attempt {
    bool failed = false;
    std::int64_t duration_ns = 0;
};

// Mutable picking state of one upstream version in one worker. Positions refer to the node list given at construction.
class Balancer {
public:
    static constexpr int none = -1;
    virtual ~Balancer() = default;
    // Position of the node to try; `none` if there is none usable and untried.
    virtual int pick(const PickHint& hint, const TriedSet& tried) noexcept = 0;
    // How the attempt at that node went.
    virtual void settle(int /*node*/, const Attempt&) noexcept {}
};

// Null if the type is unknown and there is more than one node to choose from. `seed` decides the start position.
std::unique_ptr<Balancer> make_balancer(std::string_view type, const std::vector<Node>& nodes, std::uint64_t seed);

}  // namespace gateway::upstream
