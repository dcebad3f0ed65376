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
    TextWriter& operator<<(std::string_view text) noexcept {
        if (!text.empty()) std::memcpy(at_, text.data(), text.size());
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
    char *begin_, *at_;
};

}  // namespace gateway::http
