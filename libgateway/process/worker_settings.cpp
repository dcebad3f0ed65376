#include "libgateway/process/worker_settings.hpp"

namespace gateway::process {

namespace {

// What is no network is `unix:`: no listener is on a unix socket, so nobody is meant by it.
expr::CidrSet networks(const std::vector<std::string>& texts) {
    std::vector<expr::Cidr> found;
    for (const auto& text : texts) {
        if (const auto network = expr::parse_cidr(text)) found.push_back(*network);
    }
    return expr::CidrSet(found);
}

void take_apisix(const config::ApisixSection& from, proxy::Settings& to) {
    to.path = {from.delete_uri_tail_slash, from.normalize_uri_like_servlet, from.match_uri_encoded_slash};
    to.max_matched_body = std::uint64_t(from.max_post_args_readable_size) << 20;
    to.show_upstream_status = from.show_upstream_status_in_response_header;
    to.server = from.enable_server_tokens ? from.server_token + "/" GATEWAY_VERSION : from.server_token;
    to.page_token = from.error_page_token;
    to.trust_configured = from.trusted_addresses.has_value();
    if (from.trusted_addresses) to.trusted = networks(*from.trusted_addresses);
}

void take_http(const config::HttpSection& from, proxy::Settings& to) {
    to.limits = {from.limits.header_size.bytes, from.limits.single_header_size.bytes, from.limits.header_count,
                 from.limits.uri_size.bytes};
    to.keepalive_timeout = from.keepalive_timeout.value;
    to.header_timeout = from.client_header_timeout.value;
    to.body_timeout = from.client_body_timeout.value;
    to.send_timeout = from.send_timeout.value;
    to.max_body_size = from.client_max_body_size.bytes;
    to.underscores_in_headers = from.underscores_in_headers.on;
    to.charset = from.charset;
    to.real_ip_header = from.real_ip_header;
    to.real_ip_recursive = from.real_ip_recursive.on;
    to.real_ip_from = networks(from.real_ip_from);
}

// The old switch gives names alone, and counts where the file does not say.
void take_debug(const DebugState& from, bool old_switch, proxy::Settings& to) {
    const config::DebugBasic basic = from.config ? from.config->basic : config::DebugBasic();
    to.debug_field = basic.header_name;
    to.debug_hooks = from.hooks;
    if (basic.enable.value_or(false)) {
        to.debug_form = basic.header_format == "names" ? DebugForm::names : DebugForm::phases;
    } else if (!basic.enable && old_switch) {
        to.debug_form = DebugForm::names;
    }
}

}  // namespace

DebugState read_debug_state(std::string_view text) {
    DebugState state;
    if (text.empty()) return state;
    state.config = config::decode_debug(text);
    std::vector<std::string> told_by_control;
    auto hooks = std::make_shared<const DebugHooks>(*state.config, told_by_control);
    if (hooks->any()) state.hooks = std::move(hooks);
    return state;
}

Ref<const proxy::Settings> make_settings(const Ref<const WorkerSettings>& settings, const DebugState& debug) {
    auto made = make_ref<proxy::Settings>();
    take_apisix(settings->file.apisix, *made);
    take_http(settings->file.nginx_config.http, *made);
    take_debug(debug, settings->file.apisix.enable_debug, *made);
    made->max_graphql = settings->file.graphql.max_size;
    made->worker_connections = settings->file.nginx_config.event.worker_connections;
    return Ref<const proxy::Settings>(made);
}

tls::ServerSettings make_tls_settings(const config::SslSection& ssl) {
    tls::ServerSettings made;
    made.protocols = 0;
    for (const std::string_view word : ssl.protocols()) made.protocols |= tls::protocol_named(word);
    made.ciphers = ssl.ssl_ciphers;
    made.tickets = ssl.ssl_session_tickets;
    made.fallback_name = ssl.fallback_sni.value_or(std::string());
    return made;
}

net::ResolverSettings make_resolver_settings(const WorkerSettings& settings) {
    const auto& from = settings.file.apisix;
    net::ResolverSettings made;
    made.servers = from.dns_resolver;
    made.timeout = std::chrono::seconds(from.resolver_timeout);
    if (from.dns_resolver_valid) made.fixed_ttl = std::chrono::seconds(*from.dns_resolver_valid);
    made.ipv6 = from.enable_ipv6;
    made.search = from.enable_resolv_search_opt;
    return made;
}

}  // namespace gateway::process
