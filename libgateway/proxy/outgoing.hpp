// Bytes on their way into a stream: a head, then body pieces with their framing, gathered into as few sends as they
// fit.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "libgateway/http/head.hpp"
#include "libgateway/net/stream.hpp"

namespace gateway::proxy {

enum class FlushState : std::uint8_t { done, would_block, failed };

// Holds views only: what is queued must stay alive until flush() says done. One per direction of an exchange, reused.
class Outgoing {
public:
    static constexpr int most_parts = 48;

    void begin(net::Stream& stream, http::BodyKind kind) noexcept;
    // Bytes outside the body: a head.
    void raw(std::string_view bytes) noexcept;
    // False if no more fits before a flush.
    bool has_room() const noexcept { return count_ + 3 <= most_parts; }
    // A piece of the body; only while has_room(). Empty pieces are left out.
    void body(std::string_view piece) noexcept;
    // The end of the body; `trailers` are complete field lines (for chunked only), or empty.
    void end(std::string_view trailers = {}) noexcept;
    FlushState flush() noexcept;

    bool idle() const noexcept { return at_ == count_; }
    http::BodyKind kind() const noexcept { return kind_; }
    std::uint64_t sent() const noexcept { return sent_; }  // everything, since begin()
    std::uint64_t body_queued() const noexcept { return body_queued_; }
    int error() const noexcept { return error_; }

private:
    net::Stream* stream_ = nullptr;
    http::BodyKind kind_ = http::BodyKind::none;
    int count_ = 0, at_ = 0, error_ = 0;
    std::uint64_t sent_ = 0, body_queued_ = 0;
    std::array<iovec, most_parts> parts_;
    std::array<std::array<char, 20>, most_parts / 3> sizes_;
    std::size_t size_at_ = 0;
};

}  // namespace gateway::proxy
