#include "tests/support/tls_front.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <stdexcept>

namespace gateway::test {

namespace {

std::shared_ptr<SSL_CTX> make_context(const TestCertificate& with) {
    std::shared_ptr<SSL_CTX> context(::SSL_CTX_new(::TLS_server_method()), &::SSL_CTX_free);
    const bool good = ::SSL_CTX_use_certificate_chain_file(context.get(), with.certificate.c_str()) == 1 &&
                      ::SSL_CTX_use_PrivateKey_file(context.get(), with.key.c_str(), SSL_FILETYPE_PEM) == 1;
    if (!good) throw std::runtime_error("no certificate for a TLS server");
    static constexpr unsigned char id[] = "test";
    ::SSL_CTX_set_session_id_context(context.get(), id, sizeof id - 1);
    return context;
}

}  // namespace

TlsFront::TlsFront(const TestCertificate& certificate, std::uint16_t plain)
    : plain_(plain), listener_(listen_on_free_port(port_)), context_(make_context(certificate)) {
    std::signal(SIGPIPE, SIG_IGN);
    acceptor_ = std::thread([this] { accept_all(); });
}

TlsFront::~TlsFront() {
    stopping_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    for (Guest& guest : guests_) {
        ::shutdown(guest.socket.get(), SHUT_RDWR);
        guest.thread.join();
    }
}

std::string TlsFront::last_name() const {
    const std::scoped_lock lock(mutex_);
    return last_name_;
}

void TlsFront::accept_all() {
    while (!stopping_) {
        UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!socket) continue;
        const int on = 1;
        ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ++accepted_;
        Guest& guest = guests_.emplace_back();
        guest.socket = std::move(socket);
        guest.thread = std::thread([this, &guest] {
            serve(guest.socket.get());
            ::shutdown(guest.socket.get(), SHUT_RDWR);
        });
    }
}

void TlsFront::serve(int socket) {
    const std::unique_ptr<SSL, decltype(&::SSL_free)> ssl(::SSL_new(context_.get()), &::SSL_free);
    ::SSL_set_fd(ssl.get(), socket);
    if (::SSL_accept(ssl.get()) != 1) return ::ERR_clear_error();
    {
        const std::scoped_lock lock(mutex_);
        const char* name = ::SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name);
        last_name_ = name ? name : "";
    }
    if (::SSL_session_reused(ssl.get()) == 1) ++resumed_;
    ++handshakes_;
    try {
        Connection server = connect_to(plain_);
        relay(ssl.get(), server);
    } catch (const ConnectionError&) {
        // the plain server's business
    }
    ::ERR_clear_error();
}

// An end of the plain server is told with a goodbye, a reset of it without.
void TlsFront::relay(SSL* ssl, Connection& server) {
    std::array<char, 20000> block;
    for (bool from_client = true;;) {
        pollfd ready[2] = {{server.descriptor(), POLLIN, 0}, {from_client ? ::SSL_get_fd(ssl) : -1, POLLIN, 0}};
        if (::poll(ready, 2, -1) < 0) return;
        if (ready[1].revents != 0) {
            do {
                const int got = ::SSL_read(ssl, block.data(), static_cast<int>(block.size()));
                if (got > 0) {
                    server.send({block.data(), static_cast<std::size_t>(got)});
                    continue;
                }
                from_client = false;
                const bool clean = ::SSL_get_error(ssl, got) == SSL_ERROR_ZERO_RETURN;
                if (!clean) return;
                ++goodbyes_;
                server.half_close();
            } while (from_client && ::SSL_pending(ssl) > 0);
        }
        if (ready[0].revents != 0) {
            const ssize_t got = ::recv(server.descriptor(), block.data(), block.size(), 0);
            if (got < 0) return;
            if (got == 0) return static_cast<void>(::SSL_shutdown(ssl));
            if (::SSL_write(ssl, block.data(), static_cast<int>(got)) <= 0) return;
        }
    }
}

}  // namespace gateway::test
