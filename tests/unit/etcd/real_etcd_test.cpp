// The room against a real etcd. Left out, and said so, where the program is not installed.
#include "libgateway/etcd/layout.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/etcd_server.hpp"
#include "tests/support/gate.hpp"
#include "tests/unit/etcd/etcd_rig.hpp"
#include "tests/unit/etcd/fake_etcd.hpp"

using namespace gateway::test;
using namespace gateway::etcd;

namespace {

const std::string one = "/apisix/routes/1";

bool left_out() {
    if (EtcdServer::installed()) return false;
    WARN("left out: the package etcd-server is not installed");
    return true;
}

std::uint64_t put(Loop& loop, Client& client, const std::string& key, const std::string& value) {
    return loop.run(client.commit({{key, value, std::nullopt, 0}})).revision;
}

milliseconds since(std::chrono::steady_clock::time_point then) {
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - then);
}

void openssl(std::vector<std::string> args) {
    args.insert(args.begin(), "openssl");
    const RunResult result = run(args, milliseconds(20000));
    if (result.exit != 0) throw std::runtime_error(result.out);
}

// A certificate of its own authority for 127.0.0.1.
void make_certificate(const TempDir& folder, const std::string& name) {
    openssl({"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=" + name, "-addext",
             "subjectAltName=IP:127.0.0.1,DNS:etcd.test", "-keyout", (folder / (name + ".key")).string(), "-out",
             (folder / (name + ".crt")).string()});
}

}  // namespace

TEST_CASE("etcd: a write goes through only if the expected revision holds", "[etcd][real]") {
    if (left_out()) return;
    EtcdServer server;
    Loop loop;
    Client client(loop, options_for({server.url()}));
    const Committed made = loop.run(client.commit({{one, "a", 0, 0}}));
    CHECK(made.done);
    const Committed again = loop.run(client.commit({{one, "b", 0, 0}}));
    CHECK_FALSE(again.done);
    CHECK(again.found == std::vector<Entry>{{one, "a", made.revision, made.revision}});
    const Committed both = loop.run(client.commit({{one, "c", made.revision, 0}, {"/apisix/routes/2", "d", 0, 0}}));
    CHECK(both.done);
    const Committed neither = loop.run(client.commit({{one, "e", made.revision, 0}, {"/apisix/routes/3", "f", 0, 0}}));
    CHECK_FALSE(neither.done);
    const Page page = loop.run(client.read("/apisix/", end_of("/apisix/"), 0, 0));
    CHECK(page.entries == std::vector<Entry>{{one, "c", made.revision, both.revision},
                                             {"/apisix/routes/2", "d", both.revision, both.revision}});
    CHECK(loop.run(client.commit({{one, std::nullopt, both.revision, 0}})).done);
    CHECK(loop.run(client.read(one, "", 0, 0)).entries.empty());
}

TEST_CASE("etcd: values of any bytes come back as they were", "[etcd][real]") {
    if (left_out()) return;
    EtcdServer server;
    Loop loop;
    Client client(loop, options_for({server.url()}));
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    put(loop, client, one, bytes);
    CHECK(loop.run(client.read(one, "", 0, 0)).entries.at(0).value == bytes);
}

TEST_CASE("etcd: an object with a lease disappears by itself", "[etcd][real]") {
    if (left_out()) return;
    EtcdServer server;
    Loop loop;
    Mirrored mirrored(loop, options_for({server.url()}));
    REQUIRE(mirrored.synchronised());
    const std::int64_t lease = loop.run(mirrored.client.grant(std::chrono::seconds(1)));
    CHECK(loop.run(mirrored.client.commit({{one, "a", std::nullopt, lease}})).done);
    CHECK(loop.until([&] { return mirrored.notes.value(one) == "a"; }));
    CHECK(loop.until([&] { return mirrored.notes.value(one) == "-"; }, milliseconds(15000)));
}

TEST_CASE("etcd: 5,000 keys come in small pages while they change", "[etcd][real]") {
    if (left_out()) return;
    EtcdServer server;
    Loop loop;
    Options options = options_for({server.url()});
    options.page = 70;
    Client client(loop, options);
    for (int i = 0; i < 5000; i += 100) {
        std::vector<Write> writes;
        for (int k = i; k < i + 100; ++k)
            writes.push_back({"/apisix/routes/" + std::to_string(k), std::to_string(k), std::nullopt, 0});
        CHECK(loop.run(client.commit(std::move(writes))).done);
    }
    Mirrored mirrored(loop, options);
    REQUIRE(loop.until([&] { return mirrored.notes.replaced == 1; }, milliseconds(20000)));
    CHECK(mirrored.notes.entries.size() == 5000);
    const std::uint64_t last = put(loop, client, "/apisix/routes/4999", "new");
    CHECK(loop.run(mirrored.mirror.reach(last, milliseconds(2000) * patience)));
    CHECK(mirrored.notes.value("/apisix/routes/4999") == "new");
    CHECK(mirrored.notes.value("/apisix/routes/77") == "77");
}

TEST_CASE("etcd: a mirror that fell behind a compaction reads everything again", "[etcd][real]") {
    if (left_out()) return;
    EtcdServer server;
    Loop loop;
    Client writer(loop, options_for({server.url()}));
    put(loop, writer, one, "a");
    Gate gate(server.port());
    Mirrored mirrored(loop, options_for({"http://127.0.0.1:" + std::to_string(gate.port())}));
    REQUIRE(mirrored.synchronised());
    Fault cut;
    cut.close_after = 0;
    gate.from_target(cut);
    gate.reset_all();
    REQUIRE(loop.until([&] { return !mirrored.mirror.following(); }));
    loop.run(writer.commit({{one, std::nullopt, std::nullopt, 0}}));
    const std::uint64_t last = put(loop, writer, "/apisix/routes/2", "b");
    server.ask("kv/compaction", "{\"revision\":\"" + std::to_string(last) + "\"}");
    put(loop, writer, "/apisix/routes/3", "c");
    gate.from_target({});
    CHECK(loop.until([&] { return mirrored.notes.value("/apisix/routes/3") == "c"; }));
    CHECK(mirrored.notes.replaced == 2);
    CHECK(mirrored.notes.value(one) == "-");
    CHECK(mirrored.notes.value("/apisix/routes/2") == "b");
}

TEST_CASE("etcd: tokens that have expired are renewed, the wrong user sees nothing", "[etcd][real]") {
    if (left_out()) return;
    TempDir folder;
    openssl({"genrsa", "-out", (folder / "jwt.key").string(), "2048"});
    openssl({"rsa", "-in", (folder / "jwt.key").string(), "-pubout", "-out", (folder / "jwt.pub").string()});
    EtcdServer server({"--auth-token", "jwt,sign-method=RS256,ttl=1s,pub-key=" + (folder / "jwt.pub").string() +
                                           ",priv-key=" + (folder / "jwt.key").string()});
    server.ask("auth/user/add", R"({"name":"root","password":"r"})");
    server.ask("auth/user/grant", R"({"user":"root","role":"root"})");
    server.ask("auth/user/add", R"({"name":"gw","password":"secret"})");
    server.ask("auth/role/add", R"({"name":"gw"})");
    server.ask("auth/role/grant", R"({"name":"gw","perm":{"permType":"READWRITE","key":")" + base64("/apisix/") +
                                      R"(","range_end":")" + base64("/apisix0") + "\"}}");
    server.ask("auth/user/grant", R"({"user":"gw","role":"gw"})");
    server.ask("auth/enable", "{}");

    Loop loop;
    Options options = options_for({server.url()});
    options.user = "gw";
    options.password = "secret";
    Mirrored mirrored(loop, options);
    REQUIRE(mirrored.synchronised());
    const std::uint64_t first = put(loop, mirrored.client, one, "a");
    CHECK(loop.run(mirrored.mirror.reach(first, milliseconds(2000) * patience)));

    const auto read_with = [&](const std::string& token) {
        return server.ask("kv/range", R"({"key":")" + base64(one) + "\"}", token);
    };
    std::string login = server.ask("auth/authenticate", R"({"name":"gw","password":"secret"})");
    const std::size_t at = login.find("token\":\"") + 8;
    const std::string token = login.substr(at, login.find('"', at) - at);
    REQUIRE_THAT(read_with(token), contains("kvs"));
    REQUIRE(eventually([&] { return read_with(token).find("invalid auth token") != std::string::npos; }));
    const std::uint64_t second = put(loop, mirrored.client, one, "b");
    CHECK(loop.run(mirrored.mirror.reach(second, milliseconds(2000) * patience)));

    options.password = "wrong";
    Mirrored stranger(loop, options);
    CHECK(loop.until([&] { return !stranger.notes.news.empty(); }));
    CHECK_THAT(stranger.notes.news.at(0), contains("authentication failed"));
}

TEST_CASE("etcd: TLS with certificates on both sides", "[etcd][real]") {
    if (left_out()) return;
    TempDir folder;
    make_certificate(folder, "server");
    make_certificate(folder, "other");
    const std::string server_crt = (folder / "server.crt").string(), server_key = (folder / "server.key").string();
    EtcdServer server(
        {"--cert-file", server_crt, "--key-file", server_key, "--client-cert-auth", "--trusted-ca-file", server_crt},
        "https");
    Loop loop;
    Options options = options_for({server.url()});
    options.tls = {server_crt, server_crt, server_key, "", true};
    const auto why_not = [&](const Options& tried) -> std::string {
        Client client(loop, tried);
        try {
            (void)loop.run(client.read(one, "", 0, 0));
        } catch (const Failure& failure) {
            return failure.what();
        }
        return "";
    };
    REQUIRE(eventually([&] { return why_not(options).empty(); }));
    {
        Mirrored mirrored(loop, options);
        REQUIRE(mirrored.synchronised());
        const std::uint64_t last = put(loop, mirrored.client, one, "a");
        CHECK(loop.run(mirrored.mirror.reach(last, milliseconds(2000) * patience)));
    }
    options.tls.sni = "etcd.test";
    CHECK(why_not(options).empty());
    options.tls.sni = "else.test";
    CHECK_THAT(why_not(options), contains("certificate verify failed"));
    options.tls.verify = false;
    CHECK(why_not(options).empty());
    options.tls = {(folder / "other.crt").string(), server_crt, server_key, "", true};
    CHECK_THAT(why_not(options), contains("certificate verify failed"));
    options.tls = {server_crt, "", "", "", true};
    CHECK_FALSE(why_not(options).empty());
}

TEST_CASE("etcd: a mirror catches up within a second after etcd is back", "[etcd][real]") {
    if (left_out()) return;
    EtcdServer server;
    Loop loop;
    Mirrored mirrored(loop, options_for({server.url()}));
    REQUIRE(mirrored.synchronised());
    const std::uint64_t first = put(loop, mirrored.client, one, "a");
    CHECK(loop.run(mirrored.mirror.reach(first, milliseconds(2000) * patience)));
    server.stop();
    CHECK(loop.until([&] { return !mirrored.mirror.following() && mirrored.mirror.failures() > 3; }));
    CHECK(mirrored.notes.news.back().starts_with("lost: "));
    server.launch();
    // etcd says that it is healthy some time after its port is open; the mirror need not wait for that.
    CHECK(loop.until([&] { return server.answers() || mirrored.mirror.following(); }, milliseconds(20000)));
    const auto contact = std::chrono::steady_clock::now();
    CHECK(loop.until([&] { return mirrored.mirror.following(); }));
    CHECK(since(contact) <= milliseconds(1000) * patience);
    CHECK(mirrored.notes.value(one) == "a");
    const std::uint64_t last = put(loop, mirrored.client, one, "b");
    CHECK(loop.run(mirrored.mirror.reach(last, milliseconds(2000) * patience)));
}

TEST_CASE("etcd: two clients see each other's writes within 200 ms", "[etcd][real]") {
    if (left_out()) return;
    EtcdServer server;
    Loop loop;
    Mirrored a(loop, options_for({server.url()})), b(loop, options_for({server.url()}));
    REQUIRE(a.synchronised());
    REQUIRE(b.synchronised());
    milliseconds worst{0};
    for (int i = 0; i < 10; ++i) {
        Mirrored &from = i % 2 ? a : b, &to = i % 2 ? b : a;
        const std::uint64_t revision = put(loop, from.client, one, std::to_string(i));
        const auto written = std::chrono::steady_clock::now();
        CHECK(loop.run(to.mirror.reach(revision, milliseconds(2000) * patience)));
        worst = std::max(worst, since(written));
        CHECK(to.notes.value(one) == std::to_string(i));
    }
    CHECK(worst <= milliseconds(200) * patience);
}

TEST_CASE("etcd: a stream that a gate stalls is found by its silence", "[etcd][real]") {
    if (left_out()) return;
    EtcdServer server;
    Loop loop;
    Gate gate(server.port());
    Options options = options_for({"http://127.0.0.1:" + std::to_string(gate.port())});
    options.watch_timeout = milliseconds(300) * patience;
    Client writer(loop, options_for({server.url()}));
    Fault stall;
    stall.stall_after = 2000;  // the full read and the beginning of the watch pass
    gate.from_target(stall);
    Mirrored mirrored(loop, options);
    REQUIRE(mirrored.synchronised());
    gate.from_target({});
    std::string value(3000, 'v');
    put(loop, writer, one, value);
    CHECK(loop.until([&] { return mirrored.notes.value(one) == value; }));
    CHECK(mirrored.notes.replaced == 1);
}

TEST_CASE("etcd: a frozen member is left for another one", "[etcd][real]") {
    if (left_out()) return;
    EtcdServer frozen, server;
    Loop loop;
    Options options = options_for({frozen.url(), server.url()});
    options.timeout = milliseconds(1000) * patience;
    frozen.freeze();
    Client client(loop, options);
    CHECK(loop.run(client.read(one, "", 0, 0)).entries.empty());
    CHECK(client.member() == server.url());
}
