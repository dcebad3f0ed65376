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
    known.started_ms = wall_ms() - known.duration_us / 1000;
    if (attempt_count == 0) return known;
    known.upstream_ms = 0;
    for (std::size_t i = 0; i < attempt_count; ++i) {
        if (attempts[i].response_ms > 0) known.upstream_ms += attempts[i].response_ms;
    }
    const std::string_view address = attempts[attempt_count - 1].address;
    known.node = address.substr(0, address.rfind(':'));
    if (known.node.size() > 1 && known.node.front() == '[') known.node = known.node.substr(1, known.node.size() - 2);
    return known;
}

}  // namespace gateway::proxy
