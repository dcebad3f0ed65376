#include "libgateway/admin/inner_api.hpp"

#include "tests/support/admin_client.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::test;
using config::Kind;

namespace {

struct Inner {
    admin::Reply ask(std::string method, std::string target, admin::Fields fields = {}) {
        admin::Reply reply;
        boost::asio::io_context loop;
        boost::asio::co_spawn(
            loop,
            [&]() -> boost::asio::awaitable<void> {
                admin::Request request{std::move(method), std::move(target), {}, std::move(fields), "127.0.0.1"};
                reply = co_await api.answer(std::move(request));
            },
            [](std::exception_ptr error) {
                if (error) std::rethrow_exception(error);
            });
        loop.run();
        return reply;
    }
    MemoryObjects objects;
    json::Value errors = json::Value::array();
    admin::InnerApi api{objects, {}, {}, [this] { return errors; }};
};

}  // namespace

TEST_CASE("control api: objects in force, one or all", "[admin][inner_api]") {
    Inner inner;
    inner.objects.put(Kind::route, "1", R"({"id":"1","uri":"/a","plugins":{}})");
    inner.objects.put(Kind::plugin_metadata, "http-logger", R"({"log_format":{}})");
    const json::Value all = json::parse(inner.ask("GET", "/v1/routes").body);
    REQUIRE(all.size() == 1);
    REQUIRE(json::equal(all.items()[0], json::parse(inner.ask("GET", "/v1/route/1").body)));
    REQUIRE(all.items()[0].find("key")->string() == "/apisix/routes/1");
    REQUIRE(all.items()[0].find("modifiedIndex")->number() == "41");
    REQUIRE(inner.ask("GET", "/v1/services").body == "[]\n");
    REQUIRE(inner.ask("GET", "/v1/plugin_metadata/http-logger").body == "{\"log_format\":{}}\n");
    REQUIRE(inner.ask("GET", "/v1/route/2").body == "{\"error_msg\":\"route[2] not found\"}\n");
    REQUIRE(inner.ask("GET", "/v1/plugin_metadata/x").body == "{\"error_msg\":\"plugin metadata[x] not found\"}\n");
}

TEST_CASE("control api: it shows no secrets", "[admin][inner_api]") {
    Inner inner;
    inner.objects.put(
        Kind::route, "1",
        R"({"id":"1","uri":"/a","plugins":{"http-logger":{"uri":"http://a","auth_header":"Basic abc"}}})");
    REQUIRE_THAT(inner.ask("GET", "/v1/routes").body, !contains("Basic abc"));
    REQUIRE_THAT(inner.ask("GET", "/v1/route/1").body, contains("\"auth_header\":\"***\""));
}

TEST_CASE("control api: schemas of kinds and plugins", "[admin][inner_api]") {
    Inner inner;
    const json::Value schema = json::parse(inner.ask("GET", "/v1/schema").body);
    REQUIRE(schema.find("main")->find("route")->find("properties"));
    for (const char* name : {"proto", "stream_route", "upstream_hash_header_schema", "upstream_hash_vars_schema"})
        REQUIRE(schema.find("main")->find(name)->find("type"));
    REQUIRE(schema.find("plugins")->find("key-auth")->find("schema"));
    REQUIRE(schema.find("stream_plugins"));
}

TEST_CASE("control api: reload, memory, and pages for everything else", "[admin][inner_api]") {
    Inner inner;
    REQUIRE(inner.ask("PUT", "/v1/plugins/reload").body == "done");
    REQUIRE(inner.ask("POST", "/v1/gc").status == 200);
    for (const char* target : {"/", "/v1", "/v1/nothing", "/v1/route", "/v1/routes/1", "/v2/routes", "/v1/route/1/x"}) {
        const auto reply = inner.ask("GET", target);
        INFO(target);
        REQUIRE(reply.status == 404);
        REQUIRE_THAT(reply.body, contains("<html>"));
    }
    REQUIRE(inner.ask("DELETE", "/v1/route/1").status == 404);
}

TEST_CASE("control api: what was refused is told as control tells it", "[admin][inner_api]") {
    Inner inner;
    REQUIRE(inner.ask("GET", "/v1/config/errors").body == "[]\n");
    REQUIRE(inner.ask("GET", "/v1/config/other").status == 404);
    inner.errors = json::Value::array({json::Value("one")});
    REQUIRE(inner.ask("GET", "/v1/config/errors").body == "[\"one\"]\n");
}

TEST_CASE("control api: checkers of objects with health checks, without nodes while none runs",
          "[admin][health_calls]") {
    Inner inner;
    const std::string checks = R"("checks":{"active":{"type":"tcp"}})";
    inner.objects.put(Kind::upstream, "u", R"({"id":"u","nodes":{"127.0.0.1:1":1},)" + checks + "}");
    inner.objects.put(Kind::upstream, "plain", R"({"id":"plain","nodes":{"127.0.0.1:1":1}})");
    inner.objects.put(Kind::route, "1", R"({"id":"1","uri":"/a","upstream":{"checks":{"active":{}}}})");
    inner.objects.owned[{Kind::upstream, "u"}] = "routes.yaml:3";
    CHECK(inner.ask("GET", "/v1/healthcheck").body ==
          R"([{"name":"/apisix/routes/1","type":"http","nodes":[]},{"name":"/upstreams/u","type":"tcp","nodes":[]}])"
          "\n");
    CHECK(inner.ask("GET", "/v1/healthcheck/upstreams/u").body ==
          "{\"name\":\"/upstreams/u\",\"type\":\"tcp\",\"nodes\":[]}\n");
    const auto [target, status, error] = GENERATE(table<std::string, unsigned, std::string>({
        {"routes/2", 404, "routes[2] not found"},
        {"upstreams/plain", 404, "no checker for upstreams[plain]"},
        {"services", 404, "missing src id for src type services"},
        {"consumers/1", 400, "invalid src type consumers"},
        {"x", 400, "invalid src type x"},
    }));
    const auto reply = inner.ask("GET", "/v1/healthcheck/" + target);
    INFO(target);
    CHECK(reply.status == status);
    CHECK(reply.body == "{\"error_msg\":\"" + error + "\"}\n");
}

TEST_CASE("control api: nodes of checkers come from whoever probes, and people get a table", "[admin][health_calls]") {
    Inner inner;
    inner.objects.put(Kind::service, "s", R"({"id":"s","upstream":{"checks":{"active":{}}}})");
    inner.api.tell_health([](Kind kind, std::string_view id) {
        const json::Value node = json::parse(R"({"ip":"10.0.0.1","port":80,"hostname":"<a>","status":"unhealthy",
            "counter":{"success":1,"http_failure":2,"tcp_failure":3,"timeout_failure":4}})");
        return kind == Kind::service && id == "s" ? json::Value::array({node}) : json::Value::array();
    });
    const json::Value one = json::parse(inner.ask("GET", "/v1/healthcheck/services/s").body);
    REQUIRE(one.find("nodes")->size() == 1);
    for (const char* target : {"/v1/healthcheck", "/v1/healthcheck/services/s"}) {
        const auto page = inner.ask("GET", target, {{"Accept", "text/html,*/*"}});
        CHECK(page.content_type == "text/html; charset=utf-8");
        CHECK_THAT(page.body, contains("<title>Gateway upstream check status</title>"));
        CHECK_THAT(page.body,
                   contains("<tr bgcolor=\"#FF0000\"><td>1</td><td>/apisix/services/s</td><td>http</td>"
                            "<td>10.0.0.1:80</td><td>unhealthy</td><td>1</td><td>2</td><td>3</td><td>4</td>"));
    }
}

TEST_CASE("control api: there is no discovery to dump", "[admin][inner_api]") {
    Inner inner;
    CHECK_THAT(inner.ask("GET", "/v1/discovery/dns/dump").body, contains("404 Not Found"));
    CHECK(inner.ask("POST", "/v1/healthcheck").status == 404);
    CHECK(inner.ask("GET", "/v1/healthcheck/routes/1/x").status == 404);
}
