// A server of this room and a client of OpenSSL's over one pair of sockets.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <string>
#include <vector>

#include "libgateway/tls/accept.hpp"
#include "tests/support/made_certificate.hpp"

namespace gateway::test {

// What a client offers and shows.
struct Client {
    std::string name = "a.test";  // empty: none is sent
    int least = TLS1_2_VERSION, most = TLS1_3_VERSION;
    std::string ciphers, signatures, groups;  // empty: those of the library
    std::vector<std::string> protocols;       // ALPN
    const MadeCertificate* certificate = nullptr;
    SSL_SESSION* session = nullptr;  // to be resumed
};

struct Met {
    tls::Accepted accepted;
    std::string log;  // what describe() says of a failure
    // What the server knows of the connection.
    std::string identity, protocol, cipher, name, client_refusal;
    bool resumed = false;
    // What the client knows: whose certificate it was shown, why it failed ("tlsv1 alert internal error").
    std::string shown, refusal, chosen_protocol;
    std::vector<std::string> acceptable_issuers;
    std::string answer;  // "pong", if bytes went both ways
    std::shared_ptr<SSL_SESSION> session;
};

// One handshake, one exchange of some bytes and a close.
Met meet(const Ref<const tls::Server>& server, const Client& client);
// One connection whose other side is the caller's business: it is given a blocking socket in a thread of its own.
tls::Accepted meet_raw(const Ref<const tls::Server>& server, void (*talk)(int socket), Milliseconds limit,
                       std::string* unread = nullptr);
// The server's side of a connection that was accepted elsewhere.
Met serve_one(const Ref<const tls::Server>& server, UniqueFd socket);

}  // namespace gateway::test
