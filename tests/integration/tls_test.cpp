// Clients over TLS: names and their certificates, changes under load, client certificates, what is refused and how.
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <atomic>
#include <thread>

#include "libgateway/json/value.hpp"
#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/made_certificate.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

const MadeCertificate& authority() {
    static const MadeCertificate made = make_certificate({"authority", "", MadeKey::p256, true});
    return made;
}

MadeCertificate issue(const std::string& common, const std::string& names, MadeKey key = MadeKey::p256) {
    return make_certificate({common, names, key}, &authority());
}

json::Value ssl_of(const std::string& name, const MadeCertificate& from) {
    return json::Value::object(
        {{"sni", json::Value(name)}, {"cert", json::Value(from.certificate)}, {"key", json::Value(from.key)}});
}

StageOptions with_tls(const std::string& more = {}) {
    StageOptions options;
    options.apisix = "ssl: {listen: [{ip: 127.0.0.1, port: 0}]" + more + "}";
    options.format = "$status $scheme $ssl_protocol $ssl_server_name $ssl_client_verify $ssl_client_s_dn $request_uri";
    return options;
}

// One visit: handshake, one request. What failed is in `error`.
struct Visit {
    std::string shown, error;
    int status = 0;
    std::string body;
};

struct Visitor {
    std::string name = "a.test", host = "a.test", path = "/";
    const MadeCertificate* certificate = nullptr;
    std::string signatures{};
};

std::string last_error(std::string_view otherwise) {
    const char* const reason = ::ERR_reason_error_string(::ERR_peek_last_error());
    ::ERR_clear_error();
    return reason ? reason : std::string(otherwise);
}

Visit visit(std::uint16_t port, const Visitor& who) {
    const Connection connection = connect_to(port);
    const std::unique_ptr<SSL_CTX, decltype(&::SSL_CTX_free)> context(::SSL_CTX_new(::TLS_client_method()),
                                                                      &::SSL_CTX_free);
    if (who.certificate) {
        ::SSL_CTX_use_certificate(context.get(), parse_certificate(who.certificate->certificate).get());
        ::SSL_CTX_use_PrivateKey(context.get(), parse_key(who.certificate->key).get());
    }
    if (!who.signatures.empty()) ::SSL_CTX_set1_sigalgs_list(context.get(), who.signatures.c_str());
    const std::unique_ptr<SSL, decltype(&::SSL_free)> ssl(::SSL_new(context.get()), &::SSL_free);
    ::SSL_set_tlsext_host_name(ssl.get(), who.name.c_str());
    ::SSL_set_fd(ssl.get(), connection.descriptor());
    Visit result;
    if (::SSL_connect(ssl.get()) != 1) return result.error = last_error("handshake cut off"), result;
    char text[256] = "";
    ::X509_NAME_get_text_by_NID(::X509_get_subject_name(::SSL_get0_peer_certificate(ssl.get())), NID_commonName, text,
                                sizeof text);
    result.shown = text;
    const std::string request = "GET " + who.path + " HTTP/1.1\r\nHost: " + who.host + "\r\nConnection: close\r\n\r\n";
    if (::SSL_write(ssl.get(), request.data(), static_cast<int>(request.size())) <= 0)
        return result.error = last_error("request cut off"), result;
    std::string answer;
    char block[4096];
    for (int got; (got = ::SSL_read(ssl.get(), block, sizeof block)) > 0;)
        answer.append(block, static_cast<std::size_t>(got));
    if (answer.size() < 12) return result.error = last_error("answer cut off"), result;
    result.status = std::stoi(answer.substr(9, 3));
    result.body = answer.substr(answer.find("\r\n\r\n") + 4);
    return result;
}

void put(GatewayProcess& gateway, const std::string& id, const json::Value& ssl) {
    const RunResult result = gateway.put("ssl", id, json::write(ssl));
    INFO(result.out);
    REQUIRE(result.exit == 0);
}

}  // namespace

TEST_CASE("tls: curl is served under the certificate of each name", "[e2e][tls]") {
    Stage stage(with_tls());
    put(stage.gateway, "1", ssl_of("a.test", issue("a.test", "DNS:a.test")));
    put(stage.gateway, "2", ssl_of("*.b.test", issue("star", "DNS:*.b.test")));
    const auto trusted = stage.gateway.folder().write("authority.pem", authority().certificate);
    const std::string port = std::to_string(stage.gateway.port(1));
    const auto curl = [&](const std::string& name) {
        return run({"curl", "-sS", "--cacert", trusted.string(), "--resolve", name + ":" + port + ":127.0.0.1",
                    "https://" + name + ":" + port + "/x"});
    };
    CHECK(curl("a.test").out == "ok");
    CHECK(curl("q.b.test").out == "ok");
    CHECK(curl("b.test").exit == 35);  // SSL_CONNECT_ERROR
    CHECK(curl("x.y.b.test").exit == 35);
    REQUIRE(stage.upstream.request_count() == 2);
    CHECK(stage.upstream.requests()[0].field("x-forwarded-proto") == "https");
    CHECK(stage.upstream.requests()[0].field("x-forwarded-port") == port);
    CHECK(logged(stage.gateway, "200 https TLSv1.3 a.test NONE"));
    CHECK(eventually([&] {
        return stage.gateway.log().find("failed to match any SSL certificate by SNI: b.test") != std::string::npos;
    }));
    CHECK(stage.get("/plain").status() == 200);
    CHECK(logged(stage.gateway, "200 http - - - - /plain"));
}

TEST_CASE("tls: bodies of megabytes pass whole, both ways", "[e2e][tls]") {
    std::string large;
    while (large.size() < 3'000'000) large += std::to_string(large.size()) + "\n";
    Stage stage(with_tls(), [](Connection& to, const Message& request) {
        ScriptedUpstream::answers(200, request.body)(to, request);
    });
    put(stage.gateway, "1", ssl_of("a.test", issue("a.test", "DNS:a.test")));
    const auto trusted = stage.gateway.folder().write("authority.pem", authority().certificate);
    const auto sent = stage.gateway.folder().write("large", large);
    const std::string port = std::to_string(stage.gateway.port(1));
    const std::string url = "https://a.test:" + port + "/";
    const auto got = stage.gateway.folder() / "got";
    const RunResult result = run({"curl",
                                  "-sS",
                                  "--cacert",
                                  trusted.string(),
                                  "--resolve",
                                  "a.test:" + port + ":127.0.0.1",
                                  "-H",
                                  "Expect:",
                                  "--data-binary",
                                  "@" + sent.string(),
                                  "-o",
                                  got.string(),
                                  url,
                                  "--next",
                                  "-sS",
                                  "--cacert",
                                  trusted.string(),
                                  "--resolve",
                                  "a.test:" + port + ":127.0.0.1",
                                  "-o",
                                  "/dev/null",
                                  "-w",
                                  "%{http_code} %{num_connects}",
                                  url},
                                 60s);
    CHECK(result.out == "200 0");  // the second request used the connection of the first
    CHECK((TempDir::read_file(got) == large));
}

TEST_CASE("tls: a client gets the RSA or the ECDSA certificate, as it can read", "[e2e][tls]") {
    Stage stage(with_tls());
    const MadeCertificate rsa = issue("rsa", "DNS:a.test", MadeKey::rsa), ecdsa = issue("ecdsa", "DNS:a.test");
    json::Value both = ssl_of("a.test", rsa);
    both.set("certs", json::Value::array({json::Value(ecdsa.certificate)}));
    both.set("keys", json::Value::array({json::Value(ecdsa.key)}));
    put(stage.gateway, "1", both);
    const std::uint16_t port = stage.gateway.port(1);
    Visitor who;
    CHECK(visit(port, who).shown == "ecdsa");
    who.signatures = "RSA-PSS+SHA256:RSA+SHA256";
    CHECK(visit(port, who).shown == "rsa");
}

TEST_CASE("tls: no handshake fails while certificates are replaced", "[e2e][tls]") {
    StageOptions options = with_tls();
    options.workers = 2;
    Stage stage(options);
    put(stage.gateway, "1", ssl_of("a.test", issue("0", "DNS:a.test")));
    const std::uint16_t port = stage.gateway.port(1);
    std::atomic<bool> stop{false};
    std::atomic<int> visits{0};
    std::string problem;
    std::thread load([&] {
        while (!stop) {
            const Visit result = visit(port, {});
            if (result.status != 200 && problem.empty()) problem = result.error + std::to_string(result.status);
            ++visits;
        }
    });
    for (int round = 1; round <= 10; ++round) {
        const int before = visits;
        put(stage.gateway, "1", ssl_of("a.test", issue(std::to_string(round), "DNS:a.test")));
        CHECK(visit(port, {}).shown == std::to_string(round));
        CHECK(eventually([&] { return visits > before + 3; }, 20s));
    }
    stop = true;
    load.join();
    CHECK(problem == "");
}

TEST_CASE("tls: clients must show a certificate where a name asks for it", "[e2e][tls]") {
    Stage stage(with_tls());
    json::Value checked = ssl_of("a.test", issue("a.test", "DNS:a.test"));
    checked.set("client", json::Value::object({{"ca", json::Value(authority().certificate)}}));
    put(stage.gateway, "1", checked);
    put(stage.gateway, "2", ssl_of("b.test", issue("b.test", "DNS:b.test")));
    const MadeCertificate good = issue("client", ""), strange = make_certificate({"stranger", ""});
    const std::uint16_t port = stage.gateway.port(1);
    Visitor who;
    CHECK(visit(port, who).error == "tlsv13 alert certificate required");
    who.certificate = &strange;
    CHECK(visit(port, who).error == "tlsv1 alert unknown ca");
    who.certificate = &good;
    CHECK(visit(port, who).status == 200);
    CHECK(logged(stage.gateway, "200 https TLSv1.3 a.test SUCCESS CN=client /"));
    // By way of another name.
    who.name = "b.test";
    CHECK(visit(port, who).status == 400);
    who.certificate = nullptr;
    CHECK(visit(port, who).status == 400);
    who.host = "b.test";
    CHECK(visit(port, who).status == 200);
}

TEST_CASE("tls: some paths are open to clients without a certificate", "[e2e][tls]") {
    Stage stage(with_tls());
    json::Value checked = ssl_of("a.test", issue("a.test", "DNS:a.test"));
    checked.set("client", json::Value::object({{"ca", json::Value(authority().certificate)},
                                               {"skip_mtls_uri_regex", json::Value::array({json::Value("^/open")})}}));
    put(stage.gateway, "1", checked);
    const std::uint16_t port = stage.gateway.port(1);
    const MadeCertificate good = issue("client", "");
    Visitor who;
    who.path = "/open/x";
    CHECK(visit(port, who).status == 200);
    who.path = "/hello";
    CHECK(visit(port, who).status == 400);
    CHECK(eventually(
        [&] { return stage.gateway.log().find("client certificate was not present") != std::string::npos; }));
    who.certificate = &good;
    CHECK(visit(port, who).status == 200);
}

TEST_CASE("tls: plain HTTP on a TLS port is told so", "[e2e][tls]") {
    Stage stage(with_tls());
    RawClient client(stage.gateway.port(1));
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string answer = client.read_to_end();
    CHECK_THAT(answer, Catch::Matchers::StartsWith("HTTP/1.1 400 Bad Request\r\n"));
    CHECK_THAT(answer, contains("The plain HTTP request was sent to HTTPS port"));
    CHECK(client.end() == End::eof);
}

TEST_CASE("tls: a bad certificate is refused, and what was there goes on", "[e2e][tls]") {
    Stage stage(with_tls());
    const MadeCertificate first = issue("first", "DNS:a.test"), other = issue("other", "DNS:a.test");
    put(stage.gateway, "1", ssl_of("a.test", first));
    json::Value mixed = ssl_of("a.test", first);
    mixed.set("key", json::Value(other.key));
    const RunResult refused = stage.gateway.put("ssl", "1", json::write(mixed));
    CHECK(refused.exit != 0);
    CHECK_THAT(refused.out, contains("certificate and key do not match"));
    CHECK(visit(stage.gateway.port(1), {}).shown == "first");
}

TEST_CASE("tls: certificates of the route file, with tickets that every worker opens", "[e2e][tls]") {
    StageOptions options = with_tls(", ssl_session_tickets: true, fallback_sni: a.test, ssl_protocols: TLSv1.3");
    options.workers = 2;
    Stage stage(options);
    std::string routes = stage_routes(node_map(stage.upstream.node()), options) + "ssls:\n  - id: 1\n    sni: a.test\n";
    const MadeCertificate made = issue("a.test", "DNS:a.test");
    routes += "    cert: |\n" + indented(made.certificate, "      ") + "    key: |\n" + indented(made.key, "      ");
    REQUIRE(stage.gateway.reload(routes).exit == 0);
    const std::string connect = "127.0.0.1:" + std::to_string(stage.gateway.port(1));
    const auto session = (stage.gateway.folder() / "session").string();
    const auto client = [&](const std::string& more) {
        return run({"sh", "-c",
                    "printf 'GET / HTTP/1.1\\r\\nHost: a.test\\r\\nConnection: close\\r\\n\\r\\n' | openssl s_client "
                    "-ign_eof -connect " +
                        connect + " " + more},
                   60s)
            .out;
    };
    CHECK_THAT(client("-noservername -sess_out " + session), contains("New, TLSv1.3"));
    for (int i = 0; i < 6; ++i) CHECK_THAT(client("-noservername -sess_in " + session), contains("Reused, TLSv1.3"));
    CHECK_THAT(client("-noservername -tls1_2"), contains("protocol version"));
}
