// Variables ssl_*: what is known of the TLS session of a client (router.md 9.1 of the specification).
#pragma once

#include <optional>
#include <string_view>

#include "libgateway/base/arena.hpp"
#include "libgateway/proxy/session.hpp"

namespace gateway::proxy {

// `key` without "ssl_". Nothing: the connection is plain, or there is no such value.
std::optional<std::string_view> read_tls_variable(const Session& session, std::string_view key, Arena& arena);

}  // namespace gateway::proxy
