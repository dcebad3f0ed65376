// Consumers and plugin metadata in files and in single objects.
#include "libgateway/config/consumer_objects.hpp"
#include "libgateway/sources/route_file.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::sources;
using config::Kind;

namespace {

CheckRules rules() {
    CheckRules rules;
    const auto refuse_unknown = [](std::string_view prefix) {
        return [prefix](std::string_view name, const json::Value& entry, config::Errors& errors,
                        std::vector<std::string>&) {
            if (name == "key-auth" && !entry.find("key")) errors.add(std::string(prefix) + "no key");
            if (name == "unknown") errors.add("unknown plugin [unknown]");
        };
    };
    rules.plugin = refuse_unknown("");
    rules.consumer_plugin = refuse_unknown("on consumer: ");
    rules.credential_plugin = refuse_unknown("in credential: ");
    rules.metadata = [](std::string_view name, const json::Value& metadata, config::Errors& errors) {
        if (name != "logger") return errors.add("invalid plugin name");
        if (metadata.find("bad")) errors.add("invalid configuration: bad");
    };
    rules.credential_key = [](std::string_view plugin,
                              const json::Value& entry) -> std::optional<CredentialIndex::Key> {
        const json::Value* key = entry.find("key");
        if (plugin != "key-auth" || !key) return std::nullopt;
        return CredentialIndex::Key{"key", key->string()};
    };
    return rules;
}

RouteFileResult parse(std::string_view text) {
    static const config::Environment none = [](const std::string&) { return std::optional<std::string>(); };
    return parse_route_file(text, {"routes.yaml"}, rules(), none, {});
}

Document document() {
    return *parse(
                "consumers:\n"
                "  - {username: jack, plugins: {key-auth: {key: k}}}\n"
                "  - {id: jack/credentials/c1, plugins: {key-auth: {key: k1}}}\n"
                "consumer_groups:\n  - {id: g, plugins: {}}\n")
                .document;
}

// What is said about one object that is put.
std::string refusal(Kind kind, std::string_view id, std::string_view text) {
    config::Diagnostics found;
    const Document current = document();
    const ObjectPtr made = parse_object(kind, id, text, "put", rules(), current, found);
    if (found.ok()) {
        CHECK(made);
        return "";
    }
    return found.list().front().message;
}

}  // namespace

TEST_CASE("consumers: a file holds consumers, credentials, groups and metadata", "[sources][consumers]") {
    const RouteFileResult result = parse(
        "consumers:\n"
        "  - {username: jack, group_id: g, plugins: {key-auth: {key: k}, other: }}\n"
        "  - {id: jack/credentials/c1, plugins: {key-auth: {key: k1}}}\n"
        "consumer_groups:\n  - {id: g, plugins: {}}\n"
        "plugin_metadata:\n  - {id: logger, log_format: {host: \"$host\"}}\n");
    REQUIRE(result.diagnostics.text() == "");
    REQUIRE(result.document);
    CHECK(result.document->find(Kind::consumer, "jack")->json ==
          R"({"username":"jack","group_id":"g","plugins":{"key-auth":{"key":"k"},"other":{}}})");
    CHECK(result.document->find(Kind::consumer, "jack/credentials/c1"));
    CHECK(result.document->find(Kind::consumer_group, "g"));
    CHECK(result.document->find(Kind::plugin_metadata, "logger")->json == R"({"log_format":{"host":"$host"}})");
}

TEST_CASE("consumers: what a file does wrong is told", "[sources][consumers]") {
    const RouteFileResult result = parse(
        "consumers:\n"
        "  - {username: jack, group_id: none, plugins: {key-auth: {key: k}}}\n"
        "  - {username: rose, plugins: {key-auth: {key: k}}}\n"
        "  - {id: lost/credentials/c1, plugins: {key-auth: {key: z}}}\n");
    CHECK(result.diagnostics.ok());
    CHECK(
        result.diagnostics.text() ==
        "routes.yaml:2:32: warning: consumers/jack group_id: there is no consumer_group [none]: its requests get 503\n"
        "routes.yaml:3:5: warning: consumers/rose: duplicate key of plugin key-auth found with consumer: jack; the "
        "last one is used\n"
        "routes.yaml:4:10: warning: consumers/lost/credentials/c1 id: there is no consumer [lost]: nobody can log in "
        "with it\n");
}

TEST_CASE("consumers: entries are checked as what they are there", "[sources][consumers]") {
    const RouteFileResult result = parse(
        "consumers:\n"
        "  - {username: jack, plugins: {key-auth: {}}}\n"
        "  - {id: jack/credentials/c1, plugins: {key-auth: {}}}\n"
        "plugin_metadata:\n  - {id: nobody, x: 1}\n  - {id: logger, bad: 1}\n");
    const std::string text = result.diagnostics.text();
    CHECK(text.find("consumers/jack plugins.key-auth: on consumer: no key") != std::string::npos);
    CHECK(text.find("consumers/jack/credentials/c1 plugins.key-auth: in credential: no key") != std::string::npos);
    CHECK(text.find("plugin_metadata/nobody: invalid plugin name") != std::string::npos);
    CHECK(text.find("plugin_metadata/logger: invalid configuration: bad") != std::string::npos);
}

TEST_CASE("consumers: what is put must lead somewhere", "[sources][consumers]") {
    CHECK(refusal(Kind::consumer, "rose", R"({"username":"rose","group_id":"g"})").empty());
    CHECK(refusal(Kind::consumer, "rose", R"({"username":"rose","group_id":"none"})") ==
          "failed to fetch consumer group info by consumer group id [none], response code: 404");
    CHECK(refusal(Kind::consumer, "rose", R"({"username":"jack"})") == "wrong username");
    CHECK(refusal(Kind::consumer, "rose", "{}") == "property \"username\" is required");
    CHECK(refusal(Kind::consumer, "jack/credentials/c2", R"({"plugins":{"key-auth":{"key":"x"}}})").empty());
    CHECK(refusal(Kind::consumer, "rose/credentials/c2", R"({"plugins":{"key-auth":{"key":"x"}}})") ==
          "consumer not found");
    CHECK(refusal(Kind::consumer, "a b", R"({"username":"a b"})") ==
          "expected a username, or <username>/credentials/<id>");
    CHECK(refusal(Kind::plugin_metadata, "logger", R"({"x":1})").empty());
}

TEST_CASE("credential index: who may hold a key beside whom", "[sources][credential_index]") {
    CredentialIndex index(rules().credential_key);
    const auto with = [](std::string_view key) {
        return json::Value::object(
            {{"plugins", json::Value::object({{"key-auth", json::Value::object({{"key", json::Value(key)}})}})}});
    };
    index.add("jack", with("k"));
    index.add("jack/credentials/c1", with("k1"));
    CHECK(index.conflict("jack", with("k")).empty());
    CHECK(index.conflict("jack", with("k1")).empty());
    CHECK(index.conflict("jack/credentials/c1", with("k1")).empty());
    CHECK(index.conflict("jack/credentials/c1", with("k")) ==
          "duplicate key of plugin key-auth found with consumer: jack");
    CHECK(index.conflict("rose", with("k1")) ==
          "duplicate key of plugin key-auth found with credential: c1 of consumer: jack");
    CHECK(index.conflict("rose", with("k2")).empty());
    index.add("rose", with("k"));
    index.remove("jack", with("k"));
    CHECK(index.conflict("jack", with("k")) == "duplicate key of plugin key-auth found with consumer: rose");
    index.remove("rose", with("k"));
    CHECK(index.conflict("jack", with("k")).empty());
}

TEST_CASE("credential index: several objects may hand a key from one to the other", "[sources][credential_index]") {
    CredentialIndex index(rules().credential_key);
    const auto with = [](std::string_view key) {
        return json::Value::object(
            {{"plugins", json::Value::object({{"key-auth", json::Value::object({{"key", json::Value(key)}})}})}});
    };
    index.add("jack", with("k"));
    index.add("rose", with("r"));
    CredentialIndex changed = CredentialIndex::over(index);
    CHECK_FALSE(changed.conflict("tom", with("k")).empty());
    changed.hide("jack");
    CHECK(changed.conflict("tom", with("k")).empty());
    CHECK_FALSE(changed.conflict("tom", with("r")).empty());
    changed.add("tom", with("k"));
    CHECK(changed.conflict("jack", with("k")) == "duplicate key of plugin key-auth found with consumer: tom");
    CHECK(index.conflict("tom", with("k")) == "duplicate key of plugin key-auth found with consumer: jack");
}
