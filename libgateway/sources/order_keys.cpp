#include "libgateway/sources/order_keys.hpp"

#include <algorithm>
#include <limits>

namespace gateway::sources {

namespace {

using Keys = std::vector<std::optional<std::uint64_t>>;

// Marks the positions of a longest strictly ascending subsequence.
std::vector<bool> longest_ascent(const Keys& keys) {
    std::vector<std::size_t> tails, before(keys.size());  // tails[n]: end of the best ascent of length n + 1
    constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (!keys[i]) continue;
        const auto at = std::lower_bound(tails.begin(), tails.end(), *keys[i],
                                         [&](std::size_t tail, std::uint64_t key) { return *keys[tail] < key; });
        before[i] = at == tails.begin() ? none : *(at - 1);
        if (at == tails.end()) {
            tails.push_back(i);
        } else {
            *at = i;
        }
    }
    std::vector<bool> kept(keys.size());
    for (std::size_t i = tails.empty() ? none : tails.back(); i != none; i = before[i]) kept[i] = true;
    return kept;
}

// Fills result[first, last) with keys above `low` and below `high`; false if they do not fit.
bool fill(std::vector<std::uint64_t>& result, std::size_t first, std::size_t last, std::uint64_t low,
          std::uint64_t high) {
    const std::uint64_t count = last - first;
    const std::uint64_t step = std::min((high - low) / (count + 1), order_gap);
    if (step == 0) return false;
    for (std::size_t i = first; i < last; ++i) result[i] = low += step;
    return true;
}

std::vector<std::uint64_t> renumbered(std::size_t count) {
    std::vector<std::uint64_t> result(count);
    for (std::size_t i = 0; i < count; ++i) result[i] = (i + 1) * order_gap;
    return result;
}

}  // namespace

std::vector<std::uint64_t> order_keys(const Keys& old) {
    const std::vector<bool> kept = longest_ascent(old);
    std::vector<std::uint64_t> result(old.size());
    std::uint64_t low = 0;
    for (std::size_t i = 0; i < old.size();) {
        if (kept[i]) {
            low = result[i] = *old[i];
            ++i;
            continue;
        }
        std::size_t end = i;
        while (end < old.size() && !kept[end]) ++end;
        const std::uint64_t high = end < old.size() ? *old[end] : std::numeric_limits<std::uint64_t>::max();
        if (!fill(result, i, end, low, high)) return renumbered(old.size());
        low = result[end - 1];
        i = end;
    }
    return result;
}

}  // namespace gateway::sources
