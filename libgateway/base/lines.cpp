#include "libgateway/base/lines.hpp"

namespace gateway {

void Lines::feed(std::string_view bytes) {
    if (overlong_) return;
    buffer_.erase(0, at_);
    scanned_ -= at_;
    at_ = 0;
    buffer_.append(bytes);
}

std::optional<std::string_view> Lines::next() {
    if (overlong_) return std::nullopt;
    const std::size_t end = buffer_.find('\n', scanned_);
    scanned_ = end == buffer_.npos ? buffer_.size() : end;
    overlong_ = scanned_ - at_ > limit_;
    if (overlong_) buffer_ = {};
    if (overlong_ || end == buffer_.npos) return std::nullopt;
    std::string_view line = std::string_view(buffer_).substr(at_, end - at_);
    at_ = scanned_ = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

}  // namespace gateway
