// What the log phase is told of an exchange.
#include "libgateway/base/clock.hpp"
#include "libgateway/proxy/exchange_state.hpp"

namespace gateway::proxy {

namespace {

std::string_view source_of(const ProxyExchange& exchange) noexcept {
    if (exchange.source == ResponseSource::upstream) return "upstream";
    // A request without a route is refused by the gateway's rules, as if by a plugin.
    const bool proxying = exchange.source == ResponseSource::gateway && exchange.reason != EndReason::no_route;
    return proxying ? "nginx" : "apisix";
}

std::string_view host_of(const ProxyExchange& exchange) noexcept {
    if (exchange.match.rule()->hosts.empty()) return {};
    route::MatchInput input;
    input.host = exchange.host;
    input.raw_host = exchange.request.authority;
    return exchange.match.host(input);
}

// "10.0.0.1:80" and "[::1]:80" without what belongs to the port.
std::string_view address_of(std::string_view text) noexcept {
    std::size_t end = text.size();
    while (end > 0 && text[end - 1] != ':') --end;
    if (end == 0) return text;
    text = text.substr(0, end - 1);
    return text.starts_with('[') ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

ExchangeFacts ProxyExchange::facts() const {
    ExchangeFacts known;
    if (route) {
        known.route_serial = route->serial;
        known.route_id = route->route_id;
        known.route_name = route->route_name;
        known.service_id = route->service_id;
        known.service_name = route->service_name;
        known.matched_uri = match.pattern();
        known.matched_host = host_of(*this);
    }
    known.response_source = source_of(*this);
    known.status = status != 0 ? status : response.status;
    known.request_length = request_length + upload.taken();
    known.bytes_sent = to_client.sent();
    known.duration_us = (monotonic_ns() - started_ns) / 1000;
    if (attempt_count == 0) return known;
    known.upstream_ms = 0;
    for (std::size_t i = 0; i < attempt_count; ++i) {
        if (attempts[i].response_ms > 0) known.upstream_ms += attempts[i].response_ms;
    }
    known.node = address_of(attempts[attempt_count - 1].address);
    return known;
}

}  // namespace gateway::proxy
