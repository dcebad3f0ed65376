// Writes the head of a message into a block that is known to be large enough.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace gateway::http {

// Looks at no end: the caller has made room for everything that it writes, and 20 bytes a number.
class TextWriter {
public:
    explicit TextWriter(char* at) noexcept : begin_(at), at_(at) {}
    [[gnu::always_inline]] TextWriter& operator<<(std::string_view text) noexcept {
        copy(text.data(), text.size());
        at_ += text.size();
        return *this;
    }
    TextWriter& operator<<(std::uint64_t number) noexcept {
        at_ = std::to_chars(at_, at_ + 20, number).ptr;
        return *this;
    }
    TextWriter& operator<<(char c) noexcept {
        *at_++ = c;
        return *this;
    }
    std::string_view bytes() const noexcept { return {begin_, static_cast<std::size_t>(at_ - begin_)}; }

private:
    // A head is some thirty names and values, most of them short: for those a call of memcpy costs more than the copy.
    // Two copies of a fixed size meet or overlap in the middle.
    [[gnu::always_inline]] void copy(const char* from, std::size_t size) noexcept {
        if (size > 32) {
            std::memcpy(at_, from, size);
        } else if (size >= 16) {
            both_ends<16>(from, size);
        } else if (size >= 8) {
            both_ends<8>(from, size);
        } else if (size >= 4) {
            both_ends<4>(from, size);
        } else if (size >= 2) {
            both_ends<2>(from, size);
        } else if (size == 1) {
            *at_ = *from;
        }
    }
    template <std::size_t Size>
    [[gnu::always_inline]] void both_ends(const char* from, std::size_t size) noexcept {
        std::memcpy(at_, from, Size);
        std::memcpy(at_ + size - Size, from + size - Size, Size);
    }
    char *begin_, *at_;
};

}  // namespace gateway::http
