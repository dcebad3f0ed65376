#include "libgateway/admin/admin_api.hpp"

#include "tests/support/admin_client.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::test;
using config::Kind;

namespace {

constexpr const char* route = R"({"uri":"/a","upstream":{"nodes":{"127.0.0.1:80":1}}})";

std::string error_of(const admin::Reply& reply) {
    const json::Value body = json::parse(reply.body);
    const json::Value* text = body.find("error_msg");
    return text ? text->string() : std::string();
}

admin::Request from(std::string peer, std::string method, std::string target) {
    return {std::move(method), std::move(target), {}, {}, std::move(peer)};
}

}  // namespace

TEST_CASE("access: peers outside of the allow list get the page of 403", "[admin][access]") {
    AdminClient client;
    const auto reply = client.raw(from("192.0.2.1", "GET", "/apisix/admin/routes"));
    REQUIRE(reply.status == 403);
    REQUIRE_THAT(reply.body, contains("403 Forbidden"));
    REQUIRE(client.raw(from("", "GET", "/apisix/admin/routes")).status == 403);
    auto everyone = open_settings();
    everyone.access.networks.clear();
    client.api.use(everyone);
    REQUIRE(client.raw(from("192.0.2.1", "GET", "/apisix/admin/routes")).status == 401);
}

TEST_CASE("access: the key is taken from parameter, header or cookie, in this order", "[admin][access]") {
    AdminClient client;
    const auto ask = [&](std::string target, admin::Fields fields) {
        return client.raw({"GET", std::move(target), {}, std::move(fields), "127.0.0.1"}).status;
    };
    REQUIRE(ask("/apisix/admin/routes?api_key=secret", {{"X-API-KEY", "wrong"}}) == 200);
    REQUIRE(ask("/apisix/admin/routes?api_key=wrong", {{"X-API-KEY", "secret"}}) == 401);
    REQUIRE(ask("/apisix/admin/routes", {{"x-api-key", "secret"}, {"Cookie", "x_api_key=wrong"}}) == 200);
    REQUIRE(ask("/apisix/admin/routes", {{"x_api_key", "secret"}}) == 200);
    REQUIRE(ask("/apisix/admin/routes", {{"Cookie", "a=b; x_api_key=secret"}}) == 200);
    REQUIRE(ask("/apisix/admin/routes", {{"X-API-KEY", ""}}) == 401);
}

TEST_CASE("access: an empty key opens nothing, and without a key check everything is open", "[admin][access]") {
    auto settings = open_settings();
    settings.access.keys = {{"admin", "", admin::Role::admin}};
    AdminClient client(settings);
    REQUIRE(client.raw({"GET", "/apisix/admin/routes", {}, {{"X-API-KEY", ""}}, "127.0.0.1"}).status == 401);
    settings.access.key_required = false;
    client.api.use(settings);
    REQUIRE(client.raw({"GET", "/apisix/admin/routes", {}, {}, "127.0.0.1"}).status == 200);
}

TEST_CASE("access: a viewer changes nothing, whatever it asks", "[admin][access]") {
    AdminClient client;
    REQUIRE(client.ask("PUT", "/routes/1", route).status == 201);
    const auto method = GENERATE("PUT", "POST", "PATCH", "DELETE");
    const auto target = GENERATE("/routes/1", "/routes", "/consumers", "/configs", "/configs/validate",
                                 "/plugins/reload", "/schema/validate/routes", "/nothing");
    client.objects.authors.clear();
    const auto reply =
        client.raw({method, std::string("/apisix/admin") + target, route, {{"X-API-KEY", "looking"}}, "127.0.0.1"});
    REQUIRE(reply.status == 401);
    REQUIRE_THAT(reply.body, contains("invalid method for role viewer"));
    REQUIRE(client.objects.authors.empty());
}

TEST_CASE("Admin API: liveness and preflight need no key", "[admin][admin_api]") {
    AdminClient client;
    REQUIRE(client.raw(from("127.0.0.1", "HEAD", "/apisix/admin")).status == 200);
    const auto preflight = client.raw(from("127.0.0.1", "OPTIONS", "/any"));
    REQUIRE(preflight.status == 200);
    REQUIRE(preflight.body.empty());
    REQUIRE(field_of(preflight, "Access-Control-Allow-Methods") == "POST, GET, PUT, OPTIONS, DELETE, PATCH");
    auto closed = open_settings();
    closed.cors = false;
    client.api.use(closed);
    REQUIRE(client.raw(from("127.0.0.1", "OPTIONS", "/apisix/admin/routes")).status == 404);
}

TEST_CASE("Admin API: what is not below its prefix is a page", "[admin][admin_api]") {
    AdminClient client;
    for (const char* target : {"/", "/apisix/administrator", "/apisix", "/status"}) {
        const auto reply = client.raw(from("127.0.0.1", "GET", target));
        REQUIRE(reply.status == 404);
        REQUIRE(reply.content_type == "text/html; charset=utf-8");
    }
}

TEST_CASE("Admin API: every answer has the common fields", "[admin][admin_api]") {
    AdminClient client;
    const admin::Reply reply = client.ask("GET", "/routes");
    REQUIRE(field_of(reply, "X-API-VERSION") == "v3");
    REQUIRE(field_of(client.ask("GET", "/routes/none"), "X-API-VERSION") == "v3");
    REQUIRE(field_of(reply, "Server") == "gateway");
    REQUIRE(field_of(reply, "Access-Control-Expose-Headers") == "*");
    REQUIRE(reply.content_type == "application/json");
    REQUIRE(reply.body.back() == '\n');
}

TEST_CASE("Admin API: version 2 answers as 2.x clients read", "[admin][envelope]") {
    auto settings = open_settings();
    settings.version = admin::Version::v2;
    AdminClient client(settings);
    const auto made = json::parse(client.ask("PUT", "/routes/1", route).body);
    REQUIRE(made.find("action")->string() == "set");
    REQUIRE(made.find("node")->find("key")->string() == "/apisix/routes/1");
    REQUIRE(json::parse(client.ask("POST", "/routes", route).body).find("action")->string() == "create");
    REQUIRE(json::parse(client.ask("PATCH", "/routes/1", R"({"desc":"x"})").body).find("action")->string() ==
            "compareAndSwap");
    const auto list = json::parse(client.ask("GET", "/routes?page=1&page_size=10&name=nothing").body);
    REQUIRE(list.find("count")->number() == "2");
    REQUIRE(list.find("node")->find("dir")->boolean());
    REQUIRE(list.find("node")->find("nodes")->size() == 2);
    const auto one = client.ask("GET", "/routes/1");
    REQUIRE(json::parse(one.body).find("node")->find("value")->find("uri")->string() == "/a");
    REQUIRE(field_of(one, "X-API-VERSION") == "v2");
    REQUIRE(client.ask("DELETE", "/routes/1").body ==
            "{\"deleted\":\"1\",\"node\":{\"key\":\"/apisix/routes/1\"},\"action\":\"delete\"}\n");
}

TEST_CASE("Admin API: secrets are stored encrypted, shown in GET and not in the answer of the write",
          "[admin][secret_fields]") {
    AdminClient client;
    const auto written =
        client.ask("PUT", "/consumers", R"({"username":"jack","plugins":{"key-auth":{"key":"open sesame"}}})");
    REQUIRE(written.status == 201);
    REQUIRE_THAT(written.body, contains("\"v2:"));
    REQUIRE_THAT(written.body, !contains("open sesame"));
    REQUIRE_THAT(client.objects.text(Kind::consumer, "jack"), !contains("open sesame"));
    REQUIRE_THAT(client.ask("GET", "/consumers/jack").body, contains("open sesame"));
    REQUIRE_THAT(client.ask("GET", "/consumers").body, contains("open sesame"));
    SECTION("what was encrypted may be sent back") {
        const json::Value shown = json::parse(written.body);
        const json::Value* again = shown.find("value")->find("plugins")->find("key-auth")->find("key");
        const auto body = R"({"username":"jack","plugins":{"key-auth":{"key":")" + again->string() + R"("}}})";
        REQUIRE(client.ask("PUT", "/consumers", body).status == 200);
        REQUIRE_THAT(client.ask("GET", "/consumers/jack").body, contains("open sesame"));
    }
}

TEST_CASE("Admin API: PATCH opens secrets, merges and closes them again", "[admin][secret_fields]") {
    AdminClient client;
    REQUIRE(client
                .ask("PUT", "/plugin_configs/1",
                     R"({"plugins":{"http-logger":{"uri":"http://a/","auth_header":"Basic abc"}}})")
                .status == 201);
    REQUIRE(client.ask("PATCH", "/plugin_configs/1", R"({"plugins":{"http-logger":{"timeout":5}}})").status == 200);
    const auto stored = client.objects.text(Kind::plugin_config, "1");
    const auto shown = client.ask("GET", "/plugin_configs/1").body;
    REQUIRE_THAT(shown, contains("\"auth_header\":\"Basic abc\""));
    REQUIRE_THAT(shown, contains("\"timeout\":5"));
}

TEST_CASE("Admin API: If-Match holds a write to the version that was read", "[admin][object_calls]") {
    AdminClient client;
    client.ask("PUT", "/routes/1", route);
    const auto index = json::parse(client.ask("GET", "/routes/1").body).find("modifiedIndex")->number();
    const auto method = GENERATE(as<std::string>(), "PUT", "PATCH", "DELETE");
    REQUIRE(client.ask(method, "/routes/1", route, {{"If-Match", "1"}}).status == 412);
    REQUIRE(client.ask(method, "/routes/none", route, {{"If-Match", "*"}}).status == (method == "PUT" ? 412 : 404));
    REQUIRE(client.ask(method, "/routes/1", route, {{"If-Match", "what"}}).status == 400);
    SECTION("the race is lost while the write waits") {
        client.objects.before_write = [&] { client.objects.put(Kind::route, "1", route); };
        REQUIRE(client.ask(method, "/routes/1", route, {{"If-Match", index}}).status == 412);
    }
    SECTION("in quotes and without") {
        const bool quoted = GENERATE(false, true);
        const std::string text = quoted ? "\"" + index + "\"" : index;
        const auto reply = client.ask(method, "/routes/1", route, {{"If-Match", text}});
        INFO(text << " " << reply.body);
        REQUIRE(reply.status == 200);
    }
}

TEST_CASE("Admin API: a PATCH that lost the race says so", "[admin][object_calls]") {
    AdminClient client;
    client.ask("PUT", "/routes/1", route);
    client.objects.before_write = [&] { client.objects.put(Kind::route, "1", route); };
    const auto reply = client.ask("PATCH", "/routes/1", R"({"desc":"x"})");
    REQUIRE(reply.status == 503);
    REQUIRE(error_of(reply) == "value changed before overwritten");
}

TEST_CASE("Admin API: POST finds an id that is free", "[admin][object_calls]") {
    AdminClient client;
    client.objects.before_write = [&] {
        client.objects.put(Kind::route, "00000000000000000041", R"({"uri":"/mine","plugins":{}})");
    };
    const auto reply = client.ask("POST", "/routes", route);
    REQUIRE(reply.status == 201);
    REQUIRE_THAT(reply.body, contains("/apisix/routes/00000000000000000042"));
    REQUIRE_THAT(client.objects.text(Kind::route, "00000000000000000041"), contains("/mine"));
}

TEST_CASE("Admin API: PATCH sets the time of change, and may carry times", "[admin][object_calls]") {
    AdminClient client;
    client.ask("PUT", "/routes/1", route);
    const auto value_of = [&](const admin::Reply& reply) { return *json::parse(reply.body).find("value"); };
    const auto carried = value_of(client.ask("PATCH", "/routes/1", R"({"create_time":5,"update_time":6})"));
    REQUIRE(carried.find("create_time")->number() == "5");
    REQUIRE(carried.find("update_time")->number() == "6");
    const auto touched = value_of(client.ask("PATCH", "/routes/1", R"({"desc":"x"})"));
    REQUIRE(touched.find("create_time")->number() == "5");
    REQUIRE(touched.find("update_time")->number() != "6");
    const auto kept = value_of(client.ask("PUT", "/routes/1", route));
    REQUIRE(kept.find("create_time")->number() == "5");
}

TEST_CASE("Admin API: the result of a PATCH is checked as a whole", "[admin][object_calls]") {
    AdminClient client;
    client.ask("PUT", "/routes/1", route);
    REQUIRE(error_of(client.ask("PATCH", "/routes/1", R"({"uri":1})")) ==
            "invalid configuration: property \"uri\" validation failed: wrong type: expected string, got number");
    REQUIRE(error_of(client.ask("PATCH", "/routes/1", R"({"id":"2"})")) == "wrong route id");
    REQUIRE(error_of(client.ask("PATCH", "/routes/1", R"({"upstream_id":"9"})")) ==
            "failed to fetch upstream info by upstream id [9], response code: 404");
    REQUIRE(client.ask("PATCH", "/routes/1/id", "null").status == 200);
    REQUIRE_THAT(client.objects.text(Kind::route, "1"), contains("\"id\":\"1\""));
}

TEST_CASE("Admin API: objects of the route file are shown and not changed", "[admin][object_calls]") {
    AdminClient client;
    client.objects.put(Kind::route, "1", R"({"id":"1","uri":"/a","plugins":{}})");
    client.objects.owned[{Kind::route, "1"}] = "routes.yaml:12";
    REQUIRE(client.ask("GET", "/routes/1").status == 200);
    for (const char* method : {"PUT", "PATCH", "DELETE"}) {
        const auto reply = client.ask(method, "/routes/1", route);
        REQUIRE(reply.status == 400);
        REQUIRE(error_of(reply) == "route [1] is defined in routes.yaml:12");
    }
}

TEST_CASE("Admin API: a store that cannot be written, a closed control and lagging workers are told",
          "[admin][object_calls]") {
    AdminClient client;
    SECTION("lagging") {
        client.objects.next_answer.lagging = {11, 12};
        const auto reply = client.ask("PUT", "/routes/1", route);
        REQUIRE(reply.status == 201);
        REQUIRE(field_of(reply, "X-Gateway-Pending") == "11, 12");
    }
    SECTION("the store") {
        client.objects.next_answer.status = store::WriteStatus::unavailable;
        client.objects.next_answer.errors = {"the disk is full"};
        const auto reply = client.ask("PUT", "/routes/1", route);
        REQUIRE(reply.status == 503);
        REQUIRE(error_of(reply) == "the disk is full");
    }
    SECTION("closed") {
        client.objects.closed_because = "a new binary is starting";
        REQUIRE(client.ask("PUT", "/routes/1", route).status == 503);
        REQUIRE(client.ask("GET", "/routes").status == 200);
    }
    SECTION("refused by control") {
        client.objects.next_answer.status = store::WriteStatus::refused;
        client.objects.next_answer.errors = {"limit-count: another count"};
        const auto reply = client.ask("PUT", "/routes/1", route);
        REQUIRE(reply.status == 400);
        REQUIRE(error_of(reply) == "limit-count: another count");
    }
}

TEST_CASE("Admin API: a change is written under the name of its key", "[admin][object_calls]") {
    AdminClient client;
    client.ask("PUT", "/routes/1", route);
    REQUIRE(client.objects.authors.size() == 1);
    REQUIRE(client.objects.authors[0].name == "admin");
    REQUIRE(client.objects.authors[0].from == "127.0.0.1");
}

TEST_CASE("Admin API: a body that is too large is refused with its size", "[admin][admin_api]") {
    AdminClient client;
    const auto reply = client.ask("PUT", "/routes/1", std::string(1572865, ' '));
    REQUIRE(reply.status == 400);
    REQUIRE(error_of(reply) ==
            "invalid request body: request size 1572865 is greater than the maximum size 1572864 allowed");
}
