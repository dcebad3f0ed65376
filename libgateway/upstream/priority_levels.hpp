// Groups of nodes by priority: the next lower group is asked only when the group above has nobody left.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "libgateway/upstream/balancer.hpp"

namespace gateway::upstream {

// One picker per priority, highest number first (upstream.md 4). The pickers answer with positions of the whole list.
class PriorityLevels final : public Balancer {
public:
    // Called once per group with the positions of its nodes.
    using MakePicker = std::function<std::unique_ptr<Balancer>(const std::vector<int>& positions)>;
    PriorityLevels(const std::vector<Node>& nodes, const MakePicker& make);
    int pick(const PickHint& hint, const TriedSet& tried) noexcept override;
    void settle(int node, const Attempt& attempt) noexcept override;

private:
    std::vector<std::unique_ptr<Balancer>> levels_;
    std::vector<std::uint32_t> level_of_;  // by position
};

}  // namespace gateway::upstream
