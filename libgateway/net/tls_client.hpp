// TLS as a client: whom a connection is to, whether that is checked, and the handshake.
#pragma once

#include <openssl/types.h>

#include <string>
#include <string_view>

#include "libgateway/base/error.hpp"
#include "libgateway/base/ref_counted.hpp"
#include "libgateway/base/task.hpp"
#include "libgateway/net/stream.hpp"
#include "libgateway/net/wait.hpp"

struct ssl_session_st;  // SSL_SESSION

namespace gateway::net {

// Whose certificates this thread trusts from now on: a file of them, or those of the system (empty). Read when the
// first connection needs them, once per file; a file that cannot be read makes every checked connection fail.
void trust_authorities(const std::string& file);

// One server, as all connections to it see it; keeps the newest session for the next handshake. One thread. Held by
// whoever connects, and by each of its connections.
class TlsPeer : public RefCounted {
public:
    enum class Check : std::uint8_t { none, certificate };  // certificate: its chain, and its name
    // `name`: host name or address (IPv6 also in brackets) that the certificate must be for. A host name is also sent
    // (SNI); empty: neither is done, so a check fails.
    TlsPeer(std::string_view name, Check check);
    TlsPeer(const TlsPeer&) = delete;
    TlsPeer& operator=(const TlsPeer&) = delete;
    ~TlsPeer();

    const std::string& name() const noexcept { return name_; }
    Check check() const noexcept { return check_; }
    // A connection that has not shaken hands yet; null and `why` if there can be none. Given to a TlsLayer.
    SSL* begin(error_code& why);

private:
    friend struct ClientContext;
    void keep(ssl_session_st* session, SSL_CTX* of) noexcept;

    const std::string name_;
    const Check check_;
    const bool is_address_;
    ssl_session_st* session_ = nullptr;
    SSL_CTX* session_of_ = nullptr;
};

// Shakes hands over an open plain stream, in `limit` altogether; from then on it is under TLS. Error codes: timed_out,
// operation_canceled, else those of the system and of tls_category(); the stream is only good for closing then.
// `asker` as with Pool::connect: when it hangs up the handshake is given up; may be null.
Task<error_code> start_tls(Stream& stream, const Ref<TlsPeer>& peer, Milliseconds limit, Sleeper& sleeper,
                           Descriptor* asker = nullptr);

}  // namespace gateway::net
