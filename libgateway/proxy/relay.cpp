#include "libgateway/proxy/relay.hpp"

#include "libgateway/base/log.hpp"
#include "libgateway/http/local_reply.hpp"
#include "libgateway/proxy/forward.hpp"
#include "libgateway/proxy/response_head.hpp"
#include "libgateway/proxy/site.hpp"

namespace gateway::proxy {

using http::BodyKind;
using http::FieldName;

namespace {

bool has_body_filters(const ProxyExchange& exchange) noexcept {
    if (exchange.hooks) return true;
    for (const Chain* scope : {exchange.global.get(), exchange.chain.get()}) {
        if (scope->has(Phase::body_filter) || scope->has(Phase::delayed_body_filter)) return true;
    }
    return false;
}

// Ends the answer so that nobody takes it for whole: no last chunk, too few bytes, or a reset.
void cut_off(ProxyExchange& exchange, EndReason reason) noexcept {
    exchange.keep_alive = false;
    if (exchange.reason == EndReason::completed) exchange.reason = reason;
    if (exchange.to_client.kind() == BodyKind::until_close) exchange.client_stream().abort();
}

struct Wants {
    bool client_room = false, upstream_bytes = false;
};

// Waits until the answer can move on; meanwhile the rest of the request body moves too. False: the exchange is over.
Task<bool> wait_to_move(ProxyExchange& exchange, Wants wants) {
    Failure failure = Failure::none;
    const UploadNeed need =
        exchange.upload_done || !exchange.lease ? UploadNeed::nothing : step_upload(exchange, failure);
    if (need == UploadNeed::turn) {
        co_await exchange.site().reactor.yield();
        co_return true;
    }
    // A client that ended its half may still read; one that is gone will not.
    std::uint8_t client = wants.client_room ? net::writable : net::gone,
                 upstream = wants.upstream_bytes ? net::readable : 0;
    if (need == UploadNeed::client_bytes) client |= exchange.client_stream().to_read();
    if (need == UploadNeed::upstream_room) upstream |= net::writable;
    if (need == UploadNeed::failed) {
        exchange.keep_alive = exchange.upstream_reusable = false;
        exchange.upload_done = true;
    }
    const Milliseconds limit = wants.client_room ? exchange.settings->send_timeout : exchange.timeouts.read;
    net::Descriptor* second = exchange.lease ? &exchange.lease.stream().descriptor() : nullptr;
    const net::Woke woke =
        co_await exchange.sleeper().wait(exchange.client_stream().descriptor(), client, second, upstream, limit);
    if (!wants.client_room && exchange.client_stream().descriptor().has(net::gone)) {
        cut_off(exchange, EndReason::client_gone);
        co_return false;
    }
    if (woke == net::Woke::ready) co_return true;
    const bool client_to_blame = wants.client_room || woke == net::Woke::cancelled;
    cut_off(exchange, client_to_blame ? EndReason::client_timeout : EndReason::upstream_timeout);
    co_return false;
}

// Sends everything queued. False: the client is gone or too slow.
Task<bool> flush_all(ProxyExchange& exchange) {
    while (exchange.client_stream().is_open()) {
        switch (exchange.to_client.flush()) {
            case FlushState::done:
                co_return true;
            case FlushState::failed:
                cut_off(exchange, EndReason::client_gone);
                co_return false;
            case FlushState::would_block:
                break;
        }
        const bool moved = co_await wait_to_move(exchange, {true, false});
        if (!moved) co_return false;
    }
    co_return false;
}

std::string_view trailer_lines(const BodySource& body, Arena& arena) {
    std::string_view lines;
    if (body.kind() != BodyKind::chunked) return lines;
    for (const auto& [name, value] : body.chunks().trailers()) {
        if (http::may_be_trailer(name)) lines = arena.join(lines, arena.join(name, ": ", value), "\r\n");
    }
    return lines;
}

// Queues what is at hand of the upstream's body.
BodyState queue_pieces(ProxyExchange& exchange) {
    BodyState state = BodyState::data;
    while (exchange.to_client.has_room()) {
        std::string_view piece;
        state = exchange.download.next(piece);
        if (state != BodyState::data) break;
        exchange.to_client.body(piece);
    }
    return state;
}

// One read from the upstream. False: the answer was cut off; `dry` tells that nothing was there.
bool read_more(ProxyExchange& exchange, bool& dry) {
    const net::IoResult got = exchange.download.fill(exchange.site().buffers);
    dry = got.state == net::IoState::would_block;
    if (got.state == net::IoState::done || dry || exchange.download.finished()) return true;
    log::warn("upstream {} ended its answer too early", exchange.attempt().address);
    cut_off(exchange, EndReason::upstream_reset);
    return false;
}

std::string_view compose_reply(ProxyExchange& exchange);

// The upstream's body is none. As long as nothing of the answer went out, the client gets a page instead.
Task<void> give_up(ProxyExchange& exchange) {
    if (exchange.to_client.sent() > 0 || !exchange.client_stream().is_open()) {
        cut_off(exchange, EndReason::upstream_invalid);
        co_return;
    }
    exchange.lease.reset();
    exchange.upload_done = exchange.upload.finished();
    exchange.respond_with({502, LocalReply::Body::page, {}});
    exchange.reason = EndReason::upstream_invalid;
    exchange.source = ResponseSource::gateway;
    exchange.response.fields.clear();
    const std::string_view body = compose_reply(exchange);
    if (queue_response_head(exchange)) {
        exchange.to_client.body(body);
        exchange.to_client.end();
    }
    co_await flush_all(exchange);
}

// No filters: bytes go straight through, one block between two sockets.
Task<bool> stream_plain(ProxyExchange& exchange) {
    bool ended = false, pinned_only = true;
    for (int reads = 0;;) {
        const BodyState state = ended ? BodyState::end : queue_pieces(exchange);
        if (state == BodyState::broken) {
            co_await give_up(exchange);
            co_return false;
        }
        if (state == BodyState::end && !ended) {
            ended = true;
            exchange.to_client.end(trailer_lines(exchange.download, exchange.arena()));
        }
        bool dry = true;
        // What is queued first lies in pinned blocks, so more can be read before the first send.
        if (state == BodyState::dry && pinned_only && exchange.lease.stream().descriptor().has(net::readable)) {
            pinned_only = false;
            if (!read_more(exchange, dry)) break;
            if (!dry) continue;
        }
        const bool sent = exchange.to_client.flush() == FlushState::done || co_await flush_all(exchange);
        if (!sent) co_return false;
        if (ended) co_return true;
        if (state != BodyState::dry) continue;
        pinned_only = false;
        if (!read_more(exchange, dry)) co_return false;
        if (!dry) {
            if (++reads % reads_per_turn == 0) co_await exchange.site().reactor.yield();
            continue;
        }
        const bool moved = co_await wait_to_move(exchange, {false, true});
        if (!moved) co_return false;
    }
    // The upstream broke off right behind its head: what arrived goes out, and then the end that shows it.
    co_await flush_all(exchange);
    co_return false;
}

template <Phase P>
Task<Verdict> run_body_lane(ProxyExchange& exchange, BodyChunk& chunk) {
    for (const Chain* scope : {exchange.global.get(), exchange.chain.get()}) {
        Step step = scope->run<P>(exchange, chunk);
        Verdict verdict = step.verdict();
        if (!step.ready()) verdict = co_await std::move(step).wait();
        if (verdict != Verdict::next) co_return verdict;
    }
    co_return Verdict::next;
}

// One piece through the filters and out, whole, before the next is read: that is the back-pressure.
Task<bool> push_filtered(ProxyExchange& exchange, std::string_view bytes, bool last, bool send) {
    BodyChunk chunk{bytes, last, exchange.chunk_arena};
    debug_before(DebugPoint::http_body_filter_phase, exchange);
    Verdict verdict = co_await run_body_lane<Phase::body_filter>(exchange, chunk);
    if (verdict == Verdict::next) verdict = co_await run_body_lane<Phase::delayed_body_filter>(exchange, chunk);
    debug_after(DebugPoint::http_body_filter_phase, exchange);
    if (verdict != Verdict::next) {
        cut_off(exchange, EndReason::plugin_failed);
        co_return false;
    }
    if (!send) co_return true;
    exchange.to_client.body(chunk.bytes);
    const bool counted = exchange.to_client.kind() == BodyKind::length;
    const std::uint64_t promised = exchange.response.body.length, queued = exchange.to_client.body_queued();
    if (counted && (queued > promised || (last && queued != promised))) {
        log::error("a body filter changed the length of the answer without saying so, route {}",
                   exchange.route ? std::string_view(exchange.route->route_id) : std::string_view("none"));
        cut_off(exchange, EndReason::plugin_failed);
        co_return false;
    }
    if (last) exchange.to_client.end(trailer_lines(exchange.download, exchange.arena()));
    const bool sent = co_await flush_all(exchange);
    exchange.chunk_arena.reset();
    co_return sent;
}

Task<bool> stream_filtered(ProxyExchange& exchange) {
    const std::uint64_t wanted =
        std::max(exchange.global->response_body_needed(), exchange.chain->response_body_needed());
    bool collecting = wanted > 0;
    for (;;) {
        std::string_view piece;
        const BodyState state = exchange.download.next(piece);
        if (state == BodyState::broken) {
            co_await give_up(exchange);
            co_return false;
        }
        if (state == BodyState::end) co_return co_await push_filtered(exchange, exchange.collected, true, true);
        if (state == BodyState::data && collecting) {
            exchange.collected.append(piece);
            if (exchange.collected.size() <= wanted) continue;
            collecting = false;
            const bool sent = co_await push_filtered(exchange, exchange.collected, false, true);
            exchange.collected.clear();
            if (!sent) co_return false;
            continue;
        }
        if (state == BodyState::data) {
            const bool sent = co_await push_filtered(exchange, piece, false, true);
            if (!sent) co_return false;
            continue;
        }
        if (!exchange.to_client.idle()) {  // the head does not wait for the body
            const bool sent = co_await flush_all(exchange);
            if (!sent) co_return false;
        }
        bool dry = false;
        if (!read_more(exchange, dry)) co_return false;
        if (!dry) continue;
        const bool moved = co_await wait_to_move(exchange, {false, true});
        if (!moved) co_return false;
    }
}

void settle_lease(ProxyExchange& exchange, bool whole) noexcept {
    const bool clean = whole && exchange.upstream_reusable && exchange.download.finished() && exchange.upload_done &&
                       exchange.download.leftover().empty() && exchange.to_upstream.idle();
    AttemptRecord& record = exchange.attempt();
    record.response_ms = static_cast<std::int32_t>(exchange.site().reactor.now_ms() - record.started_ms);
    record.received = exchange.upstream_size + exchange.download.taken();
    if (clean) {
        std::move(exchange.lease).give_back(exchange.target->settings().pool);
    } else {
        exchange.lease.reset();
    }
}

// Head and body of an answer of the gateway's own, before the filters see it.
std::string_view compose_reply(ProxyExchange& exchange) {
    LocalReply& reply = exchange.reply();
    http::ResponseHead& response = exchange.response;
    // Settings of plugins may name a status that cannot end an exchange (RFC 9110, 15): a client would wait for
    // another.
    if (reply.status < 200 || reply.status > 999) {
        log::error("an answer with status {} cannot be sent", reply.status);
        reply = {500, LocalReply::Body::page, {}};
        response.fields.remove(FieldName::content_type);
    }
    response.status = reply.status;
    response.reason = {};
    std::string_view body = reply.body;
    std::string_view type = "text/plain; charset=utf-8";
    if (reply.kind == LocalReply::Body::json) body = exchange.arena().join(body, "\n");
    if (reply.kind == LocalReply::Body::page) {
        body = http::make_page(reply.status, exchange.settings->page_token, exchange.arena());
        type = "text/html; charset=utf-8";
    }
    if (!response.fields.find(FieldName::content_type) && !body.empty())
        response.fields.set(FieldName::content_type, type);
    response.body = {BodyKind::length, body.size()};
    return body;
}

}  // namespace

Task<void> relay_response(ProxyExchange& exchange) {
    http::ResponseHead& response = exchange.response;
    exchange.upstream_reusable = response.keep_alive && response.version >= 11;
    exchange.download.begin(exchange.lease.stream(), response.body,
                            {exchange.upstream_head.data() + exchange.upstream_consumed,
                             exchange.upstream_size - exchange.upstream_consumed});
    http::strip_hop_by_hop(response.fields);
    exchange.source = ResponseSource::upstream;
    add_upstream_status(exchange);
    add_charset(exchange);
    exchange.keep_promises();
    if (exchange.traced || exchange.global->has(Phase::header_filter) || exchange.chain->has(Phase::header_filter)) {
        const Verdict verdict = co_await filter_head(exchange);
        if (verdict != Verdict::next) {
            exchange.lease.reset();
            exchange.upload_done = exchange.upload.finished();
            if (verdict == Verdict::fail) exchange.respond_with({500, LocalReply::Body::page, {}});
            exchange.source = ResponseSource::plugin;
            response.fields.clear();
            const std::string_view body = compose_reply(exchange);
            if (queue_response_head(exchange)) {
                exchange.to_client.body(body);
                exchange.to_client.end();
            }
            co_await flush_all(exchange);
            co_return;
        }
    }
    if (response.status == 101) {
        response.fields.set("Upgrade", "websocket");
        queue_response_head(exchange);
        const bool sent = co_await flush_all(exchange);
        if (sent) co_await tunnel(exchange, exchange.timeouts.read);
        exchange.keep_alive = false;
        settle_lease(exchange, false);
        co_return;
    }
    const bool has_body = queue_response_head(exchange);
    bool whole;
    if (!has_body) {
        whole = co_await flush_all(exchange);
    } else if (has_body_filters(exchange)) {
        whole = co_await stream_filtered(exchange);
    } else {
        whole = co_await stream_plain(exchange);
    }
    settle_lease(exchange, whole);
}

Task<void> reply_locally(ProxyExchange& exchange) {
    if (exchange.source == ResponseSource::none) exchange.source = ResponseSource::gateway;
    std::string_view body = compose_reply(exchange);
    add_upstream_status(exchange);
    exchange.keep_promises();
    const Verdict verdict = co_await filter_head(exchange);
    if (verdict == Verdict::respond) body = compose_reply(exchange);
    if (verdict == Verdict::fail) {
        exchange.respond_with({500, LocalReply::Body::page, {}});
        body = compose_reply(exchange);
    }
    exchange.finish_response_head();
    const bool has_body = queue_response_head(exchange);
    if (has_body_filters(exchange)) {
        const bool sent = co_await push_filtered(exchange, body, true, has_body);
        if (!sent || has_body) co_return;
    } else if (has_body) {
        exchange.to_client.body(body);
        exchange.to_client.end();
    }
    co_await flush_all(exchange);
}

Task<bool> finish_request(ProxyExchange& exchange) {
    BodySource& body = exchange.upload;
    Session& session = *exchange.session;
    std::uint64_t budget = 1u << 20;
    while (!body.finished() && exchange.keep_alive) {
        std::string_view piece;
        const BodyState state = body.next(piece);
        if (state == BodyState::data) {
            if (piece.size() > budget) co_return false;
            budget -= piece.size();
            continue;
        }
        if (state == BodyState::end) break;
        if (state == BodyState::broken) co_return false;
        const net::IoResult got = body.fill(exchange.site().buffers);
        if (got.state == net::IoState::done) continue;
        if (got.state != net::IoState::would_block) co_return false;
        const auto wanted = static_cast<std::uint8_t>(session.stream().to_read() | net::hangup);
        const net::Woke woke =
            co_await session.sleeper().wait(session.stream().descriptor(), wanted, Milliseconds(5000));
        if (woke != net::Woke::ready) co_return false;
    }
    if (exchange.keep_alive) session.carry(body.leftover());
    co_return exchange.keep_alive;
}

}  // namespace gateway::proxy
