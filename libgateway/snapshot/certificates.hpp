// Objects of kind ssl in a worker: what clients are shown by the name that they ask for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/delta.hpp"
#include "libgateway/expr/regex.hpp"
#include "libgateway/snapshot/objects.hpp"
#include "libgateway/tls/identity.hpp"

namespace gateway {

// An identity with what the gateway adds to it. Every identity in a snapshot is one.
class ServerIdentity final : public tls::Identity {
public:
    ServerIdentity(tls::IdentitySettings settings, const std::vector<std::string>& open_paths);
    // Whether a path is open to clients without a certificate (skip_mtls_uri_regex).
    bool is_open(std::string_view path) const noexcept;

private:
    std::vector<expr::Regex> open_paths_;
};

struct CertificateObject : RefCounted {
    std::string id;
    Ref<const ServerIdentity> identity;  // null: not shown to clients (status 0, type client)
    Stamp stamp;
    std::string_view key() const noexcept { return id; }
};

// What is wrong with a certificate is told by its identity; throws config::Error only for what is no ssl object.
Ref<CertificateObject> read_certificate(const config::Change& change, const Hash128& hash);

}  // namespace gateway
