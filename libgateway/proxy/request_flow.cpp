#include "libgateway/proxy/request_flow.hpp"

#include <array>
#include <charconv>
#include <cstring>

#include "libgateway/base/log.hpp"
#include "libgateway/http/host.hpp"
#include "libgateway/http/path.hpp"
#include "libgateway/proxy/client_address.hpp"
#include "libgateway/proxy/client_check.hpp"
#include "libgateway/proxy/forward.hpp"
#include "libgateway/proxy/relay.hpp"
#include "libgateway/proxy/site.hpp"

namespace gateway::proxy {

using http::BodyKind;
using http::FieldName;

namespace {

// An exchange out of the pool, for one scope.
class Held {
public:
    explicit Held(Session& session) : exchange_(session.site().take_exchange()), site_(session.site()) {
        exchange_.begin(session);
    }
    ~Held() {
        exchange_.end();
        site_.give_exchange(exchange_);
    }
    ProxyExchange& operator*() const noexcept { return exchange_; }

private:
    ProxyExchange& exchange_;
    Site& site_;
};

enum class HeadState : std::uint8_t { complete, refused, need_more, gone };

// What the session kept for this exchange. A head that began earlier brings its time with it.
void take_carried(ProxyExchange& exchange) noexcept {
    CarriedBytes carried = exchange.session->take_carried();
    exchange.head = std::move(carried.block);
    exchange.head_size = carried.size;
    exchange.head_scanned = carried.scanned;
    if (carried.begun_ms == 0) return;
    exchange.started_ms = carried.begun_ms;
    exchange.started_ns = carried.begun_ms * 1'000'000;
}

// Reads and parses as much of the request head as is there.
HeadState read_head(ProxyExchange& exchange, http::HeadResult& result) {
    Session& session = *exchange.session;
    net::Buffer& block = exchange.head;
    const auto& limits = exchange.settings->limits;
    if (session.has_carried()) take_carried(exchange);
    if (!block) block = exchange.site().buffers.take(4096);
    for (;;) {
        if (exchange.head_size > 0) {
            result = http::parse_request({block.data(), exchange.head_size}, exchange.head_scanned, limits,
                                         exchange.request);
            if (result.state == http::HeadState::complete) return HeadState::complete;
            if (result.state == http::HeadState::failed) return HeadState::refused;
            exchange.head_scanned = exchange.head_size;
        }
        if (exchange.head_size == block.size()) {
            if (exchange.head_size > limits.head) {
                result = {http::HeadState::failed, 0, 431, "request head too large"};
                return HeadState::refused;
            }
            net::Buffer larger = exchange.site().buffers.take(block.size() + 1);
            std::memcpy(larger.data(), block.data(), exchange.head_size);
            block = std::move(larger);
        }
        const net::IoResult got = session.stream().read(block.from(exchange.head_size));
        if (got.state == net::IoState::would_block) return HeadState::need_more;
        if (got.state != net::IoState::done) return HeadState::gone;
        exchange.head_size += got.bytes;
    }
}

// A head that did not come in one piece goes back to the session, which waits for the rest without an exchange. All of
// it must come within header_timeout, however it trickles.
HeadState put_off(ProxyExchange& exchange, http::HeadResult& result) noexcept {
    if (exchange.head_size == 0) return HeadState::need_more;
    const std::int64_t until = exchange.started_ms + exchange.settings->header_timeout.count();
    if (exchange.site().reactor.now_ms() >= until) {
        result = {http::HeadState::failed, 0, 408, "request head took too long"};
        return HeadState::refused;
    }
    exchange.session->keep_head(std::move(exchange.head), exchange.head_size, exchange.started_ms);
    return HeadState::need_more;
}

void set_page(ProxyExchange& exchange, unsigned status, EndReason reason) noexcept {
    exchange.respond_with({status, LocalReply::Body::page, {}});
    exchange.reason = reason;
}

// A request that cannot be understood: the page, and no further request on this connection.
void refuse(ProxyExchange& exchange, unsigned status, std::string_view why) {
    log::info("client sent an invalid request: {}, client: {}", why, exchange.client_text);
    exchange.keep_alive = false;
    set_page(exchange, status, status == 408 ? EndReason::client_timeout : EndReason::client_error);
}

void drop_underscores(ProxyExchange& exchange) noexcept {
    for (const http::Field& field : exchange.request.fields) {
        if (field.name.find('_') == std::string_view::npos) continue;
        exchange.request.fields.remove(field.name);
        return drop_underscores(exchange);
    }
}

// Everything that is known before the match. False: refused.
bool prepare(ProxyExchange& exchange, std::size_t head_bytes) {
    http::RequestHead& request = exchange.request;
    exchange.request_length = head_bytes;
    exchange.upload.begin(exchange.client_stream(), request.body,
                          {exchange.head.data() + head_bytes, exchange.head_size - head_bytes});
    exchange.upload_done = request.body.kind == BodyKind::none;
    exchange.keep_alive = request.keep_alive;
    http::strip_hop_by_hop(request.fields);
    if (!exchange.settings->underscores_in_headers) drop_underscores(exchange);
    find_client(exchange);
    exchange.host = http::host_of(request.authority, exchange.arena());
    exchange.args = request.query;
    exchange.has_args = request.has_query;
    const Settings& settings = *exchange.settings;
    if (settings.debug_hooks && settings.debug_hooks->concern(exchange)) exchange.hooks = settings.debug_hooks.get();
    exchange.traced = settings.debug_form != DebugForm::off || exchange.hooks;
    exchange.timed = (++exchange.site().heard & 63) == 0;
    const auto path = http::normalise(request.raw_path, exchange.settings->path, exchange.arena());
    if (!path.valid) return refuse(exchange, 400, path.reason), false;
    exchange.uri = path.uri;
    exchange.match_path = path.match;
    if (path.upstream != request.raw_path) {
        exchange.upstream_uri =
            request.has_query ? exchange.arena().join(path.upstream, "?", request.query) : path.upstream;
    }
    exchange.max_body_size = exchange.settings->max_body_size;
    return true;
}

// The limit that counts here, a plugin's or the static file's. False: the body is announced to be larger.
bool set_body_limit(ProxyExchange& exchange) noexcept {
    for (const Chain* scope : {exchange.global.get(), exchange.chain.get()}) {
        exchange.max_body_size = scope->request_body_limit(exchange).value_or(exchange.max_body_size);
    }
    const http::BodyFraming& body = exchange.request.body;
    if (exchange.max_body_size == 0 || body.kind != BodyKind::length || body.length <= exchange.max_body_size) {
        return true;
    }
    exchange.keep_alive = false;
    return set_page(exchange, 413, EndReason::body_too_large), false;
}

void set_forwarded(ProxyExchange& exchange) {
    std::array<char, 8> port;
    const auto end = std::to_chars(port.data(), port.data() + port.size(), exchange.session->local_port()).ptr;
    const Settings& settings = *exchange.settings;
    const http::Trust trust{settings.trust_configured,
                            settings.trust_configured && settings.trusted.contains(exchange.session->peer())};
    exchange.original =
        http::set_forwarded(exchange.request.fields, trust,
                            {exchange.client_text, exchange.client_text, exchange.scheme,
                             exchange.request.authority.empty() ? exchange.host : exchange.request.authority,
                             exchange.arena().copy({port.data(), static_cast<std::size_t>(end - port.data())})},
                            exchange.arena());
    if (!trust.configured || trust.peer_inside) exchange.forwarded_for = exchange.original.x_for;
}

// For exchanges that no plugin sees.
const Ref<const Chain>& no_chain() {
    static const Ref<const Chain> nothing = Chain::make({});
    return nothing;
}

// Finds the route and pins what it means. False: none.
bool match_route(ProxyExchange& exchange, const SnapshotPtr& snapshot) {
    route::MatchInput input;
    input.path = exchange.match_path;
    input.host = exchange.host;
    input.raw_host = exchange.request.authority;
    input.method = route::method_bit(exchange.request.method);
    input.client = exchange.client;
    input.variables = &exchange;
    debug_before(DebugPoint::match, exchange);
    exchange.match = snapshot->router().find(input);
    exchange.matched = static_cast<bool>(exchange.match);
    if (!exchange.matched) return false;
    exchange.route = snapshot->compiled(*exchange.match.rule());
    debug_after(DebugPoint::match, exchange);
    return true;
}

template <Phase P>
Task<Verdict> run_lane(ProxyExchange& exchange) {
    for (const Chain* scope : {exchange.global.get(), exchange.chain.get()}) {
        Step step = scope->run<P>(exchange);
        Verdict verdict = step.verdict();
        if (!step.ready()) verdict = co_await std::move(step).wait();
        if (verdict != Verdict::next) co_return verdict;
    }
    co_return Verdict::next;
}

template <Phase P>
bool has_lane(const ProxyExchange& exchange) noexcept {
    return exchange.global->has(P) || exchange.chain->has(P);
}

// A failure as the client sees it; true if it is still there to see it.
bool set_failure(ProxyExchange& exchange, Failure failure) {
    const FailureReply reply = reply_to(failure);
    set_page(exchange, reply.status, reply.reason);
    exchange.source = ResponseSource::gateway;
    if (failure == Failure::client_slow || failure == Failure::client_broken || failure == Failure::body_too_large ||
        failure == Failure::client_gone) {
        exchange.keep_alive = false;
    }
    exchange.status = reply.status;
    return failure != Failure::client_gone;
}

// What the request phases lead to.
enum class Outcome : std::uint8_t { reply, forward, gone };

Outcome outcome_of(ProxyExchange& exchange, Verdict verdict) {
    exchange.source = ResponseSource::plugin;
    exchange.reason = EndReason::plugin_reply;
    if (exchange.merge_failed) {
        exchange.source = ResponseSource::gateway;
        exchange.reason = EndReason::plugin_failed;
    }
    if (verdict == Verdict::fail) set_page(exchange, 500, EndReason::plugin_failed);
    return Outcome::reply;
}

// Global rules see requests without a route too, and may answer them.
void set_unmatched(ProxyExchange& exchange) {
    static constexpr std::string_view body = R"({"error_msg":"404 Route Not Found"})";
    exchange.respond_with({404, LocalReply::Body::json, body});
    exchange.reason = EndReason::no_route;
    exchange.source = ResponseSource::gateway;
}

// The consumers of this snapshot, as long as the request phases run: what auth plugins find and what is merged then are
// of one revision, and a long exchange holds no old one.
class Directory {
public:
    Directory(ProxyExchange& exchange, const SnapshotPtr& snapshot) : exchange_(exchange), snapshot_(snapshot) {
        exchange_.use_consumers(*snapshot_);
    }
    ~Directory() { exchange_.use_consumers(ConsumerDirectory::none()); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

private:
    ProxyExchange& exchange_;
    const SnapshotPtr snapshot_;
};

// Rewrite and access of both scopes, with the body whole if somebody needs it so.
Task<Outcome> run_request_phases(ProxyExchange& exchange) {
    const Directory directory(exchange, exchange.site().snapshot);
    const std::uint64_t wanted =
        std::max(exchange.global->request_body_needed(), exchange.chain->request_body_needed());
    if (wanted > 0) {
        const Failure failure = co_await collect_for_plugins(exchange, wanted);
        if (failure != Failure::none) co_return set_failure(exchange, failure) ? Outcome::reply : Outcome::gone;
    }
    Verdict verdict = Verdict::next;
    if (has_lane<Phase::rewrite>(exchange)) {
        verdict = co_await run_rewrite(exchange, *exchange.global, exchange.chain, exchange.matched);
    }
    if (exchange.body_failure != Failure::none) {
        co_return set_failure(exchange, exchange.body_failure) ? Outcome::reply : Outcome::gone;
    }
    if (verdict != Verdict::next) co_return outcome_of(exchange, verdict);
    if (has_lane<Phase::access>(exchange)) verdict = co_await run_lane<Phase::access>(exchange);
    if (verdict != Verdict::next) co_return outcome_of(exchange, verdict);
    co_return exchange.matched ? Outcome::forward : Outcome::reply;
}

bool has_request_phases(const ProxyExchange& exchange) noexcept {
    return has_lane<Phase::rewrite>(exchange) || has_lane<Phase::access>(exchange) ||
           exchange.global->request_body_needed() > 0 || exchange.chain->request_body_needed() > 0;
}

// The match, with the body if a condition asks for it. False: no route.
Task<Failure> find_route(ProxyExchange& exchange, bool& found) {
    Site& site = exchange.site();
    site.adopt_if_new();
    found = match_route(exchange, site.snapshot);
    if (!exchange.body_asked || exchange.upload_done) co_return Failure::none;
    const Failure failure = co_await collect_for_match(exchange);
    if (failure != Failure::none) co_return failure;
    site.adopt_if_new();
    found = match_route(exchange, site.snapshot);
    co_return Failure::none;
}

// The compiler of the route has logged what is missing.
unsigned status_of(CompiledRoute::Outcome outcome) noexcept {
    switch (outcome) {
        case CompiledRoute::Outcome::no_plugin_config:
            return 503;
        case CompiledRoute::Outcome::no_service:
            return 404;
        default:
            return 500;
    }
}

// Route, chain, plugins: from a readable request to the decision what to do with it.
Task<Outcome> decide(ProxyExchange& exchange) {
    Site& site = exchange.site();
    bool found = false;
    exchange.global = exchange.chain = no_chain();
    if (site.snapshot->match_needs_body()) {
        const Failure failure = co_await find_route(exchange, found);
        if (failure != Failure::none) co_return set_failure(exchange, failure) ? Outcome::reply : Outcome::gone;
    } else {
        site.adopt_if_new();
        found = match_route(exchange, site.snapshot);
    }
    exchange.global = site.snapshot->global_chain();
    set_forwarded(exchange);
    if (!found) set_unmatched(exchange);
    if (found && exchange.route->outcome != CompiledRoute::Outcome::ok) {
        set_page(exchange, status_of(exchange.route->outcome), EndReason::no_endpoint);
        co_return Outcome::reply;
    }
    if (found) exchange.chain = exchange.route->chain;
    exchange.route_chain = exchange.chain.get();
    if (!set_body_limit(exchange)) co_return Outcome::reply;
    if (!has_request_phases(exchange)) co_return found ? Outcome::forward : Outcome::reply;
    co_return co_await run_request_phases(exchange);
}

// What plugins of the log phase and the access log are told.
void settle(ProxyExchange& exchange) noexcept {
    exchange.bytes_sent = exchange.to_client.sent();
    exchange.body_bytes_sent = exchange.body_bytes_sent ? exchange.body_bytes_sent : exchange.to_client.body_queued();
    if (!exchange.head_sent && exchange.reason == EndReason::client_gone) exchange.status = 499;
}

void count(ProxyExchange& exchange) noexcept {
    Site& site = exchange.site();
    ++site.requests;
    if (site.log) site.log->ended(exchange);
}

// An answer that was cut off must end at once; any other waits for a client that has not been heard out.
After after(const ProxyExchange& exchange, bool understood) noexcept {
    const net::Stream& stream = exchange.client_stream();
    if (!stream.is_open() || stream.descriptor().has(net::gone)) return After::close;
    const bool answered = exchange.head_sent && exchange.to_client.idle();
    const bool heard = understood && exchange.upload.finished() && !stream.descriptor().has(net::readable);
    return answered && !heard ? After::linger : After::close;
}

}  // namespace

Task<Verdict> ProxyExchange::prepare_for(const Chain& merged) {
    const std::uint64_t wanted = merged.request_body_needed();
    Task<Failure> collecting = collect_for_plugins(*this, wanted);
    body_failure = co_await collecting;
    co_return body_failure == Failure::none ? Verdict::next : Verdict::respond;
}

Task<After> serve(Session& session) {
    const Held held(session);
    ProxyExchange& exchange = *held;
    http::HeadResult head;
    HeadState state = read_head(exchange, head);
    if (state == HeadState::need_more) state = put_off(exchange, head);
    if (state == HeadState::need_more) co_return After::next;
    if (state == HeadState::gone) co_return After::close;
    session.count_request();

    Outcome outcome = Outcome::reply;
    bool routed = false;
    if (state == HeadState::refused) {
        exchange.client_text = exchange.peer_text = address_text(session.peer(), exchange.arena());
        refuse(exchange, head.status, head.reason);
    } else if (prepare(exchange, head.consumed) && (!session.secure() || admits_client(exchange))) {
        routed = true;
        debug_before(DebugPoint::http_access_phase, exchange);
        outcome = co_await decide(exchange);
        debug_after(DebugPoint::http_access_phase, exchange);
    }
    if (!routed) exchange.global = exchange.chain = no_chain();
    if (outcome == Outcome::forward) {
        debug_before(DebugPoint::handle_upstream, exchange);
        const Forwarded forwarded = co_await forward(exchange);
        debug_after(DebugPoint::handle_upstream, exchange);
        if (forwarded.failure == Failure::none && !forwarded.replied) {
            co_await relay_response(exchange);
        } else {
            outcome = Outcome::reply;
            if (forwarded.replied) outcome = outcome_of(exchange, Verdict::respond);
            if (forwarded.failure != Failure::none && !set_failure(exchange, forwarded.failure))
                outcome = Outcome::gone;
        }
    }
    if (outcome == Outcome::reply) co_await reply_locally(exchange);
    if (outcome == Outcome::gone) exchange.keep_alive = false;
    settle(exchange);
    debug_before(DebugPoint::http_log_phase, exchange);
    if (has_lane<Phase::log>(exchange)) {
        for (const Chain* scope : {exchange.global.get(), exchange.chain.get()}) {
            Step step = scope->run<Phase::log>(exchange);  // no coroutine for ready hooks
            if (!step.ready()) static_cast<void>(co_await std::move(step).wait());
        }
    }
    debug_after(DebugPoint::http_log_phase, exchange);
    count(exchange);
    if (exchange.upload.finished() && exchange.keep_alive) {
        session.carry(exchange.upload.leftover());
        co_return After::next;
    }
    const bool goes_on = co_await finish_request(exchange);
    co_return goes_on ? After::next : after(exchange, routed);
}

}  // namespace gateway::proxy
