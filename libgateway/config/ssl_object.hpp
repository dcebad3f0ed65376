// The object `ssl` as it is written: names, certificates with their keys, what is asked of clients.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libgateway/config/object_parts.hpp"

namespace gateway::config {

struct SslClient {
    std::string ca;
    std::uint32_t depth = 1;
    std::vector<std::string> skip_mtls_uri_regex;
    static constexpr auto schema =
        fields(field("ca", &SslClient::ca, "PEM, one or more authorities that clients are vouched for by", required,
                     length(128, 65536)),
               field("depth", &SslClient::depth, "certificates between a client's and an authority's", range(0, 100)),
               field("skip_mtls_uri_regex", &SslClient::skip_mtls_uri_regex,
                     "paths that are open to clients without a certificate", items(1), unique));
};

// Certificates and keys may be references to secrets.
struct Ssl {
    std::optional<ObjectId> id;
    std::string desc;
    Labels labels;
    std::optional<std::int64_t> create_time, update_time;
    std::string type = "server";
    std::optional<std::string> sni, cert, key;
    std::vector<std::string> snis, certs, keys;
    std::optional<SslClient> client;
    int status = 1;
    std::vector<std::string> ssl_protocols;

    static constexpr auto schema =
        fields(
            field("id", &Ssl::id, "name of the object"), field("desc", &Ssl::desc, "for people", length(0, 256)),
            field("labels", &Ssl::labels, "free marks"), field("create_time", &Ssl::create_time, "no effect in files"),
            field("update_time", &Ssl::update_time, "no effect in files"),
            field("type", &Ssl::type, "server: shown to clients; client: shown to upstreams",
                  one_of("server", "client")),
            field("sni", &Ssl::sni, "name that it is shown for", pattern(host_pattern, is_host_pattern)),
            field("snis", &Ssl::snis, "several names", items(1), each(pattern(host_pattern, is_host_pattern))),
            field("cert", &Ssl::cert, "PEM, the certificate and then its chain", length(128, 65536)),
            field("key", &Ssl::key, "PEM, its private key", length(64, 65536), encrypted),
            field("certs", &Ssl::certs, "further certificates, as with ECDSA beside RSA", each(length(128, 65536))),
            field("keys", &Ssl::keys, "their keys, in the same order", each(length(64, 65536))),
            field("client", &Ssl::client, "clients must show a certificate"),
            field("status", &Ssl::status, "0: not used", range(0, 1)),
            field("ssl_protocols", &Ssl::ssl_protocols, "versions for these names; default: apisix.ssl.ssl_protocols",
                  items(0, 3), unique, each(one_of("TLSv1.1", "TLSv1.2", "TLSv1.3"))))
            .closed();
    static void check(const Ssl& ssl, Errors& errors);
    // Those of `sni` or of `snis`.
    std::vector<std::string> names() const;
};

// Reads an object that was checked; throws config::Error if it was not.
Ssl read_ssl(const json::Value& value);

}  // namespace gateway::config
