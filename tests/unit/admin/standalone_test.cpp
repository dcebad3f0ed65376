#include "libgateway/admin/standalone.hpp"

#include "libgateway/config/yaml_reader.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/memory_configuration.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

constexpr const char* one_route = R"({"routes":[{"id":"1","uri":"/a","plugins":{}}]})";

admin::NextConfiguration next(const std::string& current, const std::string& body) {
    const json::Value known = current.empty() ? json::Value() : json::parse(current);
    return admin::next_configuration(current.empty() ? nullptr : &known, json::parse(body), "d", 1700000000);
}
std::string text(const json::Value& value, std::string_view name) {
    const json::Value* found = value.find(name);
    return found ? json::write(*found) : "absent";
}

}  // namespace

TEST_CASE("standalone: the version of a list decides what becomes of it", "[admin][standalone]") {
    const std::string current = R"({"routes":[{"id":"1"}],"routes_conf_version":5,"services_conf_version":2})";
    const auto [body, items, version] = GENERATE(table<std::string, std::string, std::string>({
        {R"({"routes":[{"id":"2"}],"routes_conf_version":6})", R"([{"id":"2"}])", "6"},
        {R"({"routes":[{"id":"2"}],"routes_conf_version":5})", R"([{"id":"1"}])", "5"},
        {R"({"routes_conf_version":5})", R"([{"id":"1"}])", "5"},
        {R"({"routes":[{"id":"2"}]})", R"([{"id":"2"}])", "6"},
        {R"({"routes_conf_version":9})", "absent", "9"},
        {R"({"routes":[],"routes_conf_version":9})", "absent", "9"},
        {"{}", "absent", "6"},
    }));
    INFO(body);
    const admin::NextConfiguration made = next(current, body);
    REQUIRE(made.refusal.empty());
    CHECK(text(made.value, "routes") == items);
    CHECK(text(made.value, "routes_conf_version") == version);
    CHECK(text(made.value, "services_conf_version") == "3");
    CHECK(text(made.value, "plugins_conf_version") == "1");
    CHECK(text(made.value, "X-Digest") == "\"d\"");
    CHECK(text(made.value, "X-Last-Modified") == "1700000000");
}

TEST_CASE("standalone: versions that go back or are none are refused", "[admin][standalone]") {
    const std::string current = R"({"routes_conf_version":5})";
    const auto [body, refusal] = GENERATE(table<std::string, std::string>({
        {R"({"routes_conf_version":4})", "routes_conf_version must be greater than or equal to (5)"},
        {R"({"services_conf_version":-1})", "services_conf_version must be greater than or equal to (0)"},
        {R"({"routes_conf_version":"6"})", "routes_conf_version must be a number"},
        {R"({"routes_conf_version":null})", "routes_conf_version must be a number"},
        {R"({"routes_conf_version":6.5})", "routes_conf_version must be a whole number that can be counted up"},
        {R"({"routes_conf_version":9223372036854775807})",
         "routes_conf_version must be a whole number that can be counted up"},
        {"[]", "invalid request body: expected an object of lists"},
    }));
    INFO(body);
    CHECK(next(current, body).refusal == refusal);
}

TEST_CASE("standalone: a configuration is put, shown and put again", "[admin][standalone]") {
    StandaloneClient client;
    const admin::Reply never = client.ask("GET", "/configs");
    REQUIRE(never.status == 200);
    const json::Value fresh = json::parse(never.body);
    CHECK(fresh.size() == 13);
    CHECK(text(fresh, "routes_conf_version") == "0");
    CHECK(field_of(never, "X-Digest").empty());

    const admin::Reply put = client.put("one", one_route);
    INFO(put.body);
    REQUIRE(put.status == 202);
    CHECK(put.body.empty());
    CHECK(field_of(put, "X-Digest") == "one");
    CHECK(std::stoll(field_of(put, "X-Last-Modified")) > 1700000000);
    const admin::Reply shown = client.ask("GET", "/configs");
    const json::Value value = json::parse(shown.body);
    CHECK(text(value, "routes") == R"([{"id":"1","uri":"/a","plugins":{}}])");
    CHECK(text(value, "routes_conf_version") == "1");
    CHECK(text(value, "X-Digest") == "\"one\"");
    CHECK(text(value, "X-Last-Modified") == field_of(put, "X-Last-Modified"));
    CHECK(field_of(shown, "X-Digest") == "one");
    CHECK(field_of(client.ask("HEAD", "/configs"), "X-Last-Modified") == field_of(put, "X-Last-Modified"));

    SECTION("the same digest changes nothing, whatever the body says") {
        CHECK(client.put("one", "{").status == 204);
        CHECK(client.whole.taken == 1);
    }
    SECTION("what is shown can be put") {
        CHECK(client.put("two", shown.body).status == 202);
        CHECK(text(*client.whole.now, "routes") == text(value, "routes"));
    }
    SECTION("without a digest nothing is read") {
        const admin::Reply none = client.ask("PUT", "/configs", "{");
        CHECK(none.status == 400);
        CHECK(none.body == "{\"error_msg\":\"missing digest header\"}\n");
    }
}

TEST_CASE("standalone: JSON and YAML come and go", "[admin][standalone]") {
    StandaloneClient client;
    const char* yaml = "routes:\n  - {id: 1, uri: /a, plugins: {}}\nroutes_conf_version: 12345678901234567\n";
    REQUIRE(client.put("y", yaml, {{"Content-Type", "application/yaml; charset=utf-8"}}).status == 202);
    const json::Value as_json = json::parse(client.ask("GET", "/configs").body);
    CHECK(text(as_json, "routes_conf_version") == "12345678901234567");
    const admin::Reply shown = client.ask("GET", "/configs", {}, {{"Accept", "application/yaml"}});
    CHECK(shown.content_type == "application/yaml");
    CHECK_THAT(shown.body, contains("routes:\n  - id: 1\n"));
    CHECK(json::equal(config::read_yaml(shown.body), as_json));
}

TEST_CASE("standalone: what is wrong with a body is told, and nothing changes", "[admin][standalone]") {
    StandaloneClient client;
    const auto [body, error] = GENERATE(table<std::string, std::string>({
        {"", "invalid request body: empty request body"},
        {R"({"routes":[{"id":"1","uri":"/a","plugins":{}},{"id":"2","uri":1,"plugins":{}}]})",
         "invalid routes at index 1, err: invalid configuration: property \\\"uri\\\" validation failed: wrong type: "
         "expected string, got number"},
        {R"({"routes":[{"id":"1","uri":"/a","plugins":{}},{"id":1,"uri":"/b","plugins":{}}]})",
         "found duplicate id 1 in routes"},
        {R"({"consumers":[{"username":"a"},{"username":"a"}]})", "found duplicate username a in consumers"},
        {R"({"consumers":[{"username":"a"},{"id":"a/credentials/c","plugins":{"key-auth":{"key":"1"}}},
            {"id":"a/credentials/c","plugins":{"key-auth":{"key":"2"}}}]})",
         "found duplicate credential id a/credentials/c in consumers"},
        {R"({"secrets":[{"id":"vault","uri":"http://a","prefix":"p","token":"t"}]})", "invalid secret id: vault"},
        {R"({"secrets":[{"id":"kms/1"}]})", "invalid secret id: kms/1"},
        {R"({"routes":{"id":"1"}})", "invalid routes, err: wrong type: expected array"},
        {R"({"rutes":[]})", "invalid rutes, err: unknown resource type"},
        {R"({"ssls":[{}]})", "invalid ssls at index 0, err: invalid configuration: then clause did not match"},
        {R"({"plugins":[{"stream":true}]})", "invalid plugins at index 0, err: property \\\"name\\\" is required"},
        {R"({"plugins":[{"name":"mocking"}],"routes":[{"id":"1","uri":"/a","plugins":{"key-auth":{}}}]})",
         "invalid routes at index 0, err: unknown plugin [key-auth]"},
        {R"({"routes":[{"id":"1","uri":"/a","plugins":{},"modifiedIndex":"x"}]})",
         "invalid routes at index 0, err: property \\\"modifiedIndex\\\" validation failed: wrong type: expected "
         "integer, got string"},
        {R"({"routes_conf_version":"1"})", "routes_conf_version must be a number"},
    }));
    const admin::Reply reply = client.put("d", body);
    INFO(body);
    CHECK(reply.status == 400);
    CHECK(reply.body == "{\"error_msg\":\"" + error + "\"}\n");
    CHECK(client.whole.taken == 0);
}

TEST_CASE("standalone: bodies that cannot be read are told", "[admin][standalone]") {
    StandaloneClient client;
    CHECK_THAT(client.put("d", "{\"routes\"").body, contains("\"error_msg\":\"invalid request body: "));
    for (const char* yaml : {"routes: [", "just text", "a: b: c"}) {
        CHECK(client.put("d", yaml, {{"Content-Type", "application/yaml"}}).body ==
              "{\"error_msg\":\"invalid request body: invalid yaml request body\"}\n");
    }
}

TEST_CASE("standalone: validation checks a body as PUT does, and takes nothing", "[admin][standalone]") {
    StandaloneClient client;
    CHECK(client.ask("POST", "/configs/validate", one_route).body == "{}\n");
    const auto wrong = client.ask("POST", "/configs/validate", R"({"routes_conf_version":"1","routes":[{}]})");
    CHECK(wrong.status == 400);
    const json::Value errors = *json::parse(wrong.body).find("errors");
    REQUIRE(errors.size() == 2);
    CHECK(errors.items()[0].find("error")->string() == "routes_conf_version must be a number, got string");
    CHECK(errors.items()[0].find("resource_type")->string() == "routes");
    CHECK(client.ask("POST", "/configs/validate", "routes: []\n", {{"Content-Type", "application/yaml"}}).status ==
          200);
    CHECK(client.whole.taken == 0);
}

TEST_CASE("standalone: everything else is a page of 404, and the key counts first", "[admin][standalone]") {
    StandaloneClient client;
    for (const char* request : {"GET /routes", "PUT /routes/1", "DELETE /configs", "POST /configs", "PATCH /configs",
                                "GET /configs/validate", "PUT /configs/validate", "HEAD /routes", "GET /plugins/list",
                                "PUT /plugins/reload", "GET /schema/route", "GET /ui/status", "GET "}) {
        const std::string text = request;
        const auto reply = client.ask(text.substr(0, text.find(' ')), text.substr(text.find(' ') + 1), "{}");
        INFO(request);
        CHECK(reply.status == 404);
        CHECK_THAT(reply.body, contains("404 Not Found"));
    }
    CHECK(client.raw({"HEAD", "/apisix/admin", {}, {}, "127.0.0.1"}).status == 200);
    CHECK(client.raw({"GET", "/apisix/admin/configs", {}, {}, "127.0.0.1"}).status == 401);
    CHECK(client.raw({"PUT", "/apisix/admin/configs", "{}", {{"X-API-KEY", "looking"}}, "127.0.0.1"}).status == 401);
}

TEST_CASE("standalone: who loses a race is judged by the versions of the winner", "[admin][standalone]") {
    StandaloneClient client;
    REQUIRE(client.put("one", one_route).status == 202);
    client.whole.before_replace = [&] { client.whole.set(R"({"routes_conf_version":7,"X-Digest":"other"})"); };
    const auto late = client.put("two", R"({"routes":[],"routes_conf_version":6})");
    CHECK(late.status == 400);
    CHECK_THAT(late.body, contains("routes_conf_version must be greater than or equal to (7)"));
    client.whole.before_replace = [&] { client.whole.set(R"({"routes_conf_version":8,"X-Digest":"third"})"); };
    CHECK(client.put("four", one_route).status == 202);
    CHECK(text(*client.whole.now, "routes_conf_version") == "9");
}

TEST_CASE("standalone: a change that workers refuse, a closed control and lagging workers are told",
          "[admin][standalone]") {
    StandaloneClient client;
    client.whole.answer = {store::WriteStatus::refused, {"worker 0: no"}, 0, {}, {}};
    CHECK(client.put("a", one_route).body == "{\"error_msg\":\"worker 0: no\"}\n");
    client.whole.answer = {store::WriteStatus::ok, {}, 0, {}, {77}};
    CHECK(field_of(client.put("b", one_route), "X-Gateway-Pending") == "77");
    client.objects.closed_because = "not now";
    CHECK(client.put("c", one_route).status == 503);
}
