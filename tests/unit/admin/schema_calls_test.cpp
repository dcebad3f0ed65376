#include "libgateway/admin/schema_calls.hpp"

#include "libgateway/plugin/registry.hpp"
#include "libgateway/schema/schema.hpp"
#include "tests/support/admin_client.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::test;

TEST_CASE("schema calls: every kind of this build has a schema", "[admin][schema_calls]") {
    AdminClient client;
    for (const char* name : {"route", "service", "upstream", "consumer", "consumer_group", "plugin_config",
                             "global_rule", "credential", "plugins", "id_schema"}) {
        const auto reply = client.ask("GET", std::string("/schema/") + name);
        INFO(name);
        REQUIRE(reply.status == 200);
        REQUIRE_THAT(reply.body, !contains("IPv4 or IPv6"));
    }
    REQUIRE(client.ask("GET", "/schema/nothing").status == 400);
    REQUIRE_THAT(client.ask("GET", "/schema/nothing").body, contains("not found schema: nothing"));
}

TEST_CASE("schema calls: the schemas accept and refuse as the checks do", "[admin][schema_calls]") {
    const auto [kind, body, good] = GENERATE(table<std::string, std::string, bool>({
        {"route", R"({"uri":"/a","plugins":{},"remote_addr":"10.0.0.0/8"})", true},
        {"route", R"({"uri":"/a","plugins":{},"remote_addr":"::1"})", true},
        {"route", R"({"uri":"/a","plugins":{},"remote_addr":"x"})", false},
        {"route", R"({"uri":"/a","plugins":{},"what":1})", false},
        {"route", R"({"uri":"/a"})", false},
        {"upstream", R"({"nodes":{"a:1":1}})", true},
        {"upstream", R"({"nodes":{"a:1":-1}})", false},
        {"proto", R"({"content":"x","labels":{"a":"b"}})", true},
        {"proto", R"({"content":""})", false},
        {"stream_route", R"({"server_port":9100,"remote_addr":"::1","protocol":{"name":"redis"}})", true},
        {"stream_route", R"({"server_port":0})", false},
        {"consumer", R"({"username":"a b"})", false},
        {"consumer_group", "{}", false},
    }));
    json::Value document = admin::schema_document(kind);
    const schema::Schema compiled(document);
    json::Value value = json::parse(body);
    INFO(kind << " " << body);
    REQUIRE(compiled.check(value).empty() == good);
}

TEST_CASE("schema calls: plugins are listed by priority and described", "[admin][schema_calls]") {
    AdminClient client;
    const auto names = json::parse(client.ask("GET", "/plugins/list").body);
    REQUIRE(names.size() > 10);
    int last = INT32_MAX;
    for (const json::Value& name : names.items()) {
        const int priority = plugin_registry().find(name.string())->priority;
        REQUIRE(priority <= last);
        last = priority;
    }
    REQUIRE(client.ask("GET", "/plugins/list?subsystem=stream").body == "[]\n");
    const auto wrong = client.ask("GET", "/plugins/list?subsystem=x");
    REQUIRE(wrong.status == 400);
    REQUIRE(wrong.body == "invalid subsystem passed");
    const auto all = json::parse(client.ask("GET", "/plugins?all=true").body);
    REQUIRE(all.size() == names.size());
    REQUIRE(all.find("key-auth")->find("type")->string() == "auth");
    REQUIRE(all.find("http-logger")->find("metadata_schema"));
}

TEST_CASE("schema calls: one plugin's schema, and that of its credentials", "[admin][schema_calls]") {
    AdminClient client;
    const auto schema = json::parse(client.ask("GET", "/plugins/limit-count").body);
    REQUIRE(schema.find("properties")->find("_meta"));
    REQUIRE(client.ask("GET", "/schema/plugins/limit-count").body == client.ask("GET", "/plugins/limit-count").body);
    const auto credential = json::parse(client.ask("GET", "/plugins/key-auth?schema_type=consumer").body);
    REQUIRE(credential.find("properties")->find("key"));
    const auto answers = [&](const char* target) { return client.ask("GET", target).body; };
    REQUIRE(answers("/plugins/limit-count?schema_type=consumer") == "{\"error_msg\":\"not found schema\"}\n");
    REQUIRE(answers("/plugins/nope") == "{\"error_msg\":\"plugin not found in subsystem http\"}\n");
    REQUIRE(answers("/plugins/limit-count?subsystem=stream") ==
            "{\"error_msg\":\"plugin not found in subsystem stream\"}\n");
    REQUIRE(answers("/plugins/limit-count?subsystem=x") == "{\"error_msg\":\"unsupported subsystem: x\"}\n");
}

TEST_CASE("schema calls: a plugin that is not in the plugin list is not found", "[admin][schema_calls]") {
    AdminClient client;
    client.objects.enabled_plugins = std::vector<std::string>{"key-auth"};
    REQUIRE(client.ask("GET", "/plugins/list").body == "[\"key-auth\"]\n");
    REQUIRE(client.ask("GET", "/plugins/limit-count").status == 404);
    REQUIRE_THAT(client.ask("PUT", "/routes/1", R"({"uri":"/","plugins":{"limit-count":{}}})").body,
                 contains("unknown plugin [limit-count]"));
}

TEST_CASE("schema calls: a reload of plugins wants PUT", "[admin][schema_calls]") {
    AdminClient client;
    REQUIRE(client.ask("PUT", "/plugins/reload").body == "done");
    const auto wrong = client.ask("GET", "/plugins/reload");
    REQUIRE(wrong.status == 405);
    REQUIRE_THAT(wrong.body, contains("please use PUT method to reload the plugins, GET method is not allowed."));
}
