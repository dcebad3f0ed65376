// Interleaved weighted round robin: exact shares in every cycle, constant state, one cursor per group of nodes.
#pragma once

#include <cstdint>
#include <vector>

#include "libgateway/upstream/balancer.hpp"

namespace gateway::upstream {

// Nodes are visited in laps; a node is taken when its weight reaches the threshold, which starts at the greatest weight
// and drops by the greatest common divisor after each lap. A cycle of sum(weight / gcd) picks gives each node its
// share.
class RoundRobin final : public Balancer {
public:
    struct Member {
        int position;  // in the upstream's node list
        std::uint32_t weight;
    };
    // Members of weight 0 are never taken. `seed` decides which member is looked at first.
    RoundRobin(std::vector<Member> members, std::uint64_t seed);
    int pick(const PickHint& hint, const TriedSet& tried) noexcept override;

private:
    // Looks at the rest of the lap; `none` when it holds nobody.
    int finish_lap(const TriedSet& tried) noexcept;
    void next_lap(std::uint32_t ceiling) noexcept;
    std::uint32_t greatest_untried(const TriedSet& tried) const noexcept;

    std::vector<Member> members_;
    std::size_t cursor_ = 0;
    std::uint32_t greatest_ = 0, step_ = 0, threshold_ = 0;
};

}  // namespace gateway::upstream
