#include "libplugins/limit_count/touched_keys.hpp"

#include <algorithm>

namespace gateway::plugins {

bool TouchedKeys::add(const Hash128& place, std::string_view text, std::int64_t window_ms) {
    if (slots_.size() < 2 * (keys_.size() + 1)) grow();
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = place.low & mask;
    for (; slots_[at] != 0; at = (at + 1) & mask) {
        if (keys_[slots_[at] - 1].place == place) return true;
    }
    if (keys_.size() >= most || texts_.size() + text.size() > most_bytes) return false;
    keys_.push_back({place, window_ms, texts_.size(), text.size()});
    texts_.append(text);
    slots_[at] = static_cast<std::uint32_t>(keys_.size());
    return true;
}

void TouchedKeys::clear() noexcept {
    if (!keys_.empty()) std::fill(slots_.begin(), slots_.end(), 0);
    keys_.clear();
    texts_.clear();
}

void TouchedKeys::grow() {
    slots_.assign(std::max<std::size_t>(16, 2 * slots_.size()), 0);
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        std::size_t at = keys_[i].place.low & (slots_.size() - 1);
        while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
        slots_[at] = static_cast<std::uint32_t>(i + 1);
    }
}

}  // namespace gateway::plugins
