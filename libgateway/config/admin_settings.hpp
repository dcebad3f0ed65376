// The section `deployment.admin` of the static file: where the Admin API listens and who may use it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libgateway/config/static_sections.hpp"

namespace gateway::config {

using AdminListen = AddressSettings<9180>;

struct AdminKey {
    std::string name, key, role = "admin";
    static constexpr auto schema =
        fields(
            field("name", &AdminKey::name, "who uses it, for the history", required, length(1, 100)),
            field("key", &AdminKey::key, "what clients send; empty: the generated one", length(0, 1024), encrypted),
            field("role", &AdminKey::role, "admin: everything; viewer: GET only", required, one_of("admin", "viewer")))
            .closed();
};
// Keys stay in control: what is written for workers and to disk says only that there are some.
struct AdminKeys {
    std::vector<AdminKey> list;
    bool withheld = false;
};
template <>
struct Codec<AdminKeys> {
    static void read(const json::Value& value, AdminKeys& out, const Rules& rules, Errors& errors) {
        out.withheld = value.is_boolean();
        if (!out.withheld) Codec<std::vector<AdminKey>>::read(value, out.list, rules, errors);
    }
    static json::Value write(const AdminKeys& keys) { return keys.withheld || !keys.list.empty(); }
    static json::Value describe(const Rules& rules) { return Codec<std::vector<AdminKey>>::describe(rules); }
};

struct AdminTls {
    std::string admin_ssl_cert, admin_ssl_cert_key, admin_ssl_ca_cert;
    static constexpr auto schema =
        fields(field("admin_ssl_cert", &AdminTls::admin_ssl_cert, "certificate chain of the listener, PEM file"),
               field("admin_ssl_cert_key", &AdminTls::admin_ssl_cert_key, "its key, PEM file"),
               field("admin_ssl_ca_cert", &AdminTls::admin_ssl_ca_cert,
                     "given: clients must show a certificate that these authorities signed"))
            .closed();
};

struct AdminSettings {
    std::optional<AdminListen> admin_listen;  // absent: the default, which may be taken by another gateway
    bool admin_key_required = true, https_admin = false, enable_admin_cors = true, enable_admin_ui = true;
    std::vector<std::string> allow_admin{"127.0.0.0/24"};
    std::optional<AdminKeys> admin_key;  // absent: the generated one
    AdminTls admin_api_mtls;
    std::string admin_api_version = "v3", standalone_snapshot;
    static constexpr auto schema =
        fields(field("admin_listen", &AdminSettings::admin_listen,
                     "address; default 127.0.0.1:9180, and no Admin API if that is taken"),
               field("admin_key_required", &AdminSettings::admin_key_required, "false: no key is asked for"),
               field("https_admin", &AdminSettings::https_admin, "TLS, with the certificate of admin_api_mtls"),
               field("enable_admin_cors", &AdminSettings::enable_admin_cors, "CORS headers"),
               field("enable_admin_ui", &AdminSettings::enable_admin_ui, "false: no dashboard at `/ui/`"),
               field("allow_admin", &AdminSettings::allow_admin, "peers; []: everyone",
                     each(pattern(network_text, is_network))),
               field("admin_key", &AdminSettings::admin_key,
                     "keys; default: one that is generated, in `admin.key` of data_dir"),
               field("admin_api_mtls", &AdminSettings::admin_api_mtls, "certificates"),
               field("admin_api_version", &AdminSettings::admin_api_version, "v3; else answers in the form of 2.x",
                     length(1, 16)),
               field("standalone_snapshot", &AdminSettings::standalone_snapshot,
                     "standalone API mode: file that keeps the configuration for the next start; default: none",
                     length(0, 511)))
            .closed();
};

}  // namespace gateway::config
