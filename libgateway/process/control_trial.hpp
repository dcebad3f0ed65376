// An applied revision on trial: when it is taken back, and how the answers of the workers are watched meanwhile.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "libgateway/shm/segment.hpp"
#include "libgateway/store/store.hpp"

namespace gateway::process {

// "5xx>5%": more than that share of the answers are of the class.
struct RevertRule {
    unsigned status_class = 5;
    double percent = 0;
};
// Nothing if the text is no rule.
std::optional<RevertRule> parse_revert_rule(std::string_view text);

// "revision 12: reverts at 2026-11-21T10:00:00Z unless it is confirmed, and if 5xx>5%".
std::string text_of(const store::Trial& trial);

// Answers of all workers by class, as counted since they were started.
using Answers = std::array<std::uint64_t, 6>;
Answers count_answers(const shm::Segment& segment);

// What share of the newest answers are of a class. Fed at every look.
class ResponseWatch {
public:
    static constexpr std::size_t looks = 3;              // the window
    static constexpr std::uint64_t fewest_answers = 10;  // fewer in the window say nothing
    void forget() noexcept { seen_.clear(); }
    // Whether the rule holds for the answers since the oldest look in the window.
    bool look(const Answers& now, const RevertRule& rule);

private:
    std::deque<Answers> seen_;
};

}  // namespace gateway::process
