// Text of unknown length, grown in an arena.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "libgateway/base/arena.hpp"

namespace gateway::plugins {

// Lives as long as the arena; memory is doubled, the old part stays in the arena until it is emptied.
class ArenaText {
public:
    explicit ArenaText(Arena& arena, std::size_t expected = 128) : arena_(arena) { make_room(expected); }

    ArenaText& operator<<(std::string_view text) {
        if (size_ + text.size() > room_) make_room(std::max(2 * room_, size_ + text.size()));
        if (!text.empty()) std::memcpy(begin_ + size_, text.data(), text.size());
        size_ += text.size();
        return *this;
    }
    ArenaText& operator<<(char c) { return *this << std::string_view(&c, 1); }

    // `room()` bytes at `end()` may be written to; `wrote` takes them over.
    char* end() noexcept { return begin_ + size_; }
    std::size_t room() const noexcept { return room_ - size_; }
    void wrote(std::size_t count) noexcept { size_ += count; }
    void grow() { make_room(2 * room_); }

    std::string_view view() const noexcept { return {begin_, size_}; }
    std::size_t size() const noexcept { return size_; }

private:
    void make_room(std::size_t room) {
        char* const larger = arena_.chars(room);
        if (size_ > 0) std::memcpy(larger, begin_, size_);
        begin_ = larger;
        room_ = room;
    }
    Arena& arena_;
    char* begin_ = nullptr;
    std::size_t size_ = 0, room_ = 0;
};

}  // namespace gateway::plugins
