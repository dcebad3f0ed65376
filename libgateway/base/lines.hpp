// Lines out of a stream that comes in any pieces, with a limit on how long one may become.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gateway {

// Takes any bytes in any slices.
class Lines {
public:
    explicit Lines(std::size_t limit) noexcept : limit_(limit) {}

    void feed(std::string_view bytes);
    // The next whole line, without "\n" (and "\r" before it); the view holds until the next call of anything. Nothing
    // while it is incomplete.
    std::optional<std::string_view> next();
    // A line, finished or not, is longer than the limit: nothing more is to be had from this stream.
    bool overlong() const noexcept { return overlong_; }
    // The stream may not end here.
    bool within_line() const noexcept { return at_ < buffer_.size(); }

private:
    std::size_t limit_;
    std::string buffer_;
    std::size_t at_ = 0;       // of the first byte not given out
    std::size_t scanned_ = 0;  // no end of line before this
    bool overlong_ = false;
};

}  // namespace gateway
