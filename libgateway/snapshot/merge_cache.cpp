#include "libgateway/snapshot/merge_cache.hpp"

#include <utility>

namespace gateway {

std::size_t MergeCache::set_of(const Key& key) noexcept {
    std::uint64_t mixed = key.chain * 0x9E3779B97F4A7C15ULL;
    mixed = (mixed ^ key.consumer) * 0xC2B2AE3D27D4EB4FULL;
    mixed = (mixed ^ key.group ^ key.settings << 32) * 0x165667B19E3779F9ULL;
    return static_cast<std::size_t>(mixed >> 40) % sets * ways;
}

const Chain* MergeCache::find(const Key& key) const noexcept {
    if (slots_.empty()) return nullptr;
    const std::size_t first = set_of(key);
    for (std::size_t at = first; at < first + ways; ++at) {
        if (slots_[at].key == key) return slots_[at].chain.get();
    }
    return nullptr;
}

// The younger of a set goes first; the one that was there longer moves on and falls out next time.
void MergeCache::keep(const Key& key, Ref<const Chain> chain) {
    if (slots_.empty()) slots_.resize(sets * ways);
    const std::size_t first = set_of(key);
    std::swap(slots_[first], slots_[first + 1]);
    slots_[first] = {key, std::move(chain)};
}

}  // namespace gateway
