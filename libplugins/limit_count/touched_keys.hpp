// The keys that a worker has to tell Redis of at the next synchronisation, each once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/hash.hpp"

namespace gateway::plugins {

// Bounded; keeps its memory when emptied.
class TouchedKeys {
public:
    static constexpr std::size_t most = 10'000, most_bytes = 4u << 20;

    struct Key {
        Hash128 place;
        std::int64_t window_ms;
        std::size_t text_at, text_size;
    };
    // False: there is no room for it.
    bool add(const Hash128& place, std::string_view text, std::int64_t window_ms);
    void clear() noexcept;
    std::size_t size() const noexcept { return keys_.size(); }
    const Key& operator[](std::size_t at) const noexcept { return keys_[at]; }
    std::string_view text_of(const Key& key) const noexcept {
        return std::string_view(texts_).substr(key.text_at, key.text_size);
    }

private:
    void grow();

    std::vector<Key> keys_;
    std::string texts_;
    std::vector<std::uint32_t> slots_;  // positions in keys_, counted from 1; 0: free
};

}  // namespace gateway::plugins
