// Takes the body of one message out of a stream: framing decoded, nothing copied, one block of memory whatever the
// size.
#pragma once

#include <cstdint>
#include <string_view>

#include "libgateway/http/chunked.hpp"
#include "libgateway/http/head.hpp"
#include "libgateway/net/buffer_pool.hpp"
#include "libgateway/net/stream.hpp"

namespace gateway::proxy {

enum class BodyState : std::uint8_t {
    data,    // a piece is at hand
    dry,     // needs bytes: fill()
    end,     // the body is complete
    broken,  // not the framing that the head announced
};

// One per direction of an exchange, reused. Pieces are views that live until the next fill().
class BodySource {
public:
    // `already`: bytes that arrived behind the head; they stay where they are until the exchange ends.
    void begin(net::Stream& stream, const http::BodyFraming& framing, std::string_view already);
    // A piece of the body out of what was read; no I/O.
    BodyState next(std::string_view& piece);
    // One read. `closed` ends a body of kind until_close and breaks every other.
    net::IoResult fill(net::BufferPool& buffers);
    // Lets everything go; what it says afterwards is that of a request without a body.
    void release() noexcept;

    bool finished() const noexcept { return finished_; }
    bool broken() const noexcept { return broken_; }
    // Whether all of it arrived with the head, untouched by any read: it can be sent again.
    bool whole_at_hand() const noexcept { return kind_ == http::BodyKind::length && already_size_ >= length_; }
    // Whether nothing was read since begin(): what has been taken so far can be taken again.
    bool can_rewind() const noexcept { return !filled_; }
    // From the start again; only if can_rewind().
    void rewind() noexcept;
    std::uint64_t taken() const noexcept { return taken_; }
    // Bytes left by Content-Length; 0 for other kinds.
    std::uint64_t left() const noexcept { return kind_ == http::BodyKind::length ? left_ : 0; }
    http::BodyKind kind() const noexcept { return kind_; }
    // What was read behind the end of the body.
    std::string_view leftover() const noexcept { return pending_; }
    const http::ChunkDecoder& chunks() const noexcept { return chunks_; }

private:
    net::Stream* stream_ = nullptr;
    http::BodyKind kind_ = http::BodyKind::none;
    bool finished_ = true, broken_ = false, bulk_ = false, filled_ = false;
    std::uint64_t length_ = 0, left_ = 0, taken_ = 0;
    const char* already_ = nullptr;
    std::size_t already_size_ = 0;
    std::string_view pending_;
    net::Buffer block_;
    http::ChunkDecoder chunks_;
};

}  // namespace gateway::proxy
