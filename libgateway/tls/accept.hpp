// The handshake with a client: from an open plain stream to one under TLS.
#pragma once

#include <string>
#include <string_view>

#include "libgateway/base/error.hpp"
#include "libgateway/base/task.hpp"
#include "libgateway/net/stream.hpp"
#include "libgateway/net/wait.hpp"
#include "libgateway/tls/server.hpp"

namespace gateway::tls {

struct Accepted {
    Handshake result = Handshake::failed;
    error_code why;  // what the library or the system says, if it says more than `result`
};

// Waits for the client's first byte without holding anything for it, then shakes hands; `limit` for both together.
// After `done` the stream is under TLS. After `plain_text` it is plain and nothing was read from it. Else it is only
// good for closing. Cancelling the sleeper ends it with `client_gone`.
Task<Accepted> accept_tls(net::Stream& stream, const Ref<const Server>& server, Milliseconds limit,
                          net::Sleeper& sleeper);

// What the log says of a failure: "unknown_name for \"a.test\": …". Empty for what no one has to be told.
std::string describe(const Accepted& failed, const net::Stream& stream);

// Of a connection whose handshake is done.
class Established {
public:
    explicit Established(const net::Stream& stream) noexcept;
    const Identity& identity() const noexcept;
    std::string_view protocol() const noexcept;  // "TLSv1.3"
    std::string_view cipher() const noexcept;    // "TLS_AES_128_GCM_SHA256"
    std::string_view name() const noexcept;      // that the client asked for; empty if for none
    bool resumed() const noexcept;
    std::string chosen_protocol() const;  // ALPN; empty: none
    bool client_showed_certificate() const noexcept;
    CertificateFacts client_facts() const;  // all empty if it showed none
    // Empty: the client's certificate is vouched for. Else why not.
    std::string_view client_refusal() const noexcept;

private:
    const SSL* ssl_;
};

}  // namespace gateway::tls
