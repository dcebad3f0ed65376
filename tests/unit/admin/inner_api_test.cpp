#include "libgateway/admin/inner_api.hpp"

#include "tests/support/admin_client.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::test;
using config::Kind;

namespace {

struct Inner {
    admin::Reply ask(std::string method, std::string target) {
        admin::Reply reply;
        boost::asio::io_context loop;
        boost::asio::co_spawn(
            loop,
            [&]() -> boost::asio::awaitable<void> {
                admin::Request request{std::move(method), std::move(target), {}, {}, "127.0.0.1"};
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
