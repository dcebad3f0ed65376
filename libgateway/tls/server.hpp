// The serving side of TLS in one worker: what all its connections share, whoever they ask for.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "libgateway/base/ref_counted.hpp"
#include "libgateway/tls/name_index.hpp"
#include "libgateway/tls/ticket_keys.hpp"

namespace gateway::tls {

inline constexpr std::string_view default_ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384";

struct ServerSettings {
    Protocols protocols = tls_1_2 | tls_1_3;             // of names that set none
    std::string ciphers = std::string(default_ciphers);  // of TLS 1.2 and below
    bool tickets = false;
    std::string fallback_name;  // for clients that name nobody; empty: they are turned away
    friend bool operator==(const ServerSettings& a, const ServerSettings& b) noexcept {
        return a.protocols == b.protocols && a.ciphers == b.ciphers && a.tickets == b.tickets &&
               a.fallback_name == b.fallback_name;
    }
    friend bool operator!=(const ServerSettings& a, const ServerSettings& b) noexcept { return !(a == b); }
};

// Why no server can be made of this list; empty if it can.
std::string ciphers_refusal(const std::string& ciphers);

// How a handshake ended, for metrics and logs.
enum class Handshake : std::uint8_t {
    done,
    no_name,             // the client names nobody, and there is no fallback
    unknown_name,        // no certificate for that name
    broken_certificate,  // there is one, but it cannot be used
    client_certificate,  // missing, or not vouched for
    no_protocol,         // none in common
    no_cipher,           // no cipher, group or signature in common
    plain_text,          // not TLS; the bytes are still to be read
    not_tls,             // neither TLS nor HTTP
    timed_out,
    client_gone,
    failed,  // whatever else TLS can find wrong
};
std::string_view name_of(Handshake result) noexcept;

class Server;

// What became known of one connection; lives as long as its SSL.
struct Visit {
    Ref<const Server> server;      // whose callbacks the connection calls
    Ref<const Identity> identity;  // null until the client has named it
    Handshake refusal = Handshake::done;
    bool fallback = false;  // identity is the one of fallback_name
    std::string name;       // that a client asked for who was turned away for it
};

// Made by make_ref; held by the worker and by each of its connections. Settings, names and keys count for handshakes
// that begin, or ask, from then on; connections keep what they have. One SSL_CTX, no matter how many names.
class Server : public RefCounted {
public:
    // Throws std::invalid_argument for ciphers that the library does not know, std::runtime_error if it fails.
    explicit Server(const ServerSettings& settings);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    void use(const NameIndex& names) { names_ = names; }
    const NameIndex& names() const noexcept { return names_; }
    // As TicketKeys::set.
    bool use_ticket_keys(std::string_view bytes) { return ticket_keys_.set(bytes); }

    // A connection that has not shaken hands yet; null if the library has no memory.
    SSL* begin() const noexcept;
    // Of an SSL made by a server.
    static const Visit& visit(const SSL* ssl) noexcept;

private:
    struct Callbacks;
    int choose(SSL* ssl, int* alert) const;

    const std::string fallback_name_;
    Owned<SSL_CTX> context_;
    NameIndex names_;
    TicketKeys ticket_keys_;
};

}  // namespace gateway::tls
