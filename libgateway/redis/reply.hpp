// Replies of a Redis server, cut out of a stream of bytes; and commands as bytes.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::redis {

struct Reply {
    enum class Kind : std::uint8_t { nil, integer, text, status, error, array };
    Kind kind = Kind::nil;
    std::int64_t integer = 0;
    std::string text;  // of text, status and error
    std::vector<Reply> items;

    bool is_error() const noexcept { return kind == Kind::error; }
    friend bool operator==(const Reply&, const Reply&) = default;
};

// What was fed is not trusted: arrays are bounded, and bytes that wait for the end of a reply too.
class ReplyReader {
public:
    static constexpr std::size_t most_bytes = 8u << 20, most_items = 20'000;
    enum class State : std::uint8_t { complete, need_more, broken };

    ReplyReader();
    ~ReplyReader();
    ReplyReader(ReplyReader&&) noexcept;
    ReplyReader& operator=(ReplyReader&&) noexcept;

    void feed(std::string_view bytes);
    // After `broken` the stream cannot be read any further.
    State next(Reply& out);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// One command, appended as an array of bulk strings.
void append_command(std::string& to, std::span<const std::string_view> words);
inline void append_command(std::string& to, std::initializer_list<std::string_view> words) {
    append_command(to, std::span<const std::string_view>(words.begin(), words.size()));
}

}  // namespace gateway::redis
