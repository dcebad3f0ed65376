#include "libgateway/config/consumer_objects.hpp"

#include <cstdlib>

#include "libgateway/config/objects.hpp"
#include "libgateway/config/secret_reference.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::config;

namespace {

std::string first_of(Kind kind, std::string_view text) {
    Errors errors;
    check_object(kind, json::parse(text), errors);
    return std::string(errors.first());
}

}  // namespace

TEST_CASE("consumer: what breaks a rule is refused with the reference's text", "[config][consumer_objects]") {
    const auto [text, expected] = GENERATE(table<std::string, std::string>({
        {R"({"username":"jack"})", ""},
        {R"({"username":"jack","id":"jack","desc":"d","labels":{"a":"b"},"group_id":7,"plugins":{}})", ""},
        {R"({"plugins":{}})", "property \"username\" is required"},
        {R"({"username":"ja ck"})",
         R"(property "username" validation failed: failed to match pattern "^[a-zA-Z0-9_\-]+$" with "ja ck")"},
        {R"({"username":""})", "property \"username\" validation failed: string too short, expected at least 1, got 0"},
        {R"({"username":"jack","name":"n"})", "additional properties forbidden, found name"},
        {R"({"username":"jack","upstream":{}})", "additional properties forbidden, found upstream"},
        {R"({"username":"jack","plugins":7})",
         "property \"plugins\" validation failed: wrong type: expected object, got number"},
        {R"({"username":"jack","id":"rose"})", "wrong username"},
        {R"({"username":"jack","group_id":"a b"})",
         "property \"group_id\" validation failed: object matches none of the required"},
    }));
    INFO(text);
    CHECK(first_of(Kind::consumer, text) == expected);
}

TEST_CASE("credential: holds one plugin and is named after its consumer", "[config][consumer_objects]") {
    const auto [text, expected] = GENERATE(table<std::string, std::string>({
        {R"({"id":"jack/credentials/c1","name":"n","desc":"d","plugins":{"key-auth":{}}})", ""},
        {R"({"id":"jack/credentials/c1"})", ""},
        {R"({"id":"jack/credentials/c1","plugins":{"a":{},"b":{}}})",
         "property \"plugins\" validation failed: expect object to have at most 1 properties"},
        {R"({"id":"j/credentials/","plugins":{}})",
         "property \"id\" validation failed: string too short, expected at least 15, got 14"},
        {R"({"id":"ja ck/credentials/c1","plugins":{}})",
         "property \"id\" validation failed: object matches none of the required"},
        {R"({"id":"jack/credentials/c1","group_id":"g"})", "additional properties forbidden, found group_id"},
    }));
    INFO(text);
    CHECK(first_of(Kind::consumer, text) == expected);
    CHECK(credential_name("jack/credentials/c1")->username == "jack");
    CHECK(credential_name("jack/credentials/c1")->id == "c1");
    CHECK_FALSE(credential_name("jack"));
}

TEST_CASE("consumer group: needs plugins", "[config][consumer_objects]") {
    CHECK(first_of(Kind::consumer_group, R"({"id":"g","name":"n","plugins":{}})").empty());
    CHECK(first_of(Kind::consumer_group, R"({"id":"g"})") == "property \"plugins\" is required");
}

TEST_CASE("kinds: names of lists and of their items are both read", "[config][consumer_objects]") {
    Kind kind{};
    for (const std::string_view text : {"consumer", "consumers"}) {
        REQUIRE(parse_kind(text, kind));
        CHECK(kind == Kind::consumer);
    }
    REQUIRE(parse_kind("plugin_metadata", kind));
    CHECK(kind == Kind::plugin_metadata);
    CHECK(kind_name(kind) == "plugin_metadata");
    CHECK(kind_name(Kind::consumer_group) == "consumer_group");
    CHECK_FALSE(parse_kind("plugin_metadat", kind));
}

TEST_CASE("secrets: references are told from values and resolved out of the environment",
          "[config][secret_reference]") {
    ::setenv("GATEWAY_TEST_SECRET", R"({"a":"one","n":7})", 1);
    CHECK(is_secret_reference("$env://X"));
    CHECK(is_secret_reference("$ENV://X"));
    CHECK(is_secret_reference("$secret://vault/1/a/b"));
    CHECK_FALSE(is_secret_reference("$Secret://vault/1"));
    CHECK_FALSE(is_secret_reference("$envX"));
    CHECK_FALSE(is_secret_reference("x$env://X"));
    std::string why;
    CHECK(resolve_secret("$env://GATEWAY_TEST_SECRET", why) == R"({"a":"one","n":7})");
    CHECK(resolve_secret("$env://GATEWAY_TEST_SECRET/a", why) == "one");
    CHECK(resolve_secret("$Env://GATEWAY_TEST_SECRET/n", why) == "7");
    CHECK_FALSE(resolve_secret("$env://GATEWAY_TEST_SECRET/b", why));
    CHECK_FALSE(resolve_secret("$env://GATEWAY_TEST_NOT_SET", why));
    CHECK(why == "environment variable is not set");
    CHECK_FALSE(resolve_secret("$env://", why));
    CHECK_FALSE(resolve_secret("$secret://vault/1/a/b", why));

    json::Value value = json::parse(R"({"a":["$env://GATEWAY_TEST_SECRET/a","$env://GATEWAY_TEST_NOT_SET"],"b":1})");
    CHECK(has_secret_reference(value));
    std::vector<std::string> failed;
    resolve_secrets(value, [&](std::string_view reference, std::string_view field, std::string_view) {
        failed.push_back(std::string(field) + "=" + std::string(reference));
    });
    CHECK(json::write(value) == R"({"a":["one","$env://GATEWAY_TEST_NOT_SET"],"b":1})");
    CHECK(failed == std::vector<std::string>{"a.2=$env://GATEWAY_TEST_NOT_SET"});
}

TEST_CASE("secrets: a reference passes for any text where references are allowed", "[config][secret_reference]") {
    struct Settings {
        std::string mode = "a";
    };
    static constexpr auto schema = fields(field("mode", &Settings::mode, "one of two", one_of("a", "b")));
    Settings settings;
    Errors strict, lenient;
    lenient.allow_references();
    read(schema, json::parse(R"({"mode":"$env://MODE"})"), settings, strict);
    read(schema, json::parse(R"({"mode":"$env://MODE"})"), settings, lenient);
    CHECK(strict.first() == "property \"mode\" validation failed: matches none of the enum values");
    CHECK(lenient.empty());
}
