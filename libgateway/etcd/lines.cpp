#include "libgateway/etcd/lines.hpp"

namespace gateway::etcd {

void Lines::feed(std::string_view bytes) {
    if (overlong_) return;
    buffer_.erase(0, at_);
    scanned_ -= at_;
    at_ = 0;
    buffer_.append(bytes);
}

std::optional<std::string_view> Lines::next() {
    while (!overlong_) {
        const std::size_t end = buffer_.find('\n', scanned_);
        const std::size_t stop = end == buffer_.npos ? buffer_.size() : end;
        scanned_ = stop;
        overlong_ = stop - at_ > limit_;
        if (overlong_ || end == buffer_.npos) break;
        std::string_view line = std::string_view(buffer_).substr(at_, end - at_);
        at_ = scanned_ = end + 1;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (!line.empty()) return line;
    }
    return std::nullopt;
}

}  // namespace gateway::etcd
