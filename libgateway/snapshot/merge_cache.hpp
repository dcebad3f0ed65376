// Chains of routes merged with a consumer's entries, kept by the versions that they were made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "libgateway/base/ref_counted.hpp"
#include "libgateway/plugin/chain.hpp"

namespace gateway {

// Versions are never used again, so an entry is right or it is never asked for any more; nothing has to be told when
// something changes. Bounded: a new entry takes the place of an old one. One worker.
class MergeCache {
public:
    struct Key {
        std::uint64_t chain = 0, consumer = 0, group = 0, settings = 0;
        friend bool operator==(const Key&, const Key&) = default;
    };
    // Null if it is not kept.
    const Chain* find(const Key& key) const noexcept;
    void keep(const Key& key, Ref<const Chain> chain);

private:
    static constexpr std::size_t sets = 2048, ways = 2;  // 4,096 chains
    struct Slot {
        Key key;
        Ref<const Chain> chain;
    };
    static std::size_t set_of(const Key& key) noexcept;
    std::vector<Slot> slots_;  // empty until the first is kept
};

}  // namespace gateway
