// The sections of the static file as structs: names and defaults are those of the reference, where it has them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libgateway/config/forms.hpp"
#include "libgateway/config/object_parts.hpp"
#include "libgateway/config/static_types.hpp"

namespace gateway::config {

inline constexpr std::string_view network_text = "IPv4 or IPv6 address or network";

struct RouterSettings {
    std::string http = "radixtree_uri", ssl = "radixtree_sni";
    static constexpr auto schema =
        fields(field("http", &RouterSettings::http, "how paths and hosts are matched",
                     one_of("radixtree_uri", "radixtree_host_uri", "radixtree_uri_with_parameter")),
               field("ssl", &RouterSettings::ssl, "only value", one_of("radixtree_sni")))
            .closed();
};
// Where one of the gateway's own interfaces listens.
template <std::uint16_t Port>
struct AddressSettings {
    std::string ip = "127.0.0.1";
    std::uint16_t port = Port;
    static constexpr auto schema =
        fields(field("ip", &AddressSettings::ip, "address", pattern("IPv4 or IPv6 address", is_address)),
               field("port", &AddressSettings::port, "port", range(0, 65535)))
            .closed();
};
struct ProxyProtocolSettings {
    std::optional<std::uint16_t> listen_http_port, listen_https_port;
    bool enable_tcp_pp = false, enable_tcp_pp_to_upstream = false;
    static constexpr auto schema =
        fields(
            field("listen_http_port", &ProxyProtocolSettings::listen_http_port, "further port that requires the header",
                  range(0, 65535)),
            field("listen_https_port", &ProxyProtocolSettings::listen_https_port, "not in this build", range(0, 65535)),
            field("enable_tcp_pp", &ProxyProtocolSettings::enable_tcp_pp, "not in this build"),
            field("enable_tcp_pp_to_upstream", &ProxyProtocolSettings::enable_tcp_pp_to_upstream, "not in this build"))
            .closed();
};
struct CompatSettings {
    bool plugin_config_overrides_route = true, admin_on_node_listen = false, reject_snippets = false;
    static constexpr auto schema =
        fields(field("plugin_config_overrides_route", &CompatSettings::plugin_config_overrides_route,
                     "a plugin config wins over the route's own plugin; false: the 3.x rule"),
               field("admin_on_node_listen", &CompatSettings::admin_on_node_listen,
                     "`/apisix/admin` on the ports of traffic too, for those that allow_admin lets in"),
               field("reject_snippets", &CompatSettings::reject_snippets, "snippets are errors, not warnings"))
            .closed();
};

struct EncryptionSettings {
    bool enable_encrypt_fields = true;
    std::optional<KeyTexts> keyring;  // absent: the reference's default, which only decrypts, and a key made here
    std::optional<std::string> format;
    std::optional<KeyTexts> key_encrypt_salt;
    static constexpr auto schema =
        fields(field("enable_encrypt_fields", &EncryptionSettings::enable_encrypt_fields,
                     "secret fields of plugins may be encrypted; false: they are taken as they are written"),
               field("keyring", &EncryptionSettings::keyring,
                     "keys of 16 or 32 bytes: the first encrypts, all decrypt; default: the keys that the reference "
                     "publishes, which only decrypt, with the one that is made in data_dir; empty: nothing is "
                     "encrypted"),
               field("format", &EncryptionSettings::format, "how it is written; both are read; default v2",
                     one_of("v2", "reference")),
               field("key_encrypt_salt", &EncryptionSettings::key_encrypt_salt,
                     "further keys that only decrypt; apisix.ssl.key_encrypt_salt is read as this"))
            .closed();
};

inline constexpr std::string_view default_tls_ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384";

struct SslSection {
    std::optional<bool> enable;
    std::optional<TlsListeners> listen;
    std::string ssl_protocols = "TLSv1.2 TLSv1.3";
    std::string ssl_ciphers = std::string(default_tls_ciphers);
    bool ssl_session_tickets = false, check_key_match = true;
    std::optional<std::string> fallback_sni;
    std::string ssl_trusted_certificate = "system";
    static constexpr auto schema =
        fields(
            field("enable", &SslSection::enable,
                  "false: no TLS listeners; true, without `listen`: port 9443; default: those of `listen`"),
            field("listen", &SslSection::listen, "TLS listeners"),
            field("ssl_protocols", &SslSection::ssl_protocols, "versions of names that set none, separated by blanks"),
            field("ssl_ciphers", &SslSection::ssl_ciphers, "OpenSSL list, TLS 1.2 and below", length(1)),
            field("ssl_session_tickets", &SslSection::ssl_session_tickets, "sessions are resumed by tickets"),
            field("check_key_match", &SslSection::check_key_match,
                  "an ssl object whose key is not its certificate's is refused"),
            field("fallback_sni", &SslSection::fallback_sni, "name for clients that ask for none", length(1)),
            field("ssl_trusted_certificate", &SslSection::ssl_trusted_certificate,
                  "file of the authorities that connections of the gateway's own trust; system: those of the machine",
                  length(1)))
            .closed();
    static void check(const SslSection& ssl, Errors& errors);
    // What is to be opened.
    std::vector<TlsListener> listeners() const;
    // Words of ssl_protocols.
    std::vector<std::string_view> protocols() const;
};

struct ApisixSection {
    Listeners node_listen{{{"", "", 9080, true}}};
    bool enable_admin = true, enable_dev_mode = false, enable_reuseport = true, enable_ipv6 = true, enable_http2 = true;
    bool enable_server_tokens = true, show_upstream_status_in_response_header = false;
    std::string server_token = "gateway", error_page_token = "gateway";
    bool delete_uri_tail_slash = false, normalize_uri_like_servlet = false, match_uri_encoded_slash = false;
    std::uint32_t max_post_args_readable_size = 64;
    RouterSettings router;
    SslSection ssl;
    std::string proxy_mode = "http";
    std::vector<std::string> dns_resolver;
    std::optional<std::uint32_t> dns_resolver_valid;
    std::uint32_t resolver_timeout = 5;
    bool enable_resolv_search_opt = true;
    bool enable_control = true;
    AddressSettings<9090> control;
    std::optional<AddressSettings<7085>> status;
    bool disable_upstream_healthcheck = false;
    std::optional<std::vector<std::string>> trusted_addresses;  // absent: X-Forwarded-* rules without trust
    ProxyProtocolSettings proxy_protocol;
    bool enable_debug = false;
    EncryptionSettings data_encryption;
    CompatSettings compat;

    static constexpr auto schema =
        fields(
            field("node_listen", &ApisixSection::node_listen, "plain listeners"),
            field("enable_admin", &ApisixSection::enable_admin,
                  "Admin API, where the objects of this machine's store can be changed"),
            field("enable_dev_mode", &ApisixSection::enable_dev_mode, "one worker, one socket"),
            field("enable_reuseport", &ApisixSection::enable_reuseport, "a listening socket per worker"),
            field("enable_ipv6", &ApisixSection::enable_ipv6, "listen on [::] too, ask for AAAA"),
            field("enable_http2", &ApisixSection::enable_http2, "not in this build"),
            field("enable_server_tokens", &ApisixSection::enable_server_tokens, "version in `Server`"),
            field("server_token", &ApisixSection::server_token, "product in `Server`", length(1, 64),
                  pattern(R"(^\S+$)", has_no_blank)),
            field("error_page_token", &ApisixSection::error_page_token, "product line of built-in pages",
                  length(1, 64)),
            field("show_upstream_status_in_response_header", &ApisixSection::show_upstream_status_in_response_header,
                  "`X-APISIX-Upstream-Status` always"),
            field("delete_uri_tail_slash", &ApisixSection::delete_uri_tail_slash, "`/a/` is matched as `/a`"),
            field("normalize_uri_like_servlet", &ApisixSection::normalize_uri_like_servlet, "path parameters are cut"),
            field("match_uri_encoded_slash", &ApisixSection::match_uri_encoded_slash,
                  "`%2F` stays encoded for matching"),
            field("max_post_args_readable_size", &ApisixSection::max_post_args_readable_size,
                  "MiB of a body read for `post_arg`; 0: no limit"),
            field("router", &ApisixSection::router, "router"), field("ssl", &ApisixSection::ssl, "TLS"),
            field("proxy_mode", &ApisixSection::proxy_mode, "only http in this build",
                  one_of("http", "stream", "http&stream")),
            field("dns_resolver", &ApisixSection::dns_resolver, "`ip[:port]`; default /etc/resolv.conf"),
            field("dns_resolver_valid", &ApisixSection::dns_resolver_valid, "seconds; default: the record's TTL"),
            field("resolver_timeout", &ApisixSection::resolver_timeout, "seconds", at_least(1)),
            field("enable_resolv_search_opt", &ApisixSection::enable_resolv_search_opt, "search list of resolv.conf"),
            field("enable_control", &ApisixSection::enable_control,
                  "Control API: what is in force, without keys, for this machine"),
            field("control", &ApisixSection::control, "its address"),
            field("status", &ApisixSection::status, "Status API; off without this key"),
            field("disable_upstream_healthcheck", &ApisixSection::disable_upstream_healthcheck, "no probes at all"),
            field("trusted_addresses", &ApisixSection::trusted_addresses, "peers whose X-Forwarded-* are kept",
                  items(1), unique, each(pattern(network_text, is_network))),
            field("proxy_protocol", &ApisixSection::proxy_protocol, "PROXY protocol"),
            field("enable_debug", &ApisixSection::enable_debug, "names of plugins in `Apisix-Plugins`"),
            field("data_encryption", &ApisixSection::data_encryption, "secrets at rest"),
            field("compat", &ApisixSection::compat, "older rules"))
            .closed();
};

struct UpstreamPoolSettings {
    std::uint32_t keepalive = 320, keepalive_requests = 1000;
    Duration keepalive_timeout{std::chrono::seconds(60)};
    static constexpr auto schema =
        fields(
            field("keepalive", &UpstreamPoolSettings::keepalive, "idle connections per worker and pool", at_least(1)),
            field("keepalive_requests", &UpstreamPoolSettings::keepalive_requests, "requests per connection",
                  at_least(1)),
            field("keepalive_timeout", &UpstreamPoolSettings::keepalive_timeout, "idle time"))
            .closed();
};
struct LimitSettings {
    ByteSize header_size{32 << 10}, single_header_size{16 << 10}, uri_size{16 << 10};
    std::uint32_t header_count = 100;
    static constexpr auto schema =
        fields(field("header_size", &LimitSettings::header_size, "request line and headers; beyond: 431"),
               field("header_count", &LimitSettings::header_count, "header lines; beyond: 431", range(1, 112)),
               field("single_header_size", &LimitSettings::single_header_size, "one header line; beyond: 431"),
               field("uri_size", &LimitSettings::uri_size, "request target; beyond: 414"))
            .closed();
    static void check(const LimitSettings& limits, Errors& errors);
};

struct HttpSection {
    bool enable_access_log = true;
    std::string access_log = "logs/access.log";
    ByteSize access_log_buffer{16384};
    std::string access_log_format =
        R"($remote_addr - $remote_user [$time_local] $http_host "$request" $status $body_bytes_sent $request_time )"
        R"("$http_referer" "$http_user_agent" $upstream_addr $upstream_status $upstream_response_time )"
        R"("$upstream_scheme://$upstream_host$upstream_uri" "$apisix_request_id")";
    std::string access_log_format_escape = "default";
    Duration keepalive_timeout{std::chrono::seconds(60)}, client_header_timeout{std::chrono::seconds(60)};
    Duration client_body_timeout{std::chrono::seconds(60)}, send_timeout{std::chrono::seconds(10)};
    Duration proxy_connect_timeout{std::chrono::seconds(60)}, proxy_send_timeout{std::chrono::seconds(60)};
    Duration proxy_read_timeout{std::chrono::seconds(60)};
    ByteSize client_max_body_size;
    Switch underscores_in_headers{true}, real_ip_recursive;
    std::string real_ip_header = "X-Real-IP";
    std::vector<std::string> real_ip_from{"127.0.0.1", "unix:"};
    bool proxy_ssl_server_name = true;
    UpstreamPoolSettings upstream;
    std::string charset = "utf-8";
    LimitSettings limits;
    Members<ByteSize> lua_shared_dict;

    static constexpr auto schema =
        fields(
            field("enable_access_log", &HttpSection::enable_access_log, "write an access log"),
            field("access_log", &HttpSection::access_log, "file, `stdout` or `stderr`", length(1, 511)),
            field("access_log_buffer", &HttpSection::access_log_buffer, "per worker, flushed each second"),
            field("access_log_format", &HttpSection::access_log_format,
                  "text with $variables; $end_reason: who ended the request, and why", length(1, 4096)),
            field("access_log_format_escape", &HttpSection::access_log_format_escape, "how values are escaped",
                  one_of("default", "json", "none")),
            field("keepalive_timeout", &HttpSection::keepalive_timeout, "idle client connections; 0: close at once"),
            field("client_header_timeout", &HttpSection::client_header_timeout, "whole request head; then 408"),
            field("client_body_timeout", &HttpSection::client_body_timeout, "between two reads of a body; then 408"),
            field("send_timeout", &HttpSection::send_timeout, "between two writes to the client"),
            field("proxy_connect_timeout", &HttpSection::proxy_connect_timeout, "where no upstream says otherwise"),
            field("proxy_send_timeout", &HttpSection::proxy_send_timeout, "where no upstream says otherwise"),
            field("proxy_read_timeout", &HttpSection::proxy_read_timeout, "where no upstream says otherwise"),
            field("client_max_body_size", &HttpSection::client_max_body_size, "0: no limit; beyond: 413"),
            field("underscores_in_headers", &HttpSection::underscores_in_headers, "off: such headers are dropped"),
            field("real_ip_header", &HttpSection::real_ip_header, "header, or `proxy_protocol`", length(1, 128)),
            field("real_ip_recursive", &HttpSection::real_ip_recursive, "skip trusted addresses from the right"),
            field("real_ip_from", &HttpSection::real_ip_from, "peers that are believed",
                  each(pattern("address, network or unix:", is_trusted_source))),
            field("proxy_ssl_server_name", &HttpSection::proxy_ssl_server_name, "SNI to upstreams (not in this build)"),
            field("upstream", &HttpSection::upstream, "default pool"),
            field("lua_shared_dict", &HttpSection::lua_shared_dict,
                  "sizes of tables in shared memory, by name (plugin-limit-count, …); others are ignored"),
            field("charset", &HttpSection::charset, "of text made here", length(1, 64)),
            field("limits", &HttpSection::limits, "sizes of request heads"))
            .closed();
};

struct EventSettings {
    std::uint32_t worker_connections = 10620;
    static constexpr auto schema = fields(field("worker_connections", &EventSettings::worker_connections,
                                                "connections per worker; beyond: accept paused", range(16, 4000000)))
                                       .closed();
};

struct NginxSection {
    std::string error_log = "logs/error.log", error_log_level = "warn";
    WorkerCount worker_processes;
    bool enable_cpu_affinity = false;
    std::uint32_t worker_rlimit_nofile = 20480;
    EventSettings event;
    Duration worker_shutdown_timeout{std::chrono::seconds(240)};
    std::string user;
    HttpSection http;

    static constexpr auto schema =
        fields(
            field("error_log", &NginxSection::error_log, "file, `stdout` or `stderr`", length(1, 511)),
            field("error_log_level", &NginxSection::error_log_level, "least level",
                  one_of("debug", "info", "notice", "warn", "error", "crit", "alert", "emerg")),
            field("worker_processes", &NginxSection::worker_processes, "`auto`: usable CPUs"),
            field("enable_cpu_affinity", &NginxSection::enable_cpu_affinity, "pin workers to CPUs"),
            field("worker_rlimit_nofile", &NginxSection::worker_rlimit_nofile, "open files of a worker", at_least(64)),
            field("event", &NginxSection::event, "connections"),
            field("worker_shutdown_timeout", &NginxSection::worker_shutdown_timeout, "longest drain"),
            field("user", &NginxSection::user, "user of workers and control, when started as root"),
            field("http", &NginxSection::http, "HTTP"))
            .closed();
};

}  // namespace gateway::config
