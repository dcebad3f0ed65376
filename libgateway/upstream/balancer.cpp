#include "libgateway/upstream/balancer.hpp"

#include <algorithm>

#include "libgateway/upstream/priority_levels.hpp"
#include "libgateway/upstream/roundrobin.hpp"

namespace gateway::upstream {

namespace {

// The only node of an upstream is taken whatever its weight, and again for a retry (upstream.md 2 and 5).
class SingleNode final : public Balancer {
public:
    int pick(const PickHint&, const TriedSet&) noexcept override { return 0; }
};

std::unique_ptr<Balancer> make_round_robin(const std::vector<Node>& nodes, const std::vector<int>& positions,
                                           std::uint64_t seed) {
    std::vector<RoundRobin::Member> members;
    members.reserve(positions.size());
    for (const int position : positions) {
        members.push_back({position, nodes[static_cast<std::size_t>(position)].weight});
    }
    return std::make_unique<RoundRobin>(std::move(members), seed);
}

bool one_priority(const std::vector<Node>& nodes) noexcept {
    return std::all_of(nodes.begin(), nodes.end(),
                       [&](const Node& node) { return node.priority == nodes.front().priority; });
}

}  // namespace

std::unique_ptr<Balancer> make_balancer(std::string_view type, const std::vector<Node>& nodes, std::uint64_t seed) {
    if (nodes.size() == 1) return std::make_unique<SingleNode>();
    if (type != "roundrobin") return nullptr;
    const auto make = [&](const std::vector<int>& positions) { return make_round_robin(nodes, positions, seed); };
    if (!one_priority(nodes)) return std::make_unique<PriorityLevels>(nodes, make);
    std::vector<int> all(nodes.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i);
    return make(all);
}

}  // namespace gateway::upstream
