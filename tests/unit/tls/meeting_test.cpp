#include "tests/unit/tls/meeting.hpp"

#include <fcntl.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <thread>
#include <utility>

#include "tests/support/catch.hpp"

namespace gateway::test {

namespace {

constexpr Milliseconds patience{60'000};

struct Pairs {
    UniqueFd server, client;
    Pairs() {
        int both[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) == 0);
        server = UniqueFd(both[0]);
        client = UniqueFd(both[1]);
        REQUIRE(::fcntl(server.get(), F_SETFL, O_NONBLOCK) == 0);
    }
};

// One connection in a loop of its own.
struct Side {
    net::Reactor reactor;
    net::Stream stream;
    net::Sleeper sleeper{reactor};
    bool done = false;

    explicit Side(UniqueFd socket) { REQUIRE(stream.open(reactor, std::move(socket), net::writable | net::readable)); }
    void turn() {
        struct Left {};
        try {
            reactor.run([this](std::int64_t) {
                if (std::exchange(done, false)) throw Left();
            });
        } catch (const Left&) {
        }
    }
};

Task<void> shake(Side& side, const Ref<const tls::Server>& server, Milliseconds limit, tls::Accepted& accepted) {
    co_await side.reactor.yield();
    accepted = co_await tls::accept_tls(side.stream, server, limit, side.sleeper);
    side.done = true;
}

// "ping" is answered by "pong"; an end of the client by ours.
Task<void> talk(Side& side) {
    co_await side.reactor.yield();
    char block[64];
    for (;;) {
        const net::IoResult got = side.stream.read(block);
        if (got.state == net::IoState::done) {
            char pong[] = "pong";
            const iovec part{pong, 4};
            side.stream.write(&part, 1);
        } else if (got.state == net::IoState::would_block) {
            const net::Woke woke =
                co_await side.sleeper.wait(side.stream.descriptor(), side.stream.to_read(), patience);
            if (woke != net::Woke::ready) break;
        } else {
            break;
        }
    }
    side.stream.close();
    side.done = true;
}

void learn(Met& met, Side& side) {
    if (met.accepted.result != tls::Handshake::done) {
        met.log = tls::describe(met.accepted, side.stream);
        return;
    }
    const tls::Established established(side.stream);
    met.identity = established.identity().id();
    met.protocol = established.protocol();
    met.cipher = established.cipher();
    met.name = established.name();
    met.client_refusal = established.client_refusal();
    met.resumed = established.resumed();
}

std::string common_name(const X509* certificate) {
    char text[256] = "";
    if (certificate)
        ::X509_NAME_get_text_by_NID(::X509_get_subject_name(certificate), NID_commonName, text, sizeof text);
    return text;
}

std::string last_reason() {
    const unsigned long code = ::ERR_peek_last_error();
    const char* const reason = ::ERR_reason_error_string(code);
    const std::string text = reason ? reason : code == 0 ? "" : "error " + std::to_string(code);
    ::ERR_clear_error();
    return text;
}

std::shared_ptr<SSL> prepare(SSL_CTX* context, const Client& client, int socket) {
    ::SSL_CTX_set_min_proto_version(context, client.least);
    ::SSL_CTX_set_max_proto_version(context, client.most);
    if (client.least < TLS1_2_VERSION) ::SSL_CTX_set_security_level(context, 0);
    if (!client.ciphers.empty()) REQUIRE(::SSL_CTX_set_cipher_list(context, client.ciphers.c_str()) == 1);
    if (!client.signatures.empty()) REQUIRE(::SSL_CTX_set1_sigalgs_list(context, client.signatures.c_str()) == 1);
    if (!client.groups.empty()) REQUIRE(::SSL_CTX_set1_groups_list(context, client.groups.c_str()) == 1);
    if (client.certificate) {
        REQUIRE(::SSL_CTX_use_certificate(context, parse_certificate(client.certificate->certificate).get()) == 1);
        REQUIRE(::SSL_CTX_use_PrivateKey(context, parse_key(client.certificate->key).get()) == 1);
    }
    std::string offered;
    for (const std::string& one : client.protocols) offered += static_cast<char>(one.size()) + one;
    const std::shared_ptr<SSL> ssl(::SSL_new(context), &::SSL_free);
    ::SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(offered.data()),
                          static_cast<unsigned>(offered.size()));
    if (!client.name.empty()) ::SSL_set_tlsext_host_name(ssl.get(), client.name.c_str());
    if (client.session) ::SSL_set_session(ssl.get(), client.session);
    ::SSL_set_fd(ssl.get(), socket);
    return ssl;
}

void learn(Met& met, SSL* ssl) {
    met.shown = common_name(::SSL_get0_peer_certificate(ssl));
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    ::SSL_get0_alpn_selected(ssl, &chosen, &size);
    met.chosen_protocol.assign(reinterpret_cast<const char*>(chosen), size);
    const STACK_OF(X509_NAME)* const issuers = ::SSL_get0_peer_CA_list(ssl);
    for (int i = 0; i < sk_X509_NAME_num(issuers); ++i) {
        char text[256] = "";
        ::X509_NAME_get_text_by_NID(sk_X509_NAME_value(issuers, i), NID_commonName, text, sizeof text);
        met.acceptable_issuers.emplace_back(text);
    }
}

void run_client(const std::shared_ptr<SSL>& ssl, Met& met) {
    ::ERR_clear_error();
    bool good = ::SSL_connect(ssl.get()) == 1;
    if (good) {
        learn(met, ssl.get());
        char pong[4] = "";
        // With TLS 1.3 a server's refusal of the certificate comes with the first read.
        good = ::SSL_write(ssl.get(), "ping", 4) == 4 && ::SSL_read(ssl.get(), pong, 4) == 4;
        if (good) met.answer.assign(pong, 4);
        if (good) met.session = {::SSL_get1_session(ssl.get()), &::SSL_SESSION_free};
    }
    if (!good) met.refusal = last_reason();
    if (good) ::SSL_shutdown(ssl.get());
    ::shutdown(::SSL_get_fd(ssl.get()), SHUT_RDWR);
}

void run_server(Side& side, const Ref<const tls::Server>& server, Met& met) {
    spawn(shake(side, server, patience, met.accepted));
    side.turn();
    learn(met, side);
    if (met.accepted.result == tls::Handshake::done) {
        spawn(talk(side));
        side.turn();
    }
    side.stream.close();
}

}  // namespace

Met meet(const Ref<const tls::Server>& server, const Client& client) {
    std::signal(SIGPIPE, SIG_IGN);
    Pairs pair;
    Met met, seen;
    const std::shared_ptr<SSL_CTX> context(::SSL_CTX_new(::TLS_client_method()), &::SSL_CTX_free);
    const std::shared_ptr<SSL> ssl = prepare(context.get(), client, pair.client.get());
    std::thread other([&] { run_client(ssl, seen); });
    {
        Side side(std::move(pair.server));
        run_server(side, server, met);
    }
    other.join();
    met.shown = seen.shown, met.refusal = seen.refusal, met.chosen_protocol = seen.chosen_protocol;
    met.acceptable_issuers = seen.acceptable_issuers, met.answer = seen.answer, met.session = seen.session;
    return met;
}

Met serve_one(const Ref<const tls::Server>& server, UniqueFd socket) {
    std::signal(SIGPIPE, SIG_IGN);
    REQUIRE(::fcntl(socket.get(), F_SETFL, O_NONBLOCK) == 0);
    Met met;
    Side side(std::move(socket));
    run_server(side, server, met);
    return met;
}

tls::Accepted meet_raw(const Ref<const tls::Server>& server, void (*talk_raw)(int), Milliseconds limit,
                       std::string* unread) {
    std::signal(SIGPIPE, SIG_IGN);
    Pairs pair;
    tls::Accepted accepted;
    std::thread other([&] { talk_raw(pair.client.get()); });
    {
        Side side(std::move(pair.server));
        spawn(shake(side, server, limit, accepted));
        side.turn();
        char block[512];
        if (unread) {
            const net::IoResult got = side.stream.read(block);
            unread->assign(block, got.bytes);
        }
        side.stream.close();
    }
    other.join();
    return accepted;
}

}  // namespace gateway::test
