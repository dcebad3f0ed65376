// Secrets at rest through the whole gateway: a route file exported from APISIX with encrypted credentials, a rotation
// of keys, and that no answer, log or file holds a secret.
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;

namespace {

// Encrypted by the reference with its default keyring: "auth-one" with its first key, "userkey" with its second.
const std::string auth_one = "4y+JvURBE6ZwRbbgaryrhg==", userkey = "mt39FazQccyMqt4ctoRV7w==";
const std::string key_a = "0123456789abcdef0123456789ABCDEF", key_b = "bbbbbbbbbbbbbbbb";

std::string exported(const ScriptedUpstream& upstream) {
    return "upstreams:\n  - {id: u, type: roundrobin, nodes: {" + node_map(upstream.node()) +
           "}}\n"
           "routes:\n"
           "  - {id: 1, uri: /key, upstream_id: u, plugins: {key-auth: {}}}\n"
           "  - {id: 2, uri: /basic, upstream_id: u, plugins: {basic-auth: {}}}\n"
           "  - {id: 3, uri: /form, upstream_id: u, plugins: {csrf: {key: " +
           auth_one +
           "}}}\n"
           "consumers:\n"
           "  - username: jack   # of old\n"
           "    plugins:\n"
           "      key-auth: {key: " +
           auth_one +
           "}\n"
           "  - username: joe\n"
           "    plugins:\n"
           "      basic-auth: {username: joe, password: " +
           userkey + "}\n";
}

GatewayOptions options_of(const ScriptedUpstream& upstream, const std::string& encryption = "") {
    GatewayOptions options;
    options.routes = exported(upstream);
    if (!encryption.empty()) options.apisix = "  data_encryption: {" + encryption + "}\n";
    return options;
}

const std::string joe_login = "Authorization: Basic am9lOnVzZXJrZXk=\r\n";

void both_get_in(GatewayProcess& gateway) {
    CHECK(fetch(gateway.port(), "GET", "/key", "apikey: auth-one\r\n").status() == 200);
    CHECK(fetch(gateway.port(), "GET", "/key", "apikey: " + auth_one + "\r\n").status() == 401);
    CHECK(fetch(gateway.port(), "GET", "/basic", joe_login).status() == 200);
}

bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("keys: credentials that the reference encrypted let their owners in", "[e2e][keys]") {
    ScriptedUpstream upstream;
    GatewayProcess gateway(options_of(upstream));
    both_get_in(gateway);
    struct stat about {};
    const auto file = gateway.folder() / "data/keyring";
    REQUIRE(::stat(file.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
    const RunResult check = gateway.ctl({"keys", "check"});
    INFO(check.out);
    CHECK(check.exit == 0);
    CHECK(holds(check.out, "encrypts  " + file.string()));
    CHECK(holds(check.out, "consumers/jack: older key or form (plugins.key-auth.key in line 10)"));
    CHECK_FALSE(holds(check.out, "auth-one"));
}

TEST_CASE("keys: reencrypt writes the file with this gateway's key and touches nothing else", "[e2e][keys]") {
    ScriptedUpstream upstream;
    const GatewayOptions options = options_of(upstream);
    GatewayProcess gateway(options);
    const std::string file = (gateway.folder() / "routes.yaml").string();
    const RunResult dry = gateway.ctl({"keys", "reencrypt", "--dry-run", file});
    CHECK(dry.exit == 0);
    CHECK(holds(dry.out, "0 already current, 3 would be rewritten, 0 not readable"));
    CHECK(gateway.folder().read("routes.yaml") == options.routes);
    std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    const RunResult done = gateway.ctl({"keys", "reencrypt", file});
    INFO(done.out);
    REQUIRE(done.exit == 0);
    const std::string text = gateway.folder().read("routes.yaml");
    CHECK_FALSE(holds(text, auth_one));
    CHECK(holds(text, "username: jack   # of old\n"));
    CHECK(std::filesystem::status(file).permissions() ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    REQUIRE(gateway.ctl({"reload"}).exit == 0);
    both_get_in(gateway);
    CHECK(holds(gateway.ctl({"keys", "reencrypt", file}).out, "3 already current, 0 rewritten"));
    // The key is in the data directory: a start from the beginning reads the file too.
    CHECK(gateway.ctl({"check"}).exit == 0);
}

TEST_CASE("keys: a rotation of own keys, and what is lost when the old one goes too early", "[e2e][keys]") {
    ScriptedUpstream upstream;
    const std::string published = ", qeddd145sfvddff3, edd1c9f0985e76a2]";
    GatewayProcess gateway(options_of(upstream, "keyring: [" + key_a + published));
    const std::string file = (gateway.folder() / "routes.yaml").string();
    REQUIRE(gateway.ctl({"keys", "reencrypt", file}).exit == 0);
    CHECK_FALSE(std::filesystem::exists(gateway.folder() / "data/keyring"));
    const std::string settings = gateway.folder().read("gateway.yaml");
    const auto with_ring = [&](const std::string& ring) {
        std::string text = settings;
        const std::size_t at = text.find("keyring: [");
        text.replace(at, text.find(']', at) + 1 - at, "keyring: [" + ring + "]");
        gateway.write_static(text);
        return gateway.ctl({"reload"});
    };
    REQUIRE(with_ring(key_b + ", " + key_a).exit == 0);
    both_get_in(gateway);
    const RunResult too_early = [&] {
        std::string text = settings;
        text.replace(text.find(key_a), key_a.size(), key_b);
        const auto other = gateway.folder().write("other.yaml", text);
        return run({program("gatewayctl"), "-c", other.string(), "keys", "reencrypt", "--dry-run", file},
                   milliseconds(20000));
    }();
    CHECK(too_early.exit == 1);
    CHECK(holds(too_early.out, "consumers/jack: not readable"));
    REQUIRE(gateway.ctl({"keys", "reencrypt", file}).exit == 0);
    REQUIRE(with_ring(key_b).exit == 0);
    both_get_in(gateway);
    // A key that is gone: nobody gets in, least of all with the stored text.
    REQUIRE(with_ring(key_a).exit == 0);
    CHECK(fetch(gateway.port(), "GET", "/key", "apikey: auth-one\r\n").status() == 401);
    const std::string text = gateway.folder().read("routes.yaml");
    const std::size_t at = text.find("v2:", text.find("jack"));
    const std::string stored = text.substr(at, text.find('"', at) - at);
    CHECK(fetch(gateway.port(), "GET", "/key", "apikey: " + stored + "\r\n").status() == 401);
    CHECK(holds(gateway.log(), "it is not readable"));
}

TEST_CASE("keys: no secret is shown, logged or written to disk", "[e2e][keys]") {
    ScriptedUpstream upstream;
    GatewayProcess gateway(options_of(upstream));
    both_get_in(gateway);
    REQUIRE(
        gateway.put("consumer", "jane", R"({"username":"jane","plugins":{"key-auth":{"key":"jane-secret"}}})").exit ==
        0);
    const RunResult twice =
        gateway.put("consumer", "jim", R"({"username":"jim","plugins":{"key-auth":{"key":"jane-secret"}}})");
    CHECK(twice.exit == 1);
    std::string all = twice.out;
    for (const std::vector<std::string>& question :
         std::vector<std::vector<std::string>>{{"--json", "explain", "GET", "/form"},
                                               {"--json", "explain", "GET", "/key", "--consumer", "jack"},
                                               {"--json", "show", "routes"},
                                               {"--json", "show", "consumers"},
                                               {"--json", "show", "plugin_metadata"},
                                               {"--json", "keys", "check"},
                                               {"--json", "check"}}) {
        const RunResult answer = gateway.ctl(question);
        CHECK(answer.exit == 0);
        all += answer.out;
    }
    CHECK(holds(all, R"("key":"***")"));
    gateway.stop(SIGQUIT);
    all += gateway.log();
    for (const std::string secret : {"auth-one", "userkey", "jane-secret"}) {
        INFO(secret);
        CHECK_FALSE(holds(all, secret));
        CHECK_FALSE(holds(gateway.folder().read("data/last-good"), secret));
    }
    const std::string key =
        gateway.folder().read("data/keyring").substr(gateway.folder().read("data/keyring").find('\n') + 1, 32);
    CHECK_FALSE(holds(all, key));
}

TEST_CASE("keys: a key file that others can read stops the start and a reload, and says so", "[e2e][keys]") {
    ScriptedUpstream upstream;
    GatewayProcess gateway(options_of(upstream));
    const std::string file = (gateway.folder() / "data/keyring").string();
    std::filesystem::permissions(file, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
    const RunResult reload = gateway.ctl({"reload"});
    CHECK(reload.exit == 1);
    CHECK(holds(reload.out, "expected 0600"));
    both_get_in(gateway);
    gateway.stop(SIGQUIT);
    const RunResult start = run({program("gatewayd"), "-c", gateway.config()}, milliseconds(20000));
    CHECK(start.exit == 1);
    CHECK(holds(start.out, "expected 0600"));
}

TEST_CASE("keys: a control that is started again beside a broken static file keeps what is in force", "[e2e][keys]") {
    ScriptedUpstream upstream;
    GatewayProcess gateway(options_of(upstream, "keyring: [" + key_a + ", qeddd145sfvddff3, edd1c9f0985e76a2]"));
    both_get_in(gateway);
    const pid_t control = gateway.control();
    gateway.write_static("apisix: {node_lisen: 80}\n");
    ::kill(control, SIGKILL);
    REQUIRE(eventually([&] { return holds(gateway.log(), "the settings in force stay"); }, std::chrono::seconds(20)));
    CHECK(eventually([&] { return holds(gateway.log(), "the keyring is not known"); }, std::chrono::seconds(20)));
    both_get_in(gateway);
}

TEST_CASE("keys: secrets of the store are written anew as one revision, and open the same doors", "[e2e][keys]") {
    GatewayOptions options;
    options.routes = "routes:\n  - {id: 1, uri: /key, plugins: {key-auth: {}, mocking: {response_example: in}}}\n";
    options.apisix = "  data_encryption: {keyring: [" + key_a + "]}\n";
    GatewayProcess gateway(options);
    REQUIRE(gateway.put("consumer", "jill", R"({"username":"jill","plugins":{"key-auth":{"key":"jills"}}})").exit == 0);
    const auto enters = [&] { return fetch(gateway.port(), "GET", "/key", "apikey: jills\r\n").status() == 200; };
    CHECK(enters());
    CHECK(holds(gateway.ctl({"keys", "check"}).out, "store: consumers/jill: already current (plugins.key-auth.key)"));

    const std::string settings = gateway.folder().read("gateway.yaml");
    const auto with_ring = [&](const std::string& ring) {
        std::string text = settings;
        text.replace(text.find(key_a), key_a.size(), ring);
        gateway.write_static(text);
        return gateway.ctl({"reload"}).exit;
    };
    REQUIRE(with_ring(key_b + ", " + key_a) == 0);
    CHECK(holds(gateway.ctl({"keys", "check"}).out, "store: consumers/jill: older key or form"));
    CHECK(holds(gateway.ctl({"keys", "reencrypt", "--store", "--dry-run"}).out, "1 would be rewritten"));
    const RunResult done = gateway.ctl({"keys", "reencrypt", "--store"});
    INFO(done.out);
    REQUIRE(done.exit == 0);
    CHECK(holds(done.out, "1 rewritten, 0 already current"));
    CHECK(holds(gateway.ctl({"history", "-n", "1"}).out, "reencrypt"));
    CHECK(holds(gateway.ctl({"keys", "reencrypt", "--store"}).out, "0 rewritten, 1 already current"));
    REQUIRE(with_ring(key_b) == 0);
    CHECK(gateway.ctl({"keys", "check"}).exit == 0);
    CHECK(enters());
}
