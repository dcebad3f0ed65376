#include "libgateway/proxy/client_check.hpp"

#include "libgateway/base/log.hpp"
#include "libgateway/proxy/session.hpp"
#include "libgateway/proxy/site.hpp"
#include "libgateway/snapshot/certificates.hpp"
#include "libgateway/tls/accept.hpp"
#include "libgateway/tls/name_index.hpp"

namespace gateway::proxy {

namespace {

bool refuse(ProxyExchange& exchange) noexcept {
    exchange.respond_with({400, LocalReply::Body::page, {}});
    exchange.reason = EndReason::client_error;
    exchange.source = ResponseSource::gateway;
    return false;
}

// The handshake let everybody in; some paths are for everybody too.
bool is_vouched_for(ProxyExchange& exchange, const tls::Established& client) {
    const auto& shown = static_cast<const ServerIdentity&>(client.identity());
    if (!shown.checks_clients() || shown.checks_in_handshake() || shown.is_open(exchange.uri)) return true;
    const std::string_view why = client.client_refusal();
    if (why.empty()) return true;
    if (client.client_showed_certificate()) {
        log::error("client certificate verification is not passed: {}, client: {}", why, exchange.client_text);
    } else {
        log::error("client certificate was not present, client: {}", exchange.client_text);
    }
    return refuse(exchange);
}

// A connection that was opened for one name must not reach another one that asks for more.
bool is_for_host(ProxyExchange& exchange, const tls::Established& client) {
    const std::string_view name = exchange.session->server_name();
    if (exchange.host == name) return true;
    const tls::Identity* const other = exchange.site().snapshot->names().find(exchange.host);
    if (!other || !other->checks_clients()) return true;
    if (client.client_refusal().empty()) {
        log::error("client certificate verified with SNI {}, but the host is {}", name, exchange.host);
    } else {
        log::error("client certificate was not present for {}, the SNI is {}", exchange.host, name);
    }
    return refuse(exchange);
}

}  // namespace

bool admits_client(ProxyExchange& exchange) {
    const tls::Established client(exchange.client_stream());
    return is_vouched_for(exchange, client) && is_for_host(exchange, client);
}

}  // namespace gateway::proxy
