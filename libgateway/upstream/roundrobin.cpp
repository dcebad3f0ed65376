#include "libgateway/upstream/roundrobin.hpp"

#include <algorithm>
#include <numeric>

namespace gateway::upstream {

RoundRobin::RoundRobin(std::vector<Member> members, std::uint64_t seed) : members_(std::move(members)) {
    const auto useless = [](const Member& member) { return member.weight == 0; };
    members_.erase(std::remove_if(members_.begin(), members_.end(), useless), members_.end());
    for (const Member& member : members_) {
        greatest_ = std::max(greatest_, member.weight);
        step_ = std::gcd(step_, member.weight);
    }
    threshold_ = greatest_;
    if (!members_.empty()) cursor_ = seed % members_.size();
}

int RoundRobin::pick(const PickHint&, const TriedSet& tried) noexcept {
    // Laps whose threshold nobody left can reach are skipped at once: with weights like 1 and 10^9 there may be many.
    const std::uint32_t ceiling = greatest_untried(tried);
    if (ceiling == 0) return none;
    if (const int position = finish_lap(tried); position != none) return position;
    next_lap(ceiling);
    return finish_lap(tried);
}

int RoundRobin::finish_lap(const TriedSet& tried) noexcept {
    while (cursor_ < members_.size()) {
        const Member& member = members_[cursor_++];
        if (member.weight >= threshold_ && !was_tried(tried, member.position)) return member.position;
    }
    return none;
}

void RoundRobin::next_lap(std::uint32_t ceiling) noexcept {
    cursor_ = 0;
    threshold_ = threshold_ > step_ ? threshold_ - step_ : greatest_;
    // All weights are multiples of the step, so the ceiling is one of the thresholds that stepping would have met.
    threshold_ = std::min(threshold_, ceiling);
}

std::uint32_t RoundRobin::greatest_untried(const TriedSet& tried) const noexcept {
    if (tried.none()) return greatest_;
    std::uint32_t greatest = 0;
    for (const Member& member : members_) {
        if (!was_tried(tried, member.position)) greatest = std::max(greatest, member.weight);
    }
    return greatest;
}

}  // namespace gateway::upstream
