#include "libgateway/proxy/outgoing.hpp"

#include "libgateway/http/chunked.hpp"

namespace gateway::proxy {

void Outgoing::begin(net::Stream& stream, http::BodyKind kind) noexcept {
    stream_ = &stream;
    kind_ = kind;
    count_ = at_ = error_ = 0;
    size_at_ = 0;
    sent_ = body_queued_ = 0;
}

void Outgoing::raw(std::string_view bytes) noexcept {
    if (bytes.empty()) return;
    parts_[static_cast<std::size_t>(count_++)] = {const_cast<char*>(bytes.data()), bytes.size()};
}

void Outgoing::body(std::string_view piece) noexcept {
    if (piece.empty()) return;
    body_queued_ += piece.size();
    if (kind_ != http::BodyKind::chunked) return raw(piece);
    auto& line = sizes_[size_at_++];
    raw({line.data(), http::write_chunk_size(piece.size(), line.data())});
    raw(piece);
    raw("\r\n");
}

void Outgoing::end(std::string_view trailers) noexcept {
    if (kind_ != http::BodyKind::chunked) return;
    if (trailers.empty()) return raw(http::last_chunk);
    raw("0\r\n");
    raw(trailers);
    raw("\r\n");
}

FlushState Outgoing::flush() noexcept {
    while (at_ < count_) {
        iovec* first = &parts_[static_cast<std::size_t>(at_)];
        const net::IoResult result = stream_->write(first, count_ - at_);
        if (result.state == net::IoState::would_block) return FlushState::would_block;
        if (result.state != net::IoState::done) {
            error_ = result.error;
            return FlushState::failed;
        }
        sent_ += result.bytes;
        std::size_t left = result.bytes;
        while (at_ < count_ && left >= parts_[static_cast<std::size_t>(at_)].iov_len) {
            left -= parts_[static_cast<std::size_t>(at_++)].iov_len;
        }
        if (left > 0) {
            iovec& part = parts_[static_cast<std::size_t>(at_)];
            part.iov_base = static_cast<char*>(part.iov_base) + left;
            part.iov_len -= left;
        }
    }
    count_ = at_ = 0;
    size_at_ = 0;
    return FlushState::done;
}

}  // namespace gateway::proxy
