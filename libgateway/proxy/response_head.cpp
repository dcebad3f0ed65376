#include "libgateway/proxy/response_head.hpp"

#include <array>
#include <charconv>

#include "libgateway/http/local_reply.hpp"
#include "libgateway/plugin/debug_header.hpp"
#include "libgateway/proxy/head_writer.hpp"
#include "libgateway/proxy/site.hpp"

namespace gateway::proxy {

using http::BodyKind;
using http::FieldName;

namespace {

// Unread bytes of a request body that may still be read away to keep the connection.
constexpr std::uint64_t drainable = 1u << 20;

bool has_no_body(const ProxyExchange& exchange) noexcept {
    const unsigned status = exchange.response.status;
    return exchange.request.method == http::Verb::head || status == 204 || status == 304 || status < 200;
}

bool may_keep_alive(const ProxyExchange& exchange) noexcept {
    if (!exchange.keep_alive || exchange.site().draining) return false;
    if (exchange.upload_done || exchange.upload.finished()) return true;
    if (exchange.upload.broken()) return false;
    const bool waits_for_leave = exchange.request.expect_continue && !exchange.continued;
    return !waits_for_leave && exchange.upload.left() <= drainable;
}

}  // namespace

Task<Verdict> filter_head(ProxyExchange& exchange) {
    debug_before(DebugPoint::http_header_filter_phase, exchange);
    for (const Chain* scope : {exchange.global.get(), exchange.chain.get()}) {
        Step step = scope->run<Phase::header_filter>(exchange);
        Verdict verdict = step.verdict();
        if (!step.ready()) verdict = co_await std::move(step).wait();
        if (verdict != Verdict::next) co_return verdict;
    }
    exchange.finish_response_head();
    const Settings& settings = *exchange.settings;
    if (exchange.traced) set_debug_header(exchange, *exchange.chain, settings.debug_form, settings.debug_field);
    debug_after(DebugPoint::http_header_filter_phase, exchange);
    co_return Verdict::next;
}

bool queue_response_head(ProxyExchange& exchange) {
    http::ResponseHead& response = exchange.response;
    exchange.keep_alive = may_keep_alive(exchange);
    http::BodyFraming framing = response.body;
    StatusLine line;
    line.status = response.status;
    line.reason = response.reason.empty() ? http::reason_phrase(response.status) : response.reason;
    const bool bodiless = has_no_body(exchange);
    std::array<char, 20> length;
    if (bodiless) {
        if (framing.kind == BodyKind::length) {
            line.length_field = {
                length.data(),
                static_cast<std::size_t>(std::to_chars(length.data(), length.data() + 20, framing.length).ptr -
                                         length.data())};
        } else if (exchange.request.method == http::Verb::head || response.status == 304) {
            line.length_field = response.fields.get(FieldName::content_length);
        }
        if (response.status == 204 || response.status < 200) line.length_field = {};
        framing = {};
    } else if (framing.kind == BodyKind::none) {
        framing = {BodyKind::length, 0};
    } else if (framing.kind != BodyKind::length || exchange.body_changes()) {
        framing.kind = exchange.request.version >= 11 ? BodyKind::chunked : BodyKind::until_close;
        if (framing.kind == BodyKind::until_close) exchange.keep_alive = false;
    }
    if (response.status == 101) {
        line.connection = ConnectionField::upgrade;
    } else if (!exchange.keep_alive) {
        line.connection = ConnectionField::close;
    } else if (exchange.request.version < 11) {
        line.connection = ConnectionField::keep_alive;
    }
    line.server = exchange.settings->server;
    if (!response.fields.find(FieldName::date)) line.date = exchange.site().date();
    exchange.to_client.begin(exchange.client_stream(), framing.kind);
    exchange.to_client.raw(
        write_response_head(line, response.fields, framing, exchange.site().buffers, exchange.response_head));
    exchange.status = response.status;
    exchange.head_sent = true;
    response.body = framing;
    return !bodiless;
}

void add_upstream_status(ProxyExchange& exchange) {
    if (exchange.attempt_count == 0) return;
    const unsigned last = exchange.attempts[exchange.attempt_count - 1].status;
    if (last == 0 || (last < 500 && !exchange.settings->show_upstream_status)) return;
    std::string_view list;
    for (std::size_t i = 0; i < exchange.attempt_count; ++i) {
        std::array<char, 8> text;
        const auto end = std::to_chars(text.data(), text.data() + text.size(), exchange.attempts[i].status).ptr;
        list = exchange.arena().join(list, i ? ", " : "", {text.data(), static_cast<std::size_t>(end - text.data())});
    }
    exchange.response.fields.set("X-APISIX-Upstream-Status", list);
}

void add_charset(ProxyExchange& exchange) {
    static constexpr std::array<std::string_view, 7> types{
        "text/html",          "text/plain", "text/xml", "text/css", "text/javascript", "application/javascript",
        "application/rss+xml"};
    const std::string_view type = exchange.response.fields.get(FieldName::content_type);
    if (type.empty() || exchange.settings->charset.empty()) return;
    for (const std::string_view known : types) {
        if (type != known && !iequals(type, known)) continue;  // nearly always written so
        exchange.response.fields.set(FieldName::content_type,
                                     exchange.arena().join(type, "; charset=", exchange.settings->charset));
        return;
    }
}

}  // namespace gateway::proxy
