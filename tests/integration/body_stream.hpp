// Large bodies without holding them: a repeatable pattern by offset, and its digest while it goes by.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/connection.hpp"

namespace gateway::test {

// FNV-1a over eight bytes at a time: order and content count.
class Digest {
public:
    void add(std::string_view bytes) noexcept {
        for (const char c : bytes) {
            word_ = word_ << 8 | static_cast<unsigned char>(c);
            if (++size_ % 8 == 0) value_ = (value_ ^ word_) * 0x100000001b3u;
        }
    }
    std::uint64_t size() const noexcept { return size_; }
    friend bool operator==(const Digest& a, const Digest& b) noexcept {
        return a.value_ == b.value_ && a.size_ == b.size_ && a.word_ == b.word_;
    }

private:
    std::uint64_t value_ = 0xcbf29ce484222325u, word_ = 0, size_ = 0;
};

// The n-th block of the pattern; blocks differ from each other.
inline std::string_view pattern_block(std::uint64_t n) {
    static const std::string text = [] {
        std::string made(65536 + 256, '\0');
        std::uint64_t state = 88172645463325252u;
        for (char& c : made) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            c = static_cast<char>(state);
        }
        return made;
    }();
    return std::string_view(text).substr(n % 256, 65536);
}

inline Digest pattern_digest(std::uint64_t blocks) {
    Digest digest;
    for (std::uint64_t n = 0; n < blocks; ++n) digest.add(pattern_block(n));
    return digest;
}

// Reads `size` bytes away.
inline Digest drain(Connection& from, std::uint64_t size) {
    Digest digest;
    while (digest.size() < size) {
        if (from.pending().empty() && !from.fill()) break;
        const std::uint64_t left = size - digest.size();
        digest.add(from.take(left < from.pending().size() ? static_cast<std::size_t>(left) : from.pending().size()));
    }
    return digest;
}

}  // namespace gateway::test
