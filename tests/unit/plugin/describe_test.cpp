// What a type of plugin tells about itself.
#include "libgateway/plugin/describe.hpp"

#include "tests/support/catch.hpp"

using namespace gateway;

namespace {

class Stamp final : public Plugin {
public:
    struct Settings {
        std::string token, text = "x";
    };
    static constexpr std::string_view name = "stamp", version = "2.1";
    static constexpr int priority = 5;
    static constexpr OnError on_error = OnError::closed;
    static constexpr auto schema =
        config::fields(config::field("token", &Settings::token, "a secret", config::required, config::encrypted),
                       config::field("text", &Settings::text, "a text", config::length(1, 9)))
            .closed_plugin();
    Stamp(Settings, BuildScope&) {}
    Step access(Exchange&) const override { return Verdict::next; }
    Step log(Exchange&) const override { return Verdict::next; }
};

class Door final : public Plugin {
public:
    struct Settings {
        bool hide = false;
    };
    struct Credential {
        std::string key;
        static constexpr auto schema =
            config::fields(config::field("key", &Credential::key, "the key", config::required, config::encrypted));
    };
    static constexpr std::string_view name = "door", credential_key = "key";
    static constexpr int priority = 6;
    static constexpr bool is_auth = true;
    static constexpr auto schema = config::fields(config::field("hide", &Settings::hide, "hides"));
    Door(Settings, BuildScope&) {}
    Step rewrite(Exchange&) const override { return Verdict::next; }
};

std::string text_of(const json::Value& value, std::string_view name) {
    return json::write(*value.find(name));
}

}  // namespace

TEST_CASE("describe: phases, places and version come from the class", "[plugin][describe]") {
    const json::Value stamp = summary_of(plugin_type<Stamp>()), door = summary_of(plugin_type<Door>());
    CHECK(json::write(stamp) ==
          R"({"name":"stamp","type":"","priority":5,"version":"2.1","scope":"http","phases":["access","log"],)"
          R"("places":["route","service","plugin_config","global_rule","consumer","consumer_group"],)"
          R"("on_error":"closed"})");
    CHECK(text_of(door, "type") == R"("auth")");
    CHECK(text_of(door, "version") == R"("0.1")");
    CHECK(text_of(door, "places") == R"(["route","service","plugin_config","global_rule","consumer","credential"])");
}

TEST_CASE("describe: the schema, its rows and its secrets are one source", "[plugin][describe]") {
    const json::Value stamp = description_of(plugin_type<Stamp>());
    const json::Value& schema = *stamp.find("schema");
    CHECK(json::write(*schema.find("properties")->find("token")) ==
          R"({"type":"string","description":"a secret","encrypted":true})");
    CHECK(schema.find("properties")->find("_meta"));
    CHECK(text_of(schema, "additionalProperties") == "false");
    CHECK(text_of(*stamp.find("encrypt_fields"), "schema") == R"(["token"])");
    const json::Value& rows = *stamp.find("fields")->find("schema");
    REQUIRE(rows.size() == 2);
    CHECK(json::write(rows.items()[0]) == R"({"field":"token","type":"string","limits":"","default":"required",)"
                                          R"("encrypted":true,"effect":"a secret"})");
    CHECK(text_of(rows.items()[1], "default") == R"("\"x\"")");
    CHECK_FALSE(stamp.find("consumer_schema"));
}

TEST_CASE("describe: a credential has a schema of its own", "[plugin][describe]") {
    const json::Value door = description_of(plugin_type<Door>());
    CHECK(text_of(*door.find("consumer_schema"), "required") == R"(["key"])");
    CHECK(text_of(*door.find("encrypt_fields"), "consumer_schema") == R"(["key"])");
    CHECK(text_of(*door.find("encrypt_fields"), "schema") == "[]");
}
