#include "libgateway/upstream/priority_levels.hpp"

#include <map>

namespace gateway::upstream {

PriorityLevels::PriorityLevels(const std::vector<Node>& nodes, const MakePicker& make) : level_of_(nodes.size()) {
    std::map<std::int32_t, std::vector<int>, std::greater<>> groups;
    for (std::size_t i = 0; i < nodes.size(); ++i) groups[nodes[i].priority].push_back(static_cast<int>(i));
    for (const auto& [priority, positions] : groups) {
        for (const int position : positions) {
            level_of_[static_cast<std::size_t>(position)] = static_cast<std::uint32_t>(levels_.size());
        }
        levels_.push_back(make(positions));
    }
}

int PriorityLevels::pick(const PickHint& hint, const TriedSet& tried) noexcept {
    for (const auto& level : levels_) {
        if (const int position = level->pick(hint, tried); position != none) return position;
    }
    return none;
}

void PriorityLevels::settle(int node, const Attempt& attempt) noexcept {
    if (node < 0 || static_cast<std::size_t>(node) >= level_of_.size()) return;
    levels_[level_of_[static_cast<std::size_t>(node)]]->settle(node, attempt);
}

}  // namespace gateway::upstream
