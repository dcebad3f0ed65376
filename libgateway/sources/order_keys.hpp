// Order keys: numbers with gaps that keep the written order of objects, so that an insertion changes no other object.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace gateway::sources {

inline constexpr std::uint64_t order_gap = std::uint64_t{1} << 32;

// Keys for a list in its new order. `old[i]` is the key that the i-th object had, if any. As many as possible keep
// theirs (the longest ascending run of them); the others get keys between their neighbours. If a gap is too small, all
// are renumbered.
std::vector<std::uint64_t> order_keys(const std::vector<std::optional<std::uint64_t>>& old);

}  // namespace gateway::sources
