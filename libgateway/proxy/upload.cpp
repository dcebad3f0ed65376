#include <fmt/format.h>

#include "libgateway/base/log.hpp"
#include "libgateway/proxy/forward.hpp"
#include "libgateway/proxy/relay.hpp"
#include "libgateway/proxy/site.hpp"

namespace gateway::proxy {

using http::BodyKind;

namespace {

// The client waits for leave before it sends; once is enough, and only while nothing of the body has come.
void allow_body(ProxyExchange& exchange) noexcept {
    if (exchange.continued || !exchange.request.expect_continue || exchange.upload.taken() > 0) return;
    exchange.continued = true;
    static constexpr std::string_view leave = "HTTP/1.1 100 Continue\r\n\r\n";
    const iovec part{const_cast<char*>(leave.data()), leave.size()};
    const net::IoResult sent = exchange.client_stream().write(&part, 1);
    // A full socket buffer before the first byte of an answer: not a client that can be served.
    if (sent.state != net::IoState::done || sent.bytes != leave.size())
        exchange.client_stream().descriptor().raise(net::hangup);
}

bool over_limit(const ProxyExchange& exchange) noexcept {
    const std::uint64_t limit = exchange.max_body_size;
    return limit != 0 && exchange.upload.taken() > limit;
}

std::string_view trailer_lines(const http::ChunkDecoder& chunks, Arena& arena) {
    std::string_view lines;
    for (const auto& [name, value] : chunks.trailers()) {
        if (!http::may_be_trailer(name)) continue;
        lines = arena.join(lines, arena.join(name, ": ", value), "\r\n");
    }
    return lines;
}

// Queues what is at hand. False: the framing is broken or the limit is exceeded.
bool queue_pieces(ProxyExchange& exchange, Failure& failure) {
    Outgoing& out = exchange.to_upstream;
    if (!exchange.upload_prefix.empty()) {
        exchange.keep(0, exchange.upload_prefix);
        out.body(exchange.upload_prefix);
        exchange.upload_prefix = {};
    }
    while (out.has_room()) {
        std::string_view piece;
        switch (exchange.upload.next(piece)) {
            case BodyState::data:
                if (over_limit(exchange)) return failure = Failure::body_too_large, false;
                exchange.keep(exchange.upload.taken() - piece.size(), piece);
                out.body(piece);
                break;
            case BodyState::end:
                out.end(exchange.upload.kind() == BodyKind::chunked
                            ? trailer_lines(exchange.upload.chunks(), exchange.arena())
                            : std::string_view());
                exchange.upload_done = true;
                return true;
            case BodyState::broken:
                return failure = Failure::client_broken, false;
            case BodyState::dry:
                return true;
        }
    }
    return true;
}

}  // namespace

UploadNeed step_upload(ProxyExchange& exchange, Failure& failure) {
    for (int reads = 0;;) {
        switch (exchange.to_upstream.flush()) {
            case FlushState::failed:
                failure = Failure::write_failed;
                return UploadNeed::failed;
            case FlushState::would_block:
                return UploadNeed::upstream_room;
            case FlushState::done:
                break;
        }
        if (exchange.upload_done) return UploadNeed::nothing;
        if (!queue_pieces(exchange, failure)) return UploadNeed::failed;
        if (!exchange.to_upstream.idle() || exchange.upload_done) continue;
        allow_body(exchange);
        exchange.body_started = true;
        const net::IoResult got = exchange.upload.fill(exchange.site().buffers);
        if (got.state == net::IoState::would_block) return UploadNeed::client_bytes;
        if (got.state == net::IoState::done) {
            if (++reads == reads_per_turn) return UploadNeed::turn;
            continue;
        }
        failure = Failure::client_gone;
        return UploadNeed::failed;
    }
}

Task<Failure> collect_request_body(ProxyExchange& exchange, std::uint64_t limit) {
    BodySource& body = exchange.upload;
    const bool known = body.kind() == BodyKind::length;
    if (known && body.left() > limit) co_return Failure::body_too_large;
    if (body.whole_at_hand()) {
        std::string_view whole;
        if (body.next(whole) == BodyState::data) exchange.request_body = whole;
        exchange.body_buffered = true;
        co_return Failure::none;
    }
    if (known) exchange.body_storage.reserve(static_cast<std::size_t>(body.left()));
    for (;;) {
        std::string_view piece;
        const BodyState state = body.next(piece);
        if (state == BodyState::end) break;
        if (state == BodyState::broken) co_return Failure::client_broken;
        if (state == BodyState::data) {
            exchange.body_storage.append(piece);
            exchange.upload_prefix = exchange.body_storage;
            if (over_limit(exchange) || exchange.body_storage.size() > limit) co_return Failure::body_too_large;
            continue;
        }
        allow_body(exchange);
        exchange.body_started = true;
        const net::IoResult got = body.fill(exchange.site().buffers);
        if (got.state == net::IoState::done) continue;
        if (got.state != net::IoState::would_block) co_return Failure::client_gone;
        const auto wanted = static_cast<std::uint8_t>(exchange.client_stream().to_read() | net::hangup);
        const net::Woke woke = co_await exchange.sleeper().wait(exchange.client_stream().descriptor(), wanted,
                                                                exchange.settings->body_timeout);
        if (woke == net::Woke::expired) co_return Failure::client_slow;
        if (woke == net::Woke::cancelled) co_return Failure::client_gone;
    }
    exchange.request_body = exchange.body_storage;
    exchange.upload_prefix = {};
    exchange.body_buffered = true;
    co_return Failure::none;
}

Task<Failure> collect_for_match(ProxyExchange& exchange) {
    if (exchange.upload_done || exchange.body_buffered) co_return Failure::none;
    const std::uint64_t cap = exchange.settings->max_matched_body;
    if (exchange.max_body_size && exchange.upload.left() > exchange.max_body_size) co_return Failure::body_too_large;
    const Failure failure = co_await collect_request_body(exchange, cap ? cap : UINT64_MAX);
    if (failure == Failure::body_too_large && !over_limit(exchange)) {
        log::warn("request body larger than {} bytes: its variables stay unset", cap);
        co_return Failure::none;
    }
    co_return failure;
}

Task<Failure> collect_for_plugins(ProxyExchange& exchange, std::uint64_t wanted) {
    if (wanted == 0 || exchange.upload_done || exchange.body_buffered) co_return Failure::none;
    Task<Failure> collecting = collect_request_body(exchange, wanted);
    const Failure failure = co_await collecting;
    const bool only_for_plugins = failure == Failure::body_too_large && !over_limit(exchange);
    co_return only_for_plugins ? Failure::none : failure;
}

}  // namespace gateway::proxy
