#include "libgateway/net/tls_client.hpp"

#include <fcntl.h>

#include <boost/system/errc.hpp>
#include <utility>
#include <vector>

#include "libgateway/net/address.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/scripted_upstream.hpp"
#include "tests/support/tls_front.hpp"

using namespace gateway;
using namespace gateway::net;
using namespace gateway::test;
using Check = TlsPeer::Check;

namespace {

// One connection of a loop of its own.
struct Caller {
    Reactor reactor;
    Stream stream;
    Sleeper sleeper{reactor};

    explicit Caller(std::uint16_t port) {
        UniqueFd socket = connect_to(port).release();
        REQUIRE(::fcntl(socket.get(), F_SETFL, O_NONBLOCK) == 0);
        REQUIRE(stream.open(reactor, std::move(socket), writable | readable));
    }
    ~Caller() { stream.close(); }
    error_code shake(const Ref<TlsPeer>& peer, Milliseconds limit = Milliseconds(10'000)) {
        error_code code;
        spawn(shaking(*this, peer, limit, code));
        turn();
        return code;
    }
    // Sends all of it and reads until the other side ends; how that was is in `last`.
    std::string exchange(std::string_view bytes) {
        std::string got;
        spawn(exchanging(*this, bytes, got));
        turn();
        return got;
    }
    IoResult last;

private:
    bool done = false;
    void turn() {
        struct Left {};
        try {
            reactor.run([this](std::int64_t) {
                if (std::exchange(done, false)) throw Left();
            });
        } catch (const Left&) {
        }
    }
    static Task<void> shaking(Caller& self, const Ref<TlsPeer>& peer, Milliseconds limit, error_code& code) {
        co_await self.reactor.yield();
        code = co_await start_tls(self.stream, peer, limit, self.sleeper);
        self.done = true;
    }
    static Task<void> exchanging(Caller& self, std::string_view bytes, std::string& got) {
        co_await self.reactor.yield();
        std::vector<char> block(30'000);
        for (;;) {
            if (!bytes.empty()) {
                char* const begin = const_cast<char*>(bytes.data());
                const std::size_t half = bytes.size() / 2;
                const iovec parts[3] = {{nullptr, 0}, {begin, half}, {begin + half, bytes.size() - half}};
                bytes.remove_prefix(self.stream.write(parts, 3).bytes);
            }
            self.last = self.stream.read(block);
            if (self.last.state == IoState::done) got.append(block.data(), self.last.bytes);
            if (self.last.state == IoState::closed || self.last.state == IoState::failed) break;
            if (self.last.state == IoState::done) continue;
            const int wanted = self.stream.to_read() | (bytes.empty() ? 0 : self.stream.to_write());
            co_await self.sleeper.wait(self.stream.descriptor(), static_cast<std::uint8_t>(wanted), Milliseconds(0));
        }
        self.done = true;
    }
};

ScriptedUpstream echo(std::size_t bytes) {
    return ScriptedUpstream(ScriptedUpstream::Raw(),
                            [bytes](Connection& guest) { guest.send(guest.read_exactly(bytes)); });
}

// What every test of this file trusts.
TestAuthority& authority() {
    static TestAuthority made;
    trust_authorities(made.file());
    return made;
}

std::string outcome(const std::string& names, const std::string& asked, Check check = Check::certificate) {
    ScriptedUpstream plain;
    TlsFront front(authority().issue(names), plain.port());
    const auto peer = make_ref<TlsPeer>(asked, check);
    const error_code code = Caller(front.port()).shake(peer);
    return code ? code.message() : "";
}

}  // namespace

TEST_CASE("tls client: bytes of many records arrive both ways, then the end", "[net][tls_client]") {
    std::string text;
    while (text.size() < 3'000'000) text += std::to_string(text.size()) + " ";
    ScriptedUpstream plain = echo(text.size());
    TlsFront front(authority().issue("DNS:localhost"), plain.port());
    const auto peer = make_ref<TlsPeer>("localhost", Check::certificate);
    Caller caller(front.port());
    REQUIRE(caller.shake(peer) == error_code());
    const std::string got = caller.exchange(text);
    CHECK(got.size() == text.size());
    CHECK((got == text));
    CHECK(caller.last.state == IoState::closed);
    CHECK(front.last_name() == "localhost");
}

TEST_CASE("tls client: the certificate must be for the name or address", "[net][tls_client]") {
    CHECK(outcome("DNS:localhost", "localhost") == "");
    CHECK(outcome("DNS:*.example.test", "a.example.test") == "");
    CHECK(outcome("DNS:localhost", "other.test") == "certificate verify failed: hostname mismatch");
    CHECK(outcome("IP:127.0.0.1", "127.0.0.1") == "");
    CHECK(outcome("IP:::1", "[::1]") == "");
    CHECK(outcome("IP:127.0.0.1", "127.0.0.2") == "certificate verify failed: IP address mismatch");
    CHECK(outcome("DNS:localhost", "127.0.0.1") == "certificate verify failed: IP address mismatch");
    CHECK(outcome("DNS:localhost", "") == "Invalid argument");
    CHECK(outcome("DNS:localhost", "other.test", Check::none) == "");
    CHECK(outcome("DNS:localhost", "", Check::none) == "");
}

TEST_CASE("tls client: an authority that is not trusted vouches for nothing", "[net][tls_client]") {
    authority();
    TestAuthority stranger;
    ScriptedUpstream plain;
    TlsFront front(stranger.issue("DNS:localhost"), plain.port());
    const auto checked = make_ref<TlsPeer>("localhost", Check::certificate);
    const auto unchecked = make_ref<TlsPeer>("localhost", Check::none);
    CHECK(Caller(front.port()).shake(checked).message() ==
          "certificate verify failed: unable to get local issuer certificate");
    CHECK(Caller(front.port()).shake(unchecked) == error_code());
    trust_authorities(stranger.file());
    CHECK(Caller(front.port()).shake(checked) == error_code());
    trust_authorities("");
    CHECK(Caller(front.port()).shake(checked).message() ==
          "certificate verify failed: unable to get local issuer certificate");
}

TEST_CASE("tls client: without the file of authorities nothing passes a check", "[net][tls_client]") {
    ScriptedUpstream plain;
    TlsFront front(authority().issue("DNS:localhost"), plain.port());
    trust_authorities("/nonexistent/authorities.pem");
    const auto peer = make_ref<TlsPeer>("localhost", Check::certificate);
    CHECK(Caller(front.port()).shake(peer).message() == "No such file or directory");
    CHECK(front.handshakes() == 0);
}

TEST_CASE("tls client: a name is sent, an address is not", "[net][tls_client]") {
    ScriptedUpstream plain;
    TlsFront front(authority().issue("DNS:localhost"), plain.port());
    const auto [asked, sent] =
        GENERATE(table<std::string, std::string>({{"any.test", "any.test"}, {"127.0.0.1", ""}, {"", ""}}));
    const auto peer = make_ref<TlsPeer>(asked, Check::none);
    REQUIRE(Caller(front.port()).shake(peer) == error_code());
    CHECK(eventually([&] { return front.handshakes() == 1; }));
    CHECK(front.last_name() == sent);
}

TEST_CASE("tls client: who stalls, leaves or speaks something else is one clear error", "[net][tls_client]") {
    authority();
    const auto peer = make_ref<TlsPeer>("localhost", Check::certificate);
    const auto met = [&](ScriptedUpstream::Talk talk) {
        ScriptedUpstream server(ScriptedUpstream::Raw(), std::move(talk));
        return Caller(server.port()).shake(peer, Milliseconds(300));
    };
    CHECK(met([](Connection& guest) { guest.wait_for_end(milliseconds(60'000)); }) == boost::system::errc::timed_out);
    CHECK(met([](Connection& guest) { guest.fill(); }) == boost::system::errc::connection_reset);
    CHECK(met([](Connection& guest) {
              guest.send("+OK plain\r\n");
              guest.fill();
          }).message() == "wrong version number");
    const std::string alert = met([](Connection& guest) {
                                  guest.send(std::string("\x15\x03\x03\x00\x02\x02\x28", 7));  // handshake_failure
                                  guest.fill();
                              }).message();
    CHECK(
        (alert == "sslv3 alert handshake failure" || alert == "ssl/tls alert handshake failure"));  // OpenSSL 3.0, 3.5
}

TEST_CASE("tls client: no bytes of a server break it", "[net][tls_client]") {
    const auto peer = make_ref<TlsPeer>("localhost", Check::none);
    for (unsigned seed = 0; seed < 64; ++seed) {
        std::string bytes("\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03", 11);
        for (unsigned i = 0, state = seed; i < 200; ++i)
            bytes += static_cast<char>((state = state * 1103515245 + 12345) >> 16);
        ScriptedUpstream server(ScriptedUpstream::Raw(),
                                [&](Connection& guest) { guest.send(bytes.substr(seed % 16)); });
        CHECK(Caller(server.port()).shake(peer));
    }
}

TEST_CASE("tls client: a later connection resumes the session", "[net][tls_client]") {
    ScriptedUpstream plain = echo(1);
    TlsFront front(authority().issue("DNS:localhost"), plain.port());
    const auto peer = make_ref<TlsPeer>("localhost", Check::certificate);
    for (int i = 0; i < 3; ++i) {
        Caller caller(front.port());
        REQUIRE(caller.shake(peer) == error_code());
        CHECK(caller.exchange("x") == "x");
    }
    CHECK(front.resumed() == 2);
}

TEST_CASE("tls client: an end without a goodbye is a failure, not an end", "[net][tls_client]") {
    ScriptedUpstream plain(ScriptedUpstream::Raw(), [](Connection& guest) {
        guest.send(guest.read_exactly(1) + "half");
        guest.read_exactly(1);
        guest.reset();
    });
    TlsFront front(authority().issue("DNS:localhost"), plain.port());
    const auto peer = make_ref<TlsPeer>("localhost", Check::certificate);
    Caller caller(front.port());
    REQUIRE(caller.shake(peer) == error_code());
    CHECK(caller.exchange("xy") == "xhalf");
    CHECK(caller.last.state == IoState::failed);
    CHECK(caller.stream.why(caller.last) == boost::system::errc::connection_reset);
}

TEST_CASE("tls client: closing says goodbye, aborting does not", "[net][tls_client]") {
    ScriptedUpstream plain;
    TlsFront front(authority().issue("DNS:localhost"), plain.port());
    const auto peer = make_ref<TlsPeer>("localhost", Check::certificate);
    Caller first(front.port()), second(front.port());
    REQUIRE(first.shake(peer) == error_code());
    REQUIRE(second.shake(peer) == error_code());
    first.stream.close();
    CHECK(eventually([&] { return front.goodbyes() == 1; }));
    second.stream.abort();
    CHECK(eventually([&] { return plain.open() == 0; }));
    CHECK(front.goodbyes() == 1);
}

TEST_CASE("tls client: a wait that is cancelled ends the handshake", "[net][tls_client]") {
    ScriptedUpstream server(ScriptedUpstream::Raw(),
                            [](Connection& guest) { guest.wait_for_end(milliseconds(60'000)); });
    const auto peer = make_ref<TlsPeer>("localhost", Check::none);
    Caller caller(server.port());
    caller.sleeper.cancel();
    CHECK(caller.shake(peer) == boost::system::errc::operation_canceled);
}
