// TLS in front of a plain server of a test: what the server scripts, clients get over TLS.
#pragma once

#include <openssl/types.h>

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "tests/support/connection.hpp"
#include "tests/support/test_authority.hpp"

namespace gateway::test {

// Threads: one accepts, one serves each connection; all are ended by the destructor. Makes the process ignore SIGPIPE,
// as the gateway's do.
class TlsFront {
public:
    // `plain`: port on 127.0.0.1 that every connection is passed on to.
    TlsFront(const TestCertificate& certificate, std::uint16_t plain);
    TlsFront(const TlsFront&) = delete;
    TlsFront& operator=(const TlsFront&) = delete;
    ~TlsFront();

    std::uint16_t port() const noexcept { return port_; }
    std::string node() const { return "127.0.0.1:" + std::to_string(port_); }
    std::size_t accepted() const noexcept { return accepted_; }
    std::size_t handshakes() const noexcept { return handshakes_; }  // that came to their end
    std::size_t resumed() const noexcept { return resumed_; }
    // Connections whose other side said its goodbye.
    std::size_t goodbyes() const noexcept { return goodbyes_; }
    std::string last_name() const;  // that a client asked for; "" if it did not

private:
    struct Guest {
        UniqueFd socket;
        std::thread thread;
    };
    void accept_all();
    void serve(int socket);
    void relay(SSL* ssl, Connection& server);

    std::uint16_t port_ = 0;  // before the listener, which fills it
    const std::uint16_t plain_;
    UniqueFd listener_;
    std::shared_ptr<SSL_CTX> context_;
    mutable std::mutex mutex_;
    std::string last_name_;
    std::list<Guest> guests_;
    std::atomic<std::size_t> accepted_{0}, handshakes_{0}, resumed_{0}, goodbyes_{0};
    std::atomic<bool> stopping_{false};
    std::thread acceptor_;
};

}  // namespace gateway::test
