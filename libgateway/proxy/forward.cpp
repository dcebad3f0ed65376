#include "libgateway/proxy/forward.hpp"

#include <cstring>

#include "libgateway/base/log.hpp"
#include "libgateway/http/head_parser.hpp"
#include "libgateway/proxy/head_writer.hpp"
#include "libgateway/proxy/site.hpp"

namespace gateway::proxy {

using http::BodyKind;

namespace {

// One exchange's way through the nodes of its upstream.
struct Tries {
    upstream::TriedSet tried;
    int node = upstream::Balancer::none;
    unsigned left = 0;
    std::int64_t deadline_ms = 0;  // of retries; 0: none
    bool same_node_again = false, stale_used = false, sent_before = false;
};

bool is_repeatable(const ProxyExchange& exchange) noexcept {
    switch (exchange.request.method) {
        case http::Verb::post:
        case http::Verb::patch:
        case http::Verb::lock:
            return false;
        default:
            return true;
    }
}

// Whether the body, as far as it went out, can go out again.
bool can_replay(const ProxyExchange& exchange) noexcept {
    return exchange.body_buffered || exchange.upload.can_rewind();
}

const upstream::Node& node_of(const ProxyExchange& exchange, const Tries& tries) noexcept {
    return exchange.target->nodes()[static_cast<std::size_t>(tries.node)];
}

AttemptRecord& note_attempt(ProxyExchange& exchange, const upstream::Endpoint& endpoint) {
    if (exchange.attempt_count < exchange.attempts.size()) ++exchange.attempt_count;
    AttemptRecord& record = exchange.attempt();
    record = {};
    record.address =
        endpoint.is_literal() ? std::string_view(endpoint.address_text()) : std::string_view(endpoint.host());
    record.host = endpoint.host();
    record.port = endpoint.port();
    record.started_ms = exchange.site().reactor.now_ms();
    return record;
}

http::BodyFraming upload_framing(const ProxyExchange& exchange) noexcept {
    if (exchange.body_buffered) {
        return exchange.request_body.empty() ? http::BodyFraming{}
                                             : http::BodyFraming{BodyKind::length, exchange.request_body.size()};
    }
    return exchange.request.body;
}

std::string_view host_to_send(const ProxyExchange& exchange, const upstream::Node& node) noexcept {
    const auto& settings = exchange.target->settings();
    if (settings.pass_host == upstream::PassHost::node) return exchange.target->host_for(node);
    if (settings.pass_host == upstream::PassHost::rewrite) return settings.upstream_host;
    if (!exchange.upstream_host.empty()) return exchange.upstream_host;
    return exchange.request.authority.empty() ? exchange.host : exchange.request.authority;
}

// Serialises the head and queues it with whatever of the body is at hand.
void start_request(ProxyExchange& exchange, const upstream::Node& node) {
    RequestLine line;
    line.method = exchange.upstream_method_text.empty() ? exchange.request.method_text : exchange.upstream_method_text;
    line.target = exchange.sent_target = exchange.upstream_target();
    line.host = exchange.sent_host = host_to_send(exchange, node);
    line.upgrade = exchange.request.websocket && exchange.route->enable_websocket;
    const http::BodyFraming framing = upload_framing(exchange);
    const bool zero_length =
        framing.kind == BodyKind::none && exchange.request.fields.find(http::FieldName::content_length);
    exchange.to_upstream.begin(exchange.lease.stream(), framing.kind);
    exchange.to_upstream.raw(write_request_head(line, exchange.request.fields, framing, zero_length,
                                                exchange.site().buffers, exchange.request_head));
    exchange.upload_done = framing.kind == BodyKind::none;
    if (exchange.body_buffered) {
        exchange.to_upstream.body(exchange.request_body);
        exchange.upload_done = true;
    } else if (!exchange.upload_done && exchange.upload.can_rewind()) {
        exchange.upload.rewind();
        exchange.upload_prefix = {};
    }
    exchange.upstream_size = exchange.upstream_scanned = exchange.upstream_consumed = 0;
}

Failure failure_of(const Error& error) noexcept {
    if (error.code == boost::system::errc::timed_out) return Failure::connect_timeout;
    if (error.code == boost::system::errc::operation_canceled) return Failure::client_gone;
    return Failure::connect_refused;
}

Task<Failure> connect(ProxyExchange& exchange, const upstream::Node& node) {
    Site& site = exchange.site();
    upstream::Endpoint& endpoint = *node.endpoint;
    net::Descriptor& client = exchange.client_stream().descriptor();
    net::SocketAddress address = endpoint.literal_address();
    if (!endpoint.is_literal()) {
        Result<net::SocketAddress> found = co_await site.resolver.resolve(endpoint.host(), endpoint.port(), &client);
        if (found.has_error()) {
            const bool gone = found.error().code == boost::system::errc::operation_canceled;
            co_return gone ? Failure::client_gone : Failure::unresolved;
        }
        address = *found;
        exchange.attempt().address = exchange.arena().copy(address.text());
    }
    Result<upstream::Lease> lease =
        co_await site.pool.connect(endpoint, address, exchange.timeouts.connect, exchange.sleeper(), &client);
    if (lease.has_error()) {
        const Failure failure = failure_of(lease.error());
        if (failure != Failure::client_gone && !endpoint.is_literal()) site.resolver.expire(endpoint.host());
        co_return failure;
    }
    exchange.lease = std::move(*lease);
    exchange.attempt().connect_ms = static_cast<std::int32_t>(site.reactor.now_ms() - exchange.attempt().started_ms);
    co_return Failure::none;
}

// A plugin may have changed it, and the framing of the answer depends on it.
http::Verb method_sent(const ProxyExchange& exchange) noexcept {
    return exchange.upstream_method != http::Verb::unknown ? exchange.upstream_method : exchange.request.method;
}

enum class HeadRead : std::uint8_t { complete, dry, closed, invalid };

// Reads and parses as much of the response head as is there. One block, grown up to the limit.
HeadRead read_response_head(ProxyExchange& exchange) {
    net::Buffer& block = exchange.upstream_head;
    const std::size_t limit = exchange.settings->limits.head;
    for (;;) {
        const std::size_t unparsed = exchange.upstream_size - exchange.upstream_consumed;
        if (unparsed > 0) {
            const auto result =
                http::parse_response({block.data() + exchange.upstream_consumed, unparsed}, exchange.upstream_scanned,
                                     exchange.settings->limits, method_sent(exchange), exchange.response);
            if (result.state == http::HeadState::failed) {
                log::warn("upstream {} sent an invalid response: {}", exchange.attempt().address, result.reason);
                return HeadRead::invalid;
            }
            if (result.state == http::HeadState::complete) {
                exchange.upstream_consumed += result.consumed;
                exchange.upstream_scanned = 0;
                return HeadRead::complete;
            }
            exchange.upstream_scanned = unparsed;
        }
        if (!block) block = exchange.site().buffers.take(4096);
        if (exchange.upstream_size == block.size()) {
            if (unparsed >= limit) return HeadRead::invalid;
            net::Buffer larger = exchange.site().buffers.take(block.size() + 1);
            std::memcpy(larger.data(), block.data() + exchange.upstream_consumed, unparsed);
            block = std::move(larger);
            exchange.upstream_consumed = 0;
            exchange.upstream_size = unparsed;
        }
        const net::IoResult got = exchange.lease.stream().read(block.from(exchange.upstream_size));
        if (got.state == net::IoState::would_block) return HeadRead::dry;
        if (got.state != net::IoState::done) return HeadRead::closed;
        exchange.upstream_size += got.bytes;
    }
}

// 100 was answered by us, 102 says nothing of use; 103 goes on to clients that can know it. False: the client did not
// take it whole, so nothing may follow it.
Task<bool> pass_interim(ProxyExchange& exchange) {
    if (exchange.response.status != 103 || exchange.request.version < 11) co_return true;
    http::strip_hop_by_hop(exchange.response.fields);
    StatusLine line;
    line.status = 103;
    line.reason = "Early Hints";
    net::Buffer block;
    exchange.to_client.begin(exchange.client_stream(), BodyKind::none);
    exchange.to_client.raw(write_response_head(line, exchange.response.fields, {}, exchange.site().buffers, block));
    for (;;) {
        const FlushState state = exchange.to_client.flush();
        if (state != FlushState::would_block) co_return state == FlushState::done;
        const net::Woke woke = co_await exchange.sleeper().wait(exchange.client_stream().descriptor(), net::writable,
                                                                exchange.settings->send_timeout);
        if (woke != net::Woke::ready) co_return false;
    }
}

struct Patience {
    std::uint8_t client, upstream;
    Milliseconds limit;
    Failure expired;
};

Patience patience_for(const ProxyExchange& exchange, UploadNeed need) noexcept {
    const auto& times = exchange.timeouts;
    switch (need) {
        case UploadNeed::client_bytes:
            return {static_cast<std::uint8_t>(exchange.client_stream().to_read() | net::hangup), net::readable,
                    exchange.settings->body_timeout, Failure::client_slow};
        case UploadNeed::upstream_room:
            return {net::hangup, net::readable | net::writable, times.send, Failure::send_timeout};
        default:
            return {net::hangup, net::readable, times.read, Failure::read_timeout};
    }
}

// Sends the request and waits for a final response head.
Task<Failure> await_response(ProxyExchange& exchange) {
    net::Descriptor& client = exchange.client_stream().descriptor();
    bool upload_failed = false;
    int interims = 0;
    for (;;) {
        Failure failure = Failure::none;
        const UploadNeed need = upload_failed ? UploadNeed::nothing : step_upload(exchange, failure);
        if (need == UploadNeed::failed && failure != Failure::write_failed) co_return failure;
        // An upstream that stopped reading may still have answered: what it sent is there by now, or never.
        if (need == UploadNeed::failed) {
            upload_failed = true;
            exchange.lease.stream().descriptor().raise(net::readable);
        }
        const HeadRead read = read_response_head(exchange);
        if (upload_failed && read == HeadRead::dry) co_return Failure::write_failed;
        if (read == HeadRead::invalid) co_return Failure::invalid;
        if (read == HeadRead::closed) co_return exchange.upstream_size > 0 ? Failure::invalid : Failure::closed;
        if (read == HeadRead::complete) {
            if (exchange.response.status >= 200 || exchange.response.status == 101) break;
            if (++interims > 32) co_return Failure::invalid;
            const bool passed = co_await pass_interim(exchange);
            if (!passed) co_return Failure::client_gone;
            continue;
        }
        if (client.has(net::hangup)) co_return Failure::client_gone;
        if (need == UploadNeed::turn) {
            co_await exchange.site().reactor.yield();
            continue;
        }
        const Patience patience = patience_for(exchange, need);
        const net::Woke woke = co_await exchange.sleeper().wait(exchange.lease.stream().descriptor(), patience.upstream,
                                                                &client, patience.client, patience.limit);
        if (woke == net::Woke::expired) co_return patience.expired;
        if (woke == net::Woke::cancelled) co_return Failure::client_gone;
    }
    if (upload_failed) exchange.upload_done = false;
    co_return Failure::none;
}

// 101 is for clients that asked, on routes that allow it; anything else would open a way around the route's rules.
bool is_acceptable(const ProxyExchange& exchange) noexcept {
    return exchange.response.status != 101 || (exchange.request.websocket && exchange.route->enable_websocket);
}

bool may_try_again(ProxyExchange& exchange, Tries& tries, Failure failure, bool was_reused) {
    if (!is_of_upstream(failure) || !can_replay(exchange)) return false;
    if (!is_before_sending(failure) && !is_repeatable(exchange)) return false;
    if (was_reused && !tries.stale_used && (failure == Failure::closed || failure == Failure::write_failed) &&
        exchange.upstream_size == 0) {
        tries.stale_used = tries.same_node_again = true;
        return true;
    }
    if (tries.left == 0) return false;
    return true;
}

void finish_attempt(ProxyExchange& exchange, const Tries& tries, Failure failure) noexcept {
    AttemptRecord& record = exchange.attempt();
    record.header_ms = static_cast<std::int32_t>(exchange.site().reactor.now_ms() - record.started_ms);
    record.sent = exchange.to_upstream.sent();
    auto& endpoint = *node_of(exchange, tries).endpoint;
    ++endpoint.attempts;
    if (failure == Failure::none) {
        record.status = exchange.response.status;
        return;
    }
    record.response_ms = record.header_ms;
    exchange.lease.reset();
    // A client that leaves or breaks off says nothing of the node.
    if (!is_of_upstream(failure)) return;
    record.status = is_timeout(failure) ? 504 : 502;
    ++endpoint.failures;
}

Failure pick_node(ProxyExchange& exchange, Tries& tries) {
    const auto& target = *exchange.target;
    if (!target.balancer()) {
        log::error("invalid balancer type: {}", target.settings().type);
        return Failure::no_node_left;
    }
    if (target.nodes().size() > 1 || tries.node < 0) tries.node = target.balancer()->pick({}, tries.tried);
    if (tries.node < 0) {
        log::error("failed to pick server: failed to find valid upstream server, all upstream servers tried");
        return Failure::no_node_left;
    }
    if (static_cast<std::size_t>(tries.node) < tries.tried.size())
        tries.tried.set(static_cast<std::size_t>(tries.node));
    return Failure::none;
}

// What a plugin chose, or what the route has.
Failure find_target(ProxyExchange& exchange) {
    using Outcome = CompiledRoute::TargetOutcome;
    const CompiledRoute& route = *exchange.route;
    exchange.target = exchange.chosen_upstream() ? exchange.chosen_upstream() : route.target;
    if (!exchange.target) {
        if (route.target_outcome == Outcome::missing_object) return Failure::missing_upstream;
        log::error("missing upstream configuration in Route or Service, route {}", route.route_id);
        return Failure::no_upstream;
    }
    if (exchange.target->nodes().empty()) {
        log::error("no valid upstream node, route {}", route.route_id);
        return Failure::no_nodes;
    }
    const bool others = exchange.chosen_upstream() && !route.own_timeouts;
    exchange.timeouts = others ? exchange.target->settings().timeouts : route.timeouts;
    return Failure::none;
}

Task<Verdict> run_before_proxy(ProxyExchange& exchange, const upstream::Endpoint& endpoint) {
    for (const Chain* scope : {exchange.global.get(), exchange.chain.get()}) {
        Step step = scope->run<Phase::before_proxy>(exchange, endpoint);
        Verdict verdict = step.verdict();
        if (!step.ready()) verdict = co_await std::move(step).wait();
        if (verdict != Verdict::next) co_return verdict;
    }
    co_return Verdict::next;
}

}  // namespace

Task<Forwarded> forward(ProxyExchange& exchange) {
    Site& site = exchange.site();
    Failure failure = find_target(exchange);
    if (failure != Failure::none) co_return Forwarded{failure};
    const auto& target = *exchange.target;
    const bool hooks = exchange.global->has(Phase::before_proxy) || exchange.chain->has(Phase::before_proxy);
    Tries tries;
    tries.left = target.attempts();
    if (const auto limit = target.settings().retry_timeout.count()) tries.deadline_ms = site.reactor.now_ms() + limit;
    for (;;) {
        if (!tries.same_node_again) {
            debug_before(DebugPoint::http_balancer_phase, exchange);
            failure = pick_node(exchange, tries);
            if (failure != Failure::none) co_return Forwarded{failure};
            if (tries.left > 0) --tries.left;
        }
        const upstream::Node& node = node_of(exchange, tries);
        if (hooks) {
            exchange.sent_host = host_to_send(exchange, node);
            const Verdict verdict = co_await run_before_proxy(exchange, *node.endpoint);
            if (verdict == Verdict::respond) co_return Forwarded{Failure::none, true};
            if (verdict == Verdict::fail) co_return Forwarded{Failure::plugin};
        }
        note_attempt(exchange, *node.endpoint);
        debug_after(DebugPoint::http_balancer_phase, exchange);
        if (!tries.same_node_again) exchange.lease = site.pool.take_idle(*node.endpoint, !is_repeatable(exchange));
        tries.same_node_again = false;
        failure = Failure::none;
        if (!exchange.lease) failure = co_await connect(exchange, node);
        const bool reused = exchange.lease && exchange.lease.reused();
        if (failure == Failure::none) {
            if (reused && !node.endpoint->is_literal()) {
                exchange.attempt().address = exchange.arena().copy(exchange.lease.address_text());
            }
            start_request(exchange, node);
            failure = co_await await_response(exchange);
            if (failure == Failure::none && !is_acceptable(exchange)) failure = Failure::invalid;
        }
        finish_attempt(exchange, tries, failure);
        target.balancer()->settle(tries.node, {is_of_upstream(failure), 0});
        if (failure == Failure::none || !may_try_again(exchange, tries, failure, reused)) co_return Forwarded{failure};
        if (tries.deadline_ms && site.reactor.now_ms() > tries.deadline_ms) {
            log::error("proxy retry timeout, retry count: {}, deadline: {} now: {}", exchange.attempt_count,
                       tries.deadline_ms, site.reactor.now_ms());
            co_return Forwarded{Failure::retry_timeout};
        }
    }
}

}  // namespace gateway::proxy
