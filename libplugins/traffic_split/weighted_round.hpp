// Smooth weighted round robin over places without names: exact over a cycle of the sum of all weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "libgateway/plugin/services.hpp"

namespace gateway::plugins {

// Of one worker; begins somewhere by chance, so that workers do not move in step.
class WeightedRound {
public:
    static constexpr std::size_t none = SIZE_MAX;

    void add(std::uint32_t weight) {
        weights_.push_back(weight);
        lead_.push_back(0);
    }
    // Whose turn it is; `none` if nobody has a weight.
    std::size_t next(Services& services) const noexcept {
        if (!begun_) {
            begun_ = true;
            for (std::uint64_t left = services.random() % most_skipped; left > 0; --left) step();
        }
        return step();
    }

private:
    static constexpr std::uint64_t most_skipped = 64;

    std::size_t step() const noexcept {
        std::int64_t sum = 0;
        std::size_t best = none;
        for (std::size_t i = 0; i < weights_.size(); ++i) {
            if (weights_[i] == 0) continue;
            sum += weights_[i];
            lead_[i] += weights_[i];
            if (best == none || lead_[i] > lead_[best]) best = i;
        }
        if (best != none) lead_[best] -= sum;
        return best;
    }

    std::vector<std::uint32_t> weights_;
    mutable std::vector<std::int64_t> lead_;
    mutable bool begun_ = false;
};

}  // namespace gateway::plugins
