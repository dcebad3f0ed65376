#include "libgateway/sources/secrets.hpp"

#include "libgateway/config/yaml_reader.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libgateway/sources/document_reader.hpp"
#include "libgateway/sources/reencrypt.hpp"
#include "libgateway/sources/scalar_text.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::sources;

namespace {

// Two types of plugins with secrets in all forms that there are.
const bool registered = [] {
    PluginType box;
    box.name = "secret-box";
    box.priority = 1;
    box.encrypt_fields = {"key", "auth.headers", "servers.password", "list"};
    box.metadata_encrypt_fields = {"token"};
    plugin_registry().add(box);
    PluginType login;
    login.name = "secret-login";
    login.priority = 2;
    login.credential_encrypt_fields = {"key"};
    login.check_credential = [](const json::Value&, config::Errors&) {};
    plugin_registry().add(login);
    return true;
}();

constexpr std::string_view old_key = "qeddd145sfvddff3", key_a = "AAAAAAAAAAAAAAAA", key_b = "BBBBBBBBBBBBBBBB";
constexpr std::string_view auth_one = "4y+JvURBE6ZwRbbgaryrhg==";  // E1

keyring::Keyring ring_of(std::initializer_list<std::string_view> keys) {
    keyring::Keyring ring;
    for (const std::string_view key : keys) ring.add(key, keyring::Keyring::Use::both, "test");
    return ring;
}

std::vector<std::string> paths_of(std::string_view list, std::string_view text) {
    json::Value item = json::parse(text);
    std::vector<std::string> paths;
    each_item_secret(list, "secret-box", item,
                     [&](const std::string& path, json::Value&, SecretKind) { paths.push_back(path); });
    return paths;
}

std::string opened(config::Kind kind, std::string_view text, const keyring::Keyring& ring, config::Errors& warnings) {
    json::Value item = json::parse(text);
    open_item(kind, "secret-box", item, ring, warnings);
    return json::write(item);
}

using Paths = std::vector<std::string>;

}  // namespace

TEST_CASE("secrets: paths lead through objects and arrays to texts, arrays and maps of texts", "[sources][secrets]") {
    REQUIRE(registered);
    CHECK(paths_of("routes", R"({"plugins":{"secret-box":{"key":"a","auth":{"headers":{"x":"1","y":"2"}},
        "servers":[{"password":"p"},{"host":"h"},{"password":"q"}],"list":["l","m"],"other":"o"}}})") ==
          Paths{"plugins.secret-box.key", "plugins.secret-box.auth.headers.x", "plugins.secret-box.auth.headers.y",
                "plugins.secret-box.servers[0].password", "plugins.secret-box.servers[2].password",
                "plugins.secret-box.list[0]", "plugins.secret-box.list[1]"});
    CHECK(paths_of("routes", R"({"plugins":{"secret-box":{"key":"$env://KEY","auth":"x","list":7}}})").empty());
    CHECK(paths_of("routes", R"({"plugins":[]})").empty());
}

TEST_CASE("secrets: credentials only where consumers are, keys of certificates and clients, metadata",
          "[sources][secrets]") {
    CHECK(paths_of("routes", R"({"plugins":{"secret-login":{"key":"a"}}})").empty());
    CHECK(
        paths_of("consumers", R"({"username":"j","plugins":{"secret-login":{"key":"a"},"secret-box":{"key":"b"}}})") ==
        Paths{"plugins.secret-login.key", "plugins.secret-box.key"});
    CHECK(paths_of("consumers", R"({"id":"j/credentials/c","plugins":{"secret-login":{"key":"a"}}})") ==
          Paths{"plugins.secret-login.key"});
    CHECK(paths_of("plugin_metadata", R"({"token":"t","key":"k"})") == Paths{"token"});
    CHECK(paths_of("ssls", R"({"key":"k","keys":["l"],"cert":"c"})") == Paths{"key", "keys[0]"});
    CHECK(paths_of("upstreams", R"({"tls":{"client_key":"k"}})") == Paths{"tls.client_key"});
    CHECK(paths_of("services", R"({"upstream":{"tls":{"client_key":"k"}}})") == Paths{"upstream.tls.client_key"});
}

TEST_CASE("secrets: what a key reads is opened, what is plain stays, what seems encrypted is a warning",
          "[sources][secrets]") {
    config::Errors warnings;
    const keyring::Keyring ring = ring_of({key_a, old_key});
    const std::string ours = ring.encrypt("of ours");
    CHECK(opened(config::Kind::route,
                 R"({"plugins":{"secret-box":{"key":"4y+JvURBE6ZwRbbgaryrhg==","list":["plain",")" + ours + "\"]}}}",
                 ring, warnings) == R"({"plugins":{"secret-box":{"key":"auth-one","list":["plain","of ours"]}}})");
    CHECK(warnings.empty());
    const std::string unread = R"({"plugins":{"secret-box":{"key":"4y+JvURBE6ZwRbbgaryrhg=="}}})";
    CHECK(opened(config::Kind::route, unread, ring_of({key_b}), warnings) == unread);
    REQUIRE(warnings.size() == 1);
    CHECK(warnings.findings()[0].message.find("taken as plain text") != std::string::npos);
    CHECK(warnings.findings()[0].message.find(auth_one) == std::string::npos);
}

TEST_CASE("secrets: our form that no key reads lets nobody in by showing it", "[sources][secrets]") {
    config::Errors warnings;
    const std::string ours = ring_of({key_a}).encrypt("of ours");
    const std::string text =
        opened(config::Kind::consumer, R"({"username":"j","plugins":{"secret-login":{"key":")" + ours + "\"}}}",
               ring_of({key_b}), warnings);
    CHECK(text.find(ours) == std::string::npos);
    CHECK(text.find(R"("key":"$secret://keyring/not-readable/)") != std::string::npos);
    REQUIRE(warnings.size() == 1);
    CHECK(warnings.findings()[0].message.find(ring_of({key_a}).entries()[0].key.id()) != std::string::npos);
}

TEST_CASE("secrets: masked they are all the same, references stay", "[sources][secrets]") {
    json::Value item = json::parse(R"({"plugins":{"secret-box":{"key":"a","list":["b","$env://B"],"other":"o"},
        "secret-login":"mere text"},"upstream":{"tls":{"client_key":"k"}}})");
    mask_item(config::Kind::route, "1", item);
    CHECK(json::write(item) ==
          R"({"plugins":{"secret-box":{"key":"***","list":["***","$env://B"],"other":"o"},"secret-login":"***"},)"
          R"("upstream":{"tls":{"client_key":"***"}}})");
}

TEST_CASE("secrets: a route file is read with its secrets opened, and an item that is dropped is named without them",
          "[sources][secrets]") {
    CheckRules rules;
    const keyring::Keyring ring = ring_of({old_key});
    rules.open_secrets = [&ring](config::Kind kind, std::string_view id, json::Value& item, config::Errors& warnings) {
        open_item(kind, id, item, ring, warnings);
    };
    const std::string text =
        "routes:\n"
        "- {id: 1, uri: /a, plugins: {secret-box: {key: 4y+JvURBE6ZwRbbgaryrhg==}}}\n"
        "- {id: 2, uri: 7, plugins: {secret-box: {key: 4y+JvURBE6ZwRbbgaryrhg==}}}\n";
    const RouteFileSettings settings{"routes.yaml", false, false, true};
    const auto result = parse_route_file(text, settings, rules, [](const std::string&) { return std::nullopt; }, {});
    REQUIRE(result.document);
    CHECK(result.document->find(config::Kind::route, "1")->json.find(R"("key":"auth-one")") != std::string::npos);
    REQUIRE(result.dropped.size() == 1);
    CHECK(result.dropped[0].find("auth-one") == std::string::npos);
    CHECK(result.dropped[0].find("***") != std::string::npos);
}

TEST_CASE("scalar text: quoted and plain scalars are found where they stand", "[sources][scalar_text]") {
    const ScalarText text("a: plain # x\nä: 'it''s'\nb: \"q\\\"q\"\nc: |\n  block\n");
    const auto size = [&](std::uint32_t line, std::uint32_t column, std::string_view value) {
        const auto range = text.find({line, column}, value);
        return range ? range->end - range->begin : 0;
    };
    CHECK(size(1, 4, "plain") == 5);
    CHECK(size(1, 4, "other") == 0);
    CHECK(size(2, 4, "it's") == 7);
    CHECK(size(3, 4, "q\"q") == 6);
    CHECK(size(4, 4, "block\n") == 0);
    CHECK(size(9, 1, "x") == 0);
    CHECK(size(1, 90, "x") == 0);
    CHECK(size(0, 0, "x") == 0);
}

TEST_CASE("reencrypt: every secret is written with the first key, all other bytes stay", "[sources][reencrypt]") {
    const std::string text =
        "# kept: 'as it is'\r\n"
        "consumers:\n"
        "  - username: jäck   # who\n"
        "    plugins:\n"
        "      secret-login: {key: 4y+JvURBE6ZwRbbgaryrhg==}   # old\n"
        "  - {username: joe, plugins: {secret-login: {key: 'plain'}, secret-box: {list: [\"x\\u0041\", $env://L]}}}\n"
        "routes:\n"
        "- id: 1\n"
        "  plugins: {secret-box: {key: \"${{KEY}}\", auth: {headers: {ä: p}}}}\n";
    const SecretsOptions options{"routes.yaml", false, false};
    const keyring::Keyring ring = ring_of({key_a, old_key});
    const SecretsReport before = inspect_secrets(text, options, ring);
    REQUIRE(before.problems.ok());
    CHECK(before.count(SecretState::outdated) == 1);
    CHECK(before.count(SecretState::plain) == 3);
    const Reencrypted result = reencrypt(text, options, ring);
    INFO(result.report.problems.text());
    REQUIRE(result.report.problems.ok());
    const SecretsReport after = inspect_secrets(result.text, options, ring);
    CHECK(after.count(SecretState::current) == 4);
    CHECK(result.text.find("# kept: 'as it is'\r\n") == 0);
    CHECK(result.text.find("   # old\n") != std::string::npos);
    CHECK(result.text.find("${{KEY}}") != std::string::npos);
    CHECK(result.text.find("'plain'") == std::string::npos);
    config::Errors warnings;
    json::Value file = config::read_yaml(result.text);
    json::Value& joe = file.find("consumers")->make_array()[1];
    open_item(config::Kind::consumer, "joe", joe, ring, warnings);
    CHECK(json::write(*joe.find("plugins")) ==
          R"({"secret-login":{"key":"plain"},"secret-box":{"list":["xA","$env://L"]}})");
    const Reencrypted again = reencrypt(result.text, options, ring);
    CHECK_FALSE(again.changed);
    CHECK(again.text == result.text);
}

TEST_CASE("reencrypt: a rotation goes on with the old key below, and without it says what is lost",
          "[sources][reencrypt]") {
    const SecretsOptions options{"routes.json", true, false};
    const std::string text = R"({"routes":[{"id":1,"plugins":{"secret-box":{"key":"plain"}}}]})";
    const Reencrypted first = reencrypt(text, options, ring_of({key_a}));
    REQUIRE(first.report.problems.ok());
    const Reencrypted second = reencrypt(first.text, options, ring_of({key_b, key_a}));
    REQUIRE(second.report.problems.ok());
    CHECK(inspect_secrets(second.text, options, ring_of({key_b})).count(SecretState::current) == 1);
    const Reencrypted lost = reencrypt(second.text, options, ring_of({key_a}));
    CHECK(lost.report.count(SecretState::unreadable) == 1);
    CHECK_FALSE(lost.changed);
}

TEST_CASE("reencrypt: what looks encrypted and is not readable stays, unless it is said to be plain",
          "[sources][reencrypt]") {
    const std::string text = "routes: [{id: 1, plugins: {secret-box: {key: '4y+JvURBE6ZwRbbgaryrhg=='}}}]\n";
    SecretsOptions options{"routes.yaml", false, false};
    CHECK(reencrypt(text, options, ring_of({key_a})).report.count(SecretState::unreadable) == 1);
    options.plain_texts = true;
    const Reencrypted result = reencrypt(text, options, ring_of({key_a}));
    REQUIRE(result.report.problems.ok());
    CHECK(result.changed);
}

TEST_CASE("reencrypt: a value that cannot be replaced in its place is an error and nothing is written",
          "[sources][reencrypt]") {
    const SecretsOptions options{"routes.yaml", false, false};
    for (const std::string_view bad :
         {"routes:\n- id: 1\n  plugins:\n    secret-box:\n      key: |\n        a\n        b\n",
          "routes:\n- id: 1\n  plugins:\n    secret-box:\n      key: two\n        lines\n",
          "routes:\n- {id: 1, name: &n text, plugins: {secret-box: {key: *n}}}\n", "routes: [\n"}) {
        INFO(bad);
        CHECK_FALSE(reencrypt(bad, options, ring_of({key_a})).report.problems.ok());
    }
    const std::string head = "routes:\n- id: 1\n  plugins:\n    secret-box:\n      key: ";
    for (const std::string bad : {"|-\n        secret\n", ">-  # folded\n        secret\n", "|2-\n        secret\n",
                                  ">\n        a\n        b\n", "two\n        lines\n", "\"two\n        lines\"\n"}) {
        const std::string why = reencrypt(head + bad, options, ring_of({key_a})).report.problems.text();
        INFO(bad << why);
        CHECK(why.find("routes.yaml:") == 0);
        CHECK(why.find("routes/1 plugins.secret-box.key: the value cannot be replaced: write it on one line") !=
              std::string::npos);
    }
    CHECK(reencrypt(head + "\n        secret\n", options, ring_of({key_a})).changed);
    const Reencrypted shared = reencrypt(
        "routes:\n- {id: 1, plugins: {secret-box: {key: &k secret}}}\n- {id: 2, plugins: {secret-box: {key: *k}}}\n",
        options, ring_of({key_a}));
    INFO(shared.report.problems.text());
    CHECK(shared.report.problems.ok());
    CHECK(shared.changed);
}

TEST_CASE("secrets: keys of managers are secrets, whatever their object is called", "[sources][secrets]") {
    CHECK(paths_of("secrets", R"({"id":"vault/1","uri":"u","token":"t"})") == Paths{"token"});
    CHECK(paths_of("secrets", R"({"id":"aws/1","access_key_id":"a","secret_access_key":"s","session_token":"x"})") ==
          Paths{"secret_access_key", "session_token"});
    CHECK(paths_of("secrets", R"({"id":"gcp/1","auth_config":{"private_key":"k","client_email":"e"}})") ==
          Paths{"auth_config.private_key"});
    CHECK(paths_of("secrets", R"({"id":"vault/1","token":"$env://TOKEN"})").empty());
    CHECK(paths_of("secrets", R"({"token":"t"})").empty());
    json::Value item = json::parse(R"({"uri":"u","token":"t"})");
    mask_item(config::Kind::secret, "vault/1", item);
    CHECK(json::write(item) == R"({"uri":"u","token":"***"})");
}

TEST_CASE("secrets: keys of managers are kept encrypted, but in the form of the reference", "[sources][secrets]") {
    keyring::Keyring ring = ring_of({key_a});
    json::Value item = json::parse(R"({"uri":"u","token":"t"})");
    seal_item(config::Kind::secret, "vault/1", item, ring);
    CHECK(item.find("token")->string().starts_with("v2:"));
    config::Errors warnings;
    open_item(config::Kind::secret, "vault/1", item, ring, warnings);
    CHECK(item.find("token")->string() == "t");
    ring.form = keyring::Form::reference;
    seal_item(config::Kind::secret, "vault/1", item, ring);
    CHECK(item.find("token")->string() == "t");
}
