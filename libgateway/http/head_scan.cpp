#include "libgateway/http/head_scan.hpp"

#include <bit>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace gateway::http {

namespace {

constexpr std::size_t step = 16;

// Of a block: one bit for each of its bytes.

#if defined(__SSE2__)
struct Block {
    explicit Block(const char* at) noexcept : bytes(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))) {}
    unsigned equal(char c) const noexcept {
        return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c))));
    }
    unsigned controls() const noexcept {
        const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
        const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
        return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(low, del)));
    }
    __m128i bytes;
};
#else
struct Block {
    explicit Block(const char* at) noexcept { std::memcpy(bytes, at, step); }
    unsigned equal(char c) const noexcept {
        unsigned mask = 0;
        for (std::size_t i = 0; i < step; ++i) mask |= static_cast<unsigned>(bytes[i] == c) << i;
        return mask;
    }
    unsigned controls() const noexcept {
        unsigned mask = equal(0x7f);
        for (std::size_t i = 0; i < step; ++i)
            mask |= static_cast<unsigned>(static_cast<unsigned char>(bytes[i]) < 0x20) << i;
        return mask;
    }
    char bytes[step];
};
#endif

// A block of the last bytes, filled up with what is no control character.
const char* copy_rest(char* block, const char* bytes, std::size_t size) noexcept {
    std::memset(block, ' ', step);
    std::memcpy(block, bytes, size);
    return block;
}

// What is wrong with the first bad byte.
HeadScan::Kind name_of(char c, unsigned expected, unsigned bad) noexcept {
    if (c == '\n') return HeadScan::Kind::bare_line_feed;
    const bool after_return = (expected & bad & (~bad + 1)) != 0;
    return after_return ? HeadScan::Kind::bare_carriage_return : HeadScan::Kind::control;
}

}  // namespace

HeadScan::HeadScan(std::string_view buffer, std::size_t start, std::size_t scanned) noexcept
    : base_(buffer.data()), start_(start) {
    kind_ = run(scanned > start ? scanned : start, buffer.size());
    if (kind_ == Kind::whole && scanned > start) {  // it came in pieces: the lines before were not kept
        count_ = 0;
        kind_ = run(start, buffer.size());
    }
}

// A line feed must stand exactly where a carriage return came before; the first byte that breaks this, or is another
// control character, ends the head unless the head has ended before it.
HeadScan::Kind HeadScan::run(std::size_t from, std::size_t size) noexcept {
    unsigned carried = from > start_ && base_[from - 1] == '\r' ? 1 : 0;
    for (std::size_t at = from; at < size; at += step) {
        char rest[step];
        const char* bytes = base_ + at;
        unsigned present = 0xffffu;
        if (size - at < step) {
            present = (1u << (size - at)) - 1;
            bytes = copy_rest(rest, bytes, size - at);
        }
        const Block block(bytes);
        const unsigned controls = block.controls();
        if ((controls | carried) == 0) continue;
        const unsigned feeds = block.equal('\n'), returns = block.equal('\r');
        const unsigned expected = returns << 1 | carried;
        carried = expected >> step;
        unsigned bad = (expected ^ feeds) & present;
        if (controls != (feeds | returns)) bad |= controls & ~(feeds | returns | block.equal('\t'));
        const unsigned before_bad = (bad & (~bad + 1)) - 1;  // all ones without a bad byte
        if (const Kind kind = take_feeds(at, feeds & before_bad); kind != Kind::incomplete) return kind;
        if (bad != 0) return name_of(base_[at + static_cast<std::size_t>(std::countr_zero(bad))], expected, bad);
    }
    return Kind::incomplete;
}

inline HeadScan::Kind HeadScan::take_feeds(std::size_t at, unsigned feeds) noexcept {
    for (; feeds != 0; feeds &= feeds - 1) {
        const std::size_t feed = at + static_cast<std::size_t>(std::countr_zero(feeds));
        if (count_ == ends_.size()) return Kind::too_many_lines;
        ends_[count_++] = static_cast<std::uint32_t>(feed - 1);
        if (feed < start_ + 3 || base_[feed - 2] != '\n') continue;
        end_ = feed + 1;
        return Kind::whole;
    }
    return Kind::incomplete;
}

}  // namespace gateway::http
