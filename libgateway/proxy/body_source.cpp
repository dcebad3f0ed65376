#include "libgateway/proxy/body_source.hpp"

namespace gateway::proxy {

using http::BodyKind;

void BodySource::begin(net::Stream& stream, const http::BodyFraming& framing, std::string_view already) {
    stream_ = &stream;
    kind_ = framing.kind;
    length_ = framing.kind == BodyKind::length ? framing.length : 0;
    already_ = already.data();
    already_size_ = already.size();
    bulk_ = filled_ = false;
    rewind();
}

void BodySource::rewind() noexcept {
    left_ = length_;
    taken_ = 0;
    pending_ = {already_, already_size_};
    broken_ = false;
    finished_ = kind_ == BodyKind::none || (kind_ == BodyKind::length && left_ == 0);
    if (kind_ == BodyKind::chunked) chunks_.reset();
}

void BodySource::release() noexcept {
    block_.reset();
    kind_ = BodyKind::none;
    finished_ = true;
    taken_ = left_ = length_ = 0;
    already_ = nullptr;
    already_size_ = 0;
    pending_ = {};
}

BodyState BodySource::next(std::string_view& piece) {
    if (broken_) return BodyState::broken;
    if (finished_) return BodyState::end;
    if (kind_ == BodyKind::chunked) {
        const auto out = chunks_.feed(pending_);
        pending_.remove_prefix(out.consumed);
        switch (out.event) {
            case http::ChunkDecoder::Event::data:
                piece = out.data;
                taken_ += piece.size();
                return BodyState::data;
            case http::ChunkDecoder::Event::need_more:
                return BodyState::dry;
            case http::ChunkDecoder::Event::end:
                finished_ = true;
                return BodyState::end;
            case http::ChunkDecoder::Event::error:
                break;
        }
        broken_ = true;
        return BodyState::broken;
    }
    if (pending_.empty()) return BodyState::dry;
    const bool counted = kind_ == BodyKind::length;
    piece = counted ? pending_.substr(0, static_cast<std::size_t>(left_)) : pending_;
    pending_.remove_prefix(piece.size());
    taken_ += piece.size();
    if (counted) left_ -= piece.size();
    finished_ = counted && left_ == 0;
    return BodyState::data;
}

net::IoResult BodySource::fill(net::BufferPool& buffers) {
    const std::size_t wanted = bulk_ ? 65536 : 16384;
    if (block_.size() < wanted) {
        block_.reset();
        block_ = buffers.take(wanted);
    }
    const net::IoResult result = stream_->read(block_.from(0));
    if (result.state == net::IoState::done) {
        filled_ = true;
        pending_ = {block_.data(), result.bytes};
        bulk_ = result.bytes == block_.size();
    } else if (result.state == net::IoState::closed) {
        if (kind_ == BodyKind::until_close) {
            finished_ = true;
        } else {
            broken_ = true;
        }
    }
    return result;
}

}  // namespace gateway::proxy
