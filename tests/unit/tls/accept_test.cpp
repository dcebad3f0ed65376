#include "libgateway/tls/accept.hpp"

#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/catch.hpp"
#include "tests/support/connection.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/tls/meeting.hpp"

using namespace gateway;
using namespace gateway::tls;
using namespace gateway::test;
using Names = std::vector<std::string>;

namespace {

const MadeCertificate& authority() {
    static const MadeCertificate made = make_certificate({"authority", "", MadeKey::p256, true});
    return made;
}

// A pair whose common name is `label`.
PairBytes pair_of(const std::string& label, MadeKey kind = MadeKey::p256) {
    const MadeCertificate made = make_certificate({label, "DNS:a.test", kind}, &authority());
    std::string problem;
    PairBytes bytes = read_pair(made.certificate + authority().certificate, made.key, problem);
    REQUIRE(problem == "");
    return bytes;
}

IdentitySettings settings_of(const std::string& id, Names names, std::vector<PairBytes> pairs) {
    IdentitySettings settings;
    settings.id = id;
    settings.names = std::move(names);
    settings.pairs = std::move(pairs);
    return settings;
}

ClientCheck check_by(const MadeCertificate& by, int depth = 1) {
    std::string problem;
    ClientCheck check;
    check.authorities = certificates_of(by.certificate, problem);
    check.depth = depth;
    return check;
}

Ref<Server> server_of(std::vector<IdentitySettings> identities, const ServerSettings& settings = {}) {
    const Ref<Server> server = make_ref<Server>(settings);
    NameIndex names;
    for (IdentitySettings& one : identities) names.add(make_ref<const Identity>(std::move(one)));
    server->use(names);
    return server;
}

std::vector<IdentitySettings> list(IdentitySettings one) {
    std::vector<IdentitySettings> all;
    all.push_back(std::move(one));
    return all;
}
std::vector<PairBytes> pairs(PairBytes one) {
    std::vector<PairBytes> all;
    all.push_back(std::move(one));
    return all;
}

void say_and_wait(std::string_view text, int socket) {
    (void)!::write(socket, text.data(), text.size());
    char byte;
    while (::read(socket, &byte, 1) > 0) {
    }
}

Client asking(const std::string& name) {
    Client client;
    client.name = name;
    return client;
}

}  // namespace

TEST_CASE("tls accept: bytes go both ways under the certificate of the name", "[tls][accept]") {
    const auto server = server_of(list(settings_of("one", {"a.test"}, pairs(pair_of("leaf")))));
    Client client;
    client.least = client.most = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    const Met met = meet(server, client);
    CHECK(met.accepted.result == Handshake::done);
    CHECK(met.answer == "pong");
    CHECK(met.shown == "leaf");
    CHECK(met.identity == "one");
    CHECK(met.name == "a.test");
    CHECK(met.protocol == (client.most == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2"));
    CHECK(met.cipher != "");
    CHECK(::ERR_peek_error() == 0);
}

TEST_CASE("tls accept: every name gets its own certificate, or none", "[tls][accept]") {
    std::vector<IdentitySettings> all;
    all.push_back(settings_of("exact", {"a.test.com"}, pairs(pair_of("exact"))));
    all.push_back(settings_of("star", {"*.test.com"}, pairs(pair_of("star"))));
    const auto server = server_of(std::move(all));
    CHECK(meet(server, asking("a.test.com")).shown == "exact");
    CHECK(meet(server, asking("A.TEST.COM")).shown == "exact");
    CHECK(meet(server, asking("b.test.com")).shown == "star");
    const Met none = meet(server, asking("a.b.test.com"));
    CHECK(none.accepted.result == Handshake::unknown_name);
    CHECK(none.log == "failed to match any SSL certificate by SNI: a.b.test.com");
    CHECK(none.refusal == "tlsv1 unrecognized name");
}

TEST_CASE("tls accept: a client that names nobody gets the fallback, or nothing", "[tls][accept]") {
    const auto strict = server_of(list(settings_of("one", {"a.test"}, pairs(pair_of("leaf")))));
    const Met refused = meet(strict, asking(""));
    CHECK(refused.accepted.result == Handshake::no_name);
    CHECK_THAT(refused.log, Catch::Matchers::StartsWith("failed to find SNI: "));
    ServerSettings settings;
    settings.fallback_name = "a.test";
    const auto kind = server_of(list(settings_of("one", {"a.test"}, pairs(pair_of("leaf")))), settings);
    CHECK(meet(kind, asking("")).shown == "leaf");
    CHECK(meet(kind, asking("b.test")).accepted.result == Handshake::unknown_name);
}

TEST_CASE("tls accept: of an RSA and an ECDSA pair the client gets what it can read", "[tls][accept]") {
    std::vector<PairBytes> both;
    both.push_back(pair_of("rsa", MadeKey::rsa));
    both.push_back(pair_of("ecdsa"));
    const auto server = server_of(list(settings_of("one", {"a.test"}, std::move(both))));
    Client client;
    client.least = client.most = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    client.signatures = "RSA-PSS+SHA256:RSA+SHA256";
    CHECK(meet(server, client).shown == "rsa");
    client.signatures = "ECDSA+SHA256";
    CHECK(meet(server, client).shown == "ecdsa");
    client.signatures = "ECDSA+SHA256:RSA-PSS+SHA256";
    CHECK(meet(server, client).shown == "ecdsa");
}

TEST_CASE("tls accept: a client without a signature in common is turned away", "[tls][accept]") {
    const auto server = server_of(list(settings_of("one", {"a.test"}, pairs(pair_of("ecdsa")))));
    Client client;
    client.signatures = "RSA-PSS+SHA256";
    CHECK(meet(server, client).accepted.result == Handshake::no_cipher);
    client.least = client.most = TLS1_2_VERSION;
    CHECK(meet(server, client).accepted.result == Handshake::no_cipher);
}

TEST_CASE("tls accept: versions are those of the name", "[tls][accept]") {
    std::vector<IdentitySettings> all;
    all.push_back(settings_of("new", {"new.test"}, pairs(pair_of("new"))));
    all.back().protocols = tls_1_3;
    all.push_back(settings_of("old", {"old.test"}, pairs(pair_of("old"))));
    all.back().protocols = tls_1_1 | tls_1_3;  // none between
    all.push_back(settings_of("any", {"a.test"}, pairs(pair_of("any"))));
    ServerSettings shared;
    shared.ciphers += ":ECDHE-ECDSA-AES128-SHA";
    const auto server = server_of(std::move(all), shared);
    Client client;
    client.most = TLS1_2_VERSION;
    CHECK(meet(server, client).shown == "any");
    client.name = "new.test";
    const Met refused = meet(server, client);
    CHECK(refused.accepted.result == Handshake::no_protocol);
    CHECK(refused.refusal == "tlsv1 alert protocol version");
    client.least = client.most = TLS1_1_VERSION;
    client.ciphers = "ALL:@SECLEVEL=0";
    client.name = "old.test";
    CHECK(meet(server, client).protocol == "TLSv1.1");
    client.name = "a.test";
    CHECK(meet(server, client).accepted.result == Handshake::no_protocol);
}

TEST_CASE("tls accept: a broken certificate is an alert, never another one's", "[tls][accept]") {
    std::vector<IdentitySettings> all;
    all.push_back(settings_of("star", {"*.test"}, pairs(pair_of("star"))));
    all.push_back(settings_of("known", {"a.test"}, {}));
    all.back().problem = "no key of the keyring reads its key";
    PairBytes mixed = pair_of("mixed");
    mixed.key = pair_of("other").key;
    all.push_back(settings_of("unknown", {"b.test"}, pairs(std::move(mixed))));
    const auto server = server_of(std::move(all));
    const Met known = meet(server, asking("a.test"));
    CHECK(known.accepted.result == Handshake::broken_certificate);
    CHECK(known.refusal == "tlsv1 alert internal error");
    CHECK(known.log == "the certificate for \"a.test\" cannot be used");
    for (int i = 0; i < 2; ++i) {  // found at the first handshake, known at the second
        const Met found = meet(server, asking("b.test"));
        CHECK(found.accepted.result == Handshake::broken_certificate);
        CHECK(found.refusal == "tlsv1 alert internal error");
    }
    CHECK(server->names().find("b.test")->problem() == "pair 0: certificate and key do not match");
    CHECK(meet(server, asking("c.test")).shown == "star");
}

TEST_CASE("tls accept: a good pair serves beside a broken one", "[tls][accept]") {
    std::vector<PairBytes> both;
    both.push_back(pair_of("rsa", MadeKey::rsa));
    both.back().key = pair_of("other").key;
    both.push_back(pair_of("good"));
    const auto server = server_of(list(settings_of("one", {"a.test"}, std::move(both))));
    CHECK(meet(server, {}).shown == "good");
    CHECK(server->names().find("a.test")->usable());
    CHECK(server->names().find("a.test")->flaw() == "pair 0: certificate and key do not match");
}

TEST_CASE("tls accept: names change between two handshakes", "[tls][accept]") {
    const auto server = server_of(list(settings_of("one", {"a.test"}, pairs(pair_of("first")))));
    CHECK(meet(server, {}).shown == "first");
    NameIndex names = server->names();
    names.remove(*names.find("a.test"));
    names.add(make_ref<const Identity>(settings_of("one", {"a.test"}, pairs(pair_of("second")))));
    server->use(names);
    CHECK(meet(server, {}).shown == "second");
}

TEST_CASE("tls accept: HTTP/1.1 is chosen where a client asks for protocols", "[tls][accept]") {
    const auto server = server_of(list(settings_of("one", {"a.test"}, pairs(pair_of("leaf")))));
    Client client;
    client.protocols = {"h2", "http/1.1"};
    CHECK(meet(server, client).chosen_protocol == "http/1.1");
    client.protocols = {"h2"};
    const Met refused = meet(server, client);
    CHECK(refused.accepted.result == Handshake::failed);
    CHECK(refused.refusal == "tlsv1 alert no application protocol");
}

TEST_CASE("tls accept: clients must show what the authorities of the name vouch for", "[tls][accept]") {
    IdentitySettings settings = settings_of("one", {"a.test"}, pairs(pair_of("leaf")));
    settings.client = check_by(authority());
    const auto server = server_of(list(std::move(settings)));
    const MadeCertificate good = make_certificate({"client", ""}, &authority());
    const MadeCertificate strange = make_certificate({"stranger", ""});
    Client client;
    client.least = client.most = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    client.certificate = &good;
    const Met met = meet(server, client);
    CHECK(met.answer == "pong");
    CHECK(met.client_refusal == "");
    CHECK(met.acceptable_issuers == Names{"authority"});
    client.certificate = nullptr;
    const Met missing = meet(server, client);
    CHECK(missing.accepted.result == Handshake::client_certificate);
    CHECK(missing.answer == "");
    client.certificate = &strange;
    const Met refused = meet(server, client);
    CHECK(refused.accepted.result == Handshake::client_certificate);
    CHECK_THAT(refused.log, Catch::Matchers::StartsWith("TLS handshake for \"a.test\": client_certificate, "
                                                        "certificate verify failed: "));
}

TEST_CASE("tls accept: with exceptions the handshake succeeds and tells what it saw", "[tls][accept]") {
    IdentitySettings settings = settings_of("one", {"a.test"}, pairs(pair_of("leaf")));
    settings.client = check_by(authority());
    settings.client->in_handshake = false;
    const auto server = server_of(list(std::move(settings)));
    const MadeCertificate strange = make_certificate({"stranger", ""});
    Client client;
    CHECK(meet(server, client).client_refusal == "client certificate was not present");
    client.certificate = &strange;
    const Met met = meet(server, client);
    CHECK(met.answer == "pong");
    CHECK(met.client_refusal == "self-signed certificate");
}

TEST_CASE("tls accept: sessions of a checked name are good for nothing else", "[tls][accept]") {
    const bool tickets = GENERATE(false, true);
    const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    ServerSettings shared;
    shared.tickets = tickets;
    std::vector<IdentitySettings> all;
    all.push_back(settings_of("checked", {"a.test"}, pairs(pair_of("leaf"))));
    all.back().client = check_by(authority());
    all.push_back(settings_of("plain", {"b.test"}, pairs(pair_of("plain"))));
    const auto server = server_of(std::move(all), shared);
    const MadeCertificate good = make_certificate({"client", ""}, &authority());
    Client client;
    client.least = client.most = version;
    client.certificate = &good;
    const Met first = meet(server, client);
    REQUIRE(first.session);
    client.session = first.session.get();
    CHECK(meet(server, client).resumed);
    // Another list of authorities: the session was vouched for by others.
    IdentitySettings changed = settings_of("checked", {"a.test"}, pairs(pair_of("leaf")));
    changed.client = check_by(make_certificate({"other", "", MadeKey::p256, true}));
    NameIndex names = server->names();
    names.remove(*names.find("a.test"));
    names.add(make_ref<const Identity>(std::move(changed)));
    server->use(names);
    const Met after = meet(server, client);
    CHECK_FALSE(after.resumed);
    CHECK(after.accepted.result == Handshake::client_certificate);
}

TEST_CASE("tls accept: sessions are resumed with tickets and without", "[tls][accept]") {
    ServerSettings settings;
    settings.tickets = GENERATE(false, true);
    const auto server = server_of(list(settings_of("one", {"a.test"}, pairs(pair_of("leaf")))), settings);
    Client client;
    client.least = client.most = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    const Met first = meet(server, client);
    REQUIRE(first.session);
    CHECK_FALSE(first.resumed);
    client.session = first.session.get();
    const Met second = meet(server, client);
    CHECK(second.resumed);
    CHECK(second.answer == "pong");
}

TEST_CASE("tls accept: a ticket is good in every worker that has its key", "[tls][accept]") {
    ServerSettings settings;
    settings.tickets = true;
    const auto first = server_of(list(settings_of("one", {"a.test"}, pairs(pair_of("leaf")))), settings);
    const auto second = server_of(list(settings_of("one", {"a.test"}, pairs(pair_of("leaf")))), settings);
    const std::string keys = TicketKeys::rotated({});
    Client client;
    client.least = client.most = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    REQUIRE(first->use_ticket_keys(keys));
    const Met sealed = meet(first, client);
    REQUIRE(sealed.session);
    client.session = sealed.session.get();
    CHECK_FALSE(meet(second, client).resumed);
    const std::string next = TicketKeys::rotated(keys);
    REQUIRE(second->use_ticket_keys(next));
    CHECK(meet(second, client).resumed);
    REQUIRE(second->use_ticket_keys(TicketKeys::rotated(TicketKeys::rotated(next))));
    CHECK_FALSE(meet(second, client).resumed);
}

TEST_CASE("tls accept: what is not TLS is told from it by one look", "[tls][accept]") {
    const auto server = server_of(list(settings_of("one", {"a.test"}, pairs(pair_of("leaf")))));
    std::string unread;
    const auto http = meet_raw(
        server, [](int socket) { say_and_wait("GET / HTTP/1.1\r\n\r\n", socket); }, Milliseconds(60'000), &unread);
    CHECK(http.result == Handshake::plain_text);
    CHECK(unread == "GET / HTTP/1.1\r\n\r\n");
    const auto other = meet_raw(
        server, [](int socket) { say_and_wait("\x80\x2e\x01", socket); }, Milliseconds(60'000));
    CHECK(other.result == Handshake::not_tls);
    const auto broken = meet_raw(
        server, [](int socket) { say_and_wait("\x16\x03\x01\x01\x01garbage that is no client hello", socket); },
        Milliseconds(300));
    CHECK((broken.result == Handshake::failed || broken.result == Handshake::timed_out));
}

TEST_CASE("tls accept: who says nothing, or half of it, is left at the limit", "[tls][accept]") {
    const auto server = server_of(list(settings_of("one", {"a.test"}, pairs(pair_of("leaf")))));
    CHECK(meet_raw(
              server, [](int socket) { say_and_wait("", socket); }, Milliseconds(300))
              .result == Handshake::timed_out);
    CHECK(meet_raw(
              server, [](int socket) { say_and_wait("\x16\x03\x01", socket); }, Milliseconds(300))
              .result == Handshake::timed_out);
    CHECK(meet_raw(
              server, [](int socket) { ::shutdown(socket, SHUT_RDWR); }, Milliseconds(60'000))
              .result == Handshake::client_gone);
}

TEST_CASE("tls accept: ciphers that nobody knows are refused", "[tls][accept]") {
    ServerSettings settings;
    settings.ciphers = "NO-SUCH-CIPHER";
    CHECK_THROWS_WITH(Server(settings), "no cipher of \"NO-SUCH-CIPHER\" is known");
    CHECK(::ERR_peek_error() == 0);
}

TEST_CASE("tls accept: openssl s_client verifies the chain and sees what is configured", "[tls][accept]") {
    const auto server = server_of(list(settings_of("one", {"a.test"}, pairs(pair_of("a.test")))));
    TempDir folder;
    const auto trusted = folder.write("authority.pem", authority().certificate);
    std::uint16_t port = 0;
    const UniqueFd listener = listen_on_free_port(port);
    Process client(
        {"sh", "-c",
         "echo ping | openssl s_client -connect 127.0.0.1:" + std::to_string(port) + " -servername a.test -CAfile " +
             trusted.string() + " -verify_return_error -verify_hostname a.test -alpn h2,http/1.1"},
        folder.path() / "out");
    pollfd ready{listener.get(), POLLIN, 0};
    REQUIRE(::poll(&ready, 1, 60'000) == 1);
    const Met met = serve_one(server, UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)));
    CHECK(met.accepted.result == Handshake::done);
    CHECK(client.wait(milliseconds(60'000)) == 0);
    const std::string out = client.output();
    CHECK_THAT(out, contains("Verify return code: 0 (ok)"));
    CHECK_THAT(out, contains("ALPN protocol: http/1.1"));
    CHECK_THAT(out, contains("TLSv1.3"));
    CHECK_THAT(out, contains("Early data was not sent"));
}
