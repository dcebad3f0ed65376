#include "libgateway/admin/bulk.hpp"

#include "tests/support/admin_client.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::test;
using config::Kind;

namespace {

constexpr const char* two = R"({"routes":[{"id":1,"uri":"/a","plugins":{}}],
  "consumers":[{"username":"jack"},{"id":"jack/credentials/c1","plugins":{"key-auth":{"key":"k"}}}],
  "plugin_metadata":[{"id":"http-logger","log_format":{"h":"$host"}}],"routes_conf_version":7})";

}  // namespace

TEST_CASE("bulk: many objects are one revision", "[admin][bulk]") {
    AdminClient client;
    const auto reply = client.ask("PUT", "/configs", two);
    INFO(reply.body);
    REQUIRE(reply.status == 200);
    REQUIRE(reply.body == "{\"revision\":41,\"applied\":4,\"deleted\":0,\"unchanged\":0}\n");
    REQUIRE(client.objects.authors.size() == 1);
    REQUIRE(client.ask("GET", "/consumers/jack/credentials/c1").status == 200);
    REQUIRE_THAT(client.objects.text(Kind::consumer, "jack/credentials/c1"), !contains("\"k\""));
    SECTION("what is the same is not written again") {
        REQUIRE(client.ask("PUT", "/configs", two).body ==
                "{\"revision\":41,\"applied\":0,\"deleted\":0,\"unchanged\":4}\n");
        REQUIRE(client.objects.authors.size() == 1);
    }
    SECTION("what is not named stays, or goes with prune") {
        const char* one = R"({"routes":[{"id":"2","uri":"/b","plugins":{}}]})";
        REQUIRE(client.ask("PUT", "/configs", one).status == 200);
        REQUIRE(client.ask("GET", "/routes/1").status == 200);
        REQUIRE(client.ask("PUT", "/configs?prune=true", one).status == 200);
        REQUIRE(client.ask("GET", "/routes/1").status == 404);
        REQUIRE(client.ask("GET", "/routes/2").status == 200);
        REQUIRE(client.ask("GET", "/consumers/jack").status == 404);
    }
}

TEST_CASE("bulk: one mistake, and nothing is applied; all mistakes are told", "[admin][bulk]") {
    AdminClient client;
    const auto target = GENERATE("PUT /configs", "POST /configs/validate");
    const std::string text = target;
    const auto reply = client.ask(text.substr(0, text.find(' ')), text.substr(text.find(' ') + 1),
                                  R"({"routes":[{"id":"1","uri":"/a","plugins":{}},{"id":"1","uri":"/b","plugins":{}},
        {"uri":"/c","plugins":{}},{"id":"4","uri":4,"plugins":{}}],"secrets":[{}],"nonsense":[],"protos":[],
        "consumers":[{"username":"j"},{"username":"j"}],"upstreams":7})");
    INFO(reply.body);
    REQUIRE(reply.status == 400);
    const json::Value body = json::parse(reply.body);
    REQUIRE(body.find("error_msg")->string() == "Configuration validation failed");
    std::vector<std::string> errors;
    for (const json::Value& error : body.find("errors")->items())
        errors.push_back(error.find("resource_type")->string() + " " + error.find("index")->number() + " " +
                         error.find("error")->string());
    REQUIRE(errors == std::vector<std::string>{
                          "routes 1 found duplicate id 1 in routes",
                          "routes 2 property \"id\" is required",
                          "routes 3 invalid configuration: property \"uri\" validation failed: wrong type: expected "
                          "string, got number",
                          "secrets 0 invalid secret id: ",
                          "nonsense 0 unknown resource type",
                          "consumers 1 found duplicate username j in consumers",
                          "upstreams 0 wrong type: expected array",
                      });
    REQUIRE(client.objects.authors.empty());
}

TEST_CASE("bulk: objects of the route file are not overwritten", "[admin][bulk]") {
    AdminClient client;
    client.objects.put(Kind::route, "1", R"({"id":1,"uri":"/a","plugins":{}})");
    client.objects.owned[{Kind::route, "1"}] = "routes.yaml:2";
    REQUIRE(client.ask("PUT", "/configs?prune=true", R"({"routes":[{"id":1,"uri":"/a","plugins":{}}]})").status == 200);
    const auto reply = client.ask("PUT", "/configs", R"({"routes":[{"id":1,"uri":"/b","plugins":{}}]})");
    REQUIRE(reply.status == 400);
    REQUIRE_THAT(reply.body, contains("route [1] is defined in routes.yaml:2"));
    REQUIRE(client.ask("PUT", "/configs?prune=true", "{}").status == 200);
    REQUIRE(client.ask("GET", "/routes/1").status == 200);
}

TEST_CASE("bulk: what is no document is refused", "[admin][bulk]") {
    AdminClient client;
    REQUIRE(client.ask("PUT", "/configs").status == 400);
    REQUIRE(client.ask("PUT", "/configs", "[1]").status == 400);
    REQUIRE(client.ask("PUT", "/configs", "{").status == 400);
    REQUIRE(client.ask("GET", "/configs").status == 404);
    REQUIRE(client.ask("POST", "/configs/validate", "{}").body == "{}\n");
}
