#include "libgateway/client/attempt.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "libgateway/http/head_parser.hpp"

namespace gateway::client {

using http::BodyKind;

static_assert(std::is_trivially_destructible_v<http::ResponseHead>);

// No wait is longer than what is left of the whole; over already: the shortest there is.
Milliseconds Attempt::at_most(Milliseconds limit) const noexcept {
    const std::int64_t left = until_ms_ - client_.reactor_.now_ms();
    return std::max(Milliseconds(1), std::min(limit, Milliseconds(left)));
}

Task<Failure> Attempt::connect(upstream::Endpoint& endpoint) {
    net::SocketAddress address = endpoint.literal_address();
    if (!endpoint.is_literal()) {
        Result<net::SocketAddress> found =
            co_await client_.resolver_.resolve(endpoint.host(), endpoint.port(), nullptr);
        if (sleeper_.cancelled()) co_return Failure::cancelled;
        if (found.has_error()) co_return Failure::unresolved;
        address = *found;
    }
    Result<upstream::Lease> lease =
        co_await client_.pool_.connect(endpoint, address, at_most(limits_.connect), sleeper_, nullptr);
    if (sleeper_.cancelled()) co_return Failure::cancelled;
    if (lease.has_error()) {
        if (!endpoint.is_literal()) client_.resolver_.expire(endpoint.host());
        answer_.cause = lease.error().code;
        if (answer_.cause.category() == net::tls_category()) co_return Failure::tls_failed;
        const bool late = answer_.cause == boost::system::errc::timed_out;
        co_return late ? Failure::connect_timeout : Failure::connect_refused;
    }
    lease_ = std::move(*lease);
    co_return Failure::none;
}

Failure Attempt::lost(Failure failure, const net::IoResult& result) noexcept {
    answer_.cause = lease_.stream().why(result);
    return failure;
}

Task<Failure> Attempt::write(std::string_view head, std::string_view body) {
    while (!head.empty() || !body.empty()) {
        const iovec parts[2] = {{const_cast<char*>(head.data()), head.size()},
                                {const_cast<char*>(body.data()), body.size()}};
        const net::IoResult sent = lease_.stream().write(parts, 2);
        if (sent.state == net::IoState::would_block) {
            const net::Woke woke =
                co_await sleeper_.wait(lease_.stream().descriptor(), lease_.stream().to_write(), at_most(limits_.send));
            if (woke == net::Woke::cancelled) co_return Failure::cancelled;
            if (woke != net::Woke::ready || client_.reactor_.now_ms() > until_ms_) co_return Failure::send_timeout;
            continue;
        }
        if (sent.state != net::IoState::done) co_return lost(Failure::send_failed, sent);
        const std::size_t of_head = std::min(sent.bytes, head.size());
        head.remove_prefix(of_head);
        body.remove_prefix(sent.bytes - of_head);
    }
    co_return Failure::none;
}

Task<Failure> Attempt::read_some(std::span<char> into, std::size_t& got) {
    got = 0;
    for (;;) {
        if (client_.reactor_.now_ms() > until_ms_) co_return Failure::read_timeout;
        const net::IoResult result = lease_.stream().read(into);
        if (result.state == net::IoState::done) got = result.bytes;
        if (result.state == net::IoState::failed) co_return lost(Failure::closed, result);
        if (result.state != net::IoState::would_block) co_return Failure::none;
        const net::Woke woke =
            co_await sleeper_.wait(lease_.stream().descriptor(), lease_.stream().to_read(), at_most(limits_.read));
        if (woke == net::Woke::cancelled) co_return Failure::cancelled;
        if (woke != net::Woke::ready) co_return Failure::read_timeout;
    }
}

// Interim answers are passed over.
Task<Failure> Attempt::read_head(http::Verb method, http::ResponseHead& head) {
    const http::HeadLimits limits;
    const net::Buffer& block = answer_.head_block;
    for (std::size_t scanned = 0;;) {
        const std::string_view unread(block.data() + begin_, size_ - begin_);
        if (unread.size() > scanned) {
            const auto result = http::parse_response(unread, scanned, limits, method, head);
            if (result.state == http::HeadState::failed) co_return Failure::invalid;
            scanned = unread.size();
            if (result.state == http::HeadState::complete) {
                begin_ += result.consumed;
                scanned = 0;
                if (head.status == 101) co_return Failure::invalid;
                if (head.status >= 200) co_return Failure::none;
                continue;
            }
        }
        if (size_ == block.size()) co_return Failure::invalid;
        std::size_t got = 0;
        const Failure failure = co_await read_some(block.from(size_), got);
        if (failure != Failure::none) co_return failure;
        if (got == 0) co_return Failure::closed;
        size_ += got;
    }
}

void Attempt::keep(std::string_view piece) {
    if (!limits_.keep_body) {
        kept_ += piece.size();
        return;
    }
    net::Buffer& block = answer_.body_block;
    if (kept_ + piece.size() > block.size()) {
        net::Buffer larger = client_.buffers_.take(std::max(kept_ + piece.size(), 2 * block.size()));
        if (kept_ > 0) std::memcpy(larger.data(), block.data(), kept_);
        block = std::move(larger);
    }
    if (!piece.empty()) std::memcpy(block.data() + kept_, piece.data(), piece.size());
    kept_ += piece.size();
}

// Takes what belongs to the body off `pending`; what is left does not.
Failure Attempt::take(std::string_view& pending, const http::BodyFraming& framing) {
    while (!pending.empty() && !ended_) {
        std::string_view piece = pending;
        if (framing.kind == BodyKind::length) piece = pending.substr(0, framing.length - kept_);
        std::size_t used = piece.size();
        if (framing.kind == BodyKind::chunked) {
            const auto out = chunks_.feed(pending);
            if (out.event == http::ChunkDecoder::Event::error) return Failure::invalid;
            ended_ = out.event == http::ChunkDecoder::Event::end;
            piece = out.event == http::ChunkDecoder::Event::data ? out.data : std::string_view();
            used = out.consumed;
        }
        if (limits_.keep_body && piece.size() > limits_.body - kept_) return Failure::too_large;
        keep(piece);
        pending.remove_prefix(used);
        if (framing.kind == BodyKind::length) ended_ = kept_ == framing.length;
    }
    return Failure::none;
}

Task<Failure> Attempt::read_body(const http::ResponseHead& head) {
    const http::BodyFraming framing = head.body;
    const bool counted = framing.kind == BodyKind::length;
    if (counted && limits_.keep_body && framing.length > limits_.body) co_return Failure::too_large;
    ended_ = framing.kind == BodyKind::none || (counted && framing.length == 0);
    std::string_view pending(answer_.head_block.data() + begin_, size_ - begin_);
    Failure failure = take(pending, framing);
    net::Buffer more;
    while (failure == Failure::none && !ended_) {
        if (!more) more = client_.buffers_.take(16384);
        std::size_t got = 0;
        failure = co_await read_some(more.from(0), got);
        if (failure != Failure::none) break;
        if (got == 0 && framing.kind != BodyKind::until_close) co_return Failure::closed;
        ended_ = got == 0;
        pending = {more.data(), got};
        failure = take(pending, framing);
    }
    if (failure != Failure::none) co_return failure;
    if (limits_.keep_body) answer_.body = {answer_.body_block.data(), kept_};
    const bool clean = pending.empty() && framing.kind != BodyKind::until_close && head.keep_alive;
    if (clean && limits_.keep_alive) std::move(lease_).give_back(limits_.pool);
    co_return Failure::none;
}

Task<Failure> Attempt::talk(http::Verb method, std::string_view head, std::string_view body) {
    if (!answer_.head_block) answer_.head_block = client_.buffers_.take(begin_of_bytes + http::HeadLimits().head);
    auto* const parsed = ::new (answer_.head_block.data()) http::ResponseHead;
    Failure failure = co_await write(head, body);
    // What stopped reading may have answered already.
    const bool unheard = failure == Failure::send_failed;
    if (failure != Failure::none && !unheard) co_return failure;
    if (unheard) lease_.stream().descriptor().raise(net::readable);
    failure = co_await read_head(method, *parsed);
    if (failure == Failure::none) failure = co_await read_body(*parsed);
    if (failure == Failure::none) answer_.head = parsed;
    if (unheard && failure != Failure::none) co_return Failure::send_failed;
    co_return failure;
}

}  // namespace gateway::client
