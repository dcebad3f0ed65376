#include "libgateway/base/strings.hpp"

#include <algorithm>
#include <vector>

namespace gateway {

std::string to_lower(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) c = to_lower(c);
    return lower;
}

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = diagonal + (to_lower(a[i - 1]) == to_lower(b[j - 1]) ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
        }
    }
    return row[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, const std::string_view* candidates, std::size_t count) {
    std::string_view best;
    std::size_t limit = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t distance = edit_distance(word, candidates[i]);
        if (distance < limit) {
            limit = distance;
            best = candidates[i];
        }
    }
    return best;
}

}  // namespace gateway
