// First look at the bytes of a head: where its lines end, and whether any byte in it has no business there. One pass,
// 16 bytes a step.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "libgateway/http/fields.hpp"

namespace gateway::http {

class HeadScan {
public:
    enum class Kind : std::uint8_t { incomplete, whole, bare_line_feed, bare_carriage_return, control, too_many_lines };

    // Looks at `buffer` from `start`, the first byte of the head; nothing before `scanned` ends it. Of a whole head all
    // lines are known afterwards; anything but LF, CR and tab below 0x20, and 0x7f, makes it `control`.
    HeadScan(std::string_view buffer, std::size_t start, std::size_t scanned) noexcept;

    Kind kind() const noexcept { return kind_; }
    // One past the empty line.
    std::size_t end() const noexcept { return end_; }
    // Lines of a whole head without their ends; the first is the start line, the empty one at the end is left out.
    std::size_t size() const noexcept { return count_ - 1; }
    std::string_view line(std::size_t index) const noexcept {
        const std::size_t begin = index == 0 ? start_ : ends_[index - 1] + 2;
        return {base_ + begin, ends_[index] - begin};
    }

private:
    Kind run(std::size_t from, std::size_t size) noexcept;
    Kind take_feeds(std::size_t at, unsigned feeds) noexcept;

    const char* base_;
    std::size_t start_, end_ = 0, count_ = 0;
    Kind kind_;
    std::array<std::uint32_t, Fields::capacity + 2> ends_;  // of each line, where its CR stands
};

}  // namespace gateway::http
