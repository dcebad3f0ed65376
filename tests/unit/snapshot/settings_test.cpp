// What a change of the static file does to a living snapshot.
#include "libgateway/snapshot/settings.hpp"

#include "libgateway/config/errors.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/snapshot/document.hpp"
#include "tests/unit/snapshot/test_plugins.hpp"

using namespace gateway;
using gateway::test::Kind;
using gateway::test::Worker;

namespace {

void put_settings(Worker& worker, const config::StaticConfig& file) {
    worker.document.put(Kind::settings, "static", config::encode_static(file));
}

}  // namespace

TEST_CASE("settings: another router takes over all routes", "[snapshot][settings]") {
    Worker worker;
    worker.document.put(Kind::route, "exact", R"({"uri":"/a/b","upstream_id":"u"})");
    worker.document.put(Kind::route, "host", R"({"uri":"/*","host":"a.com","upstream_id":"u"})");
    worker.document.put(Kind::route, "off", R"({"uri":"/off","upstream_id":"u","status":0})");
    worker.reload();
    REQUIRE(worker.id_for("/a/b", "a.com") == "exact");
    const SnapshotPtr before = worker.snapshot;
    const auto* exact = worker.match("/a/b");

    config::StaticConfig file;
    file.apisix.router.http = "radixtree_host_uri";
    put_settings(worker, file);
    worker.document.put(Kind::route, "new", R"({"uri":"/new","upstream_id":"u"})");
    worker.update();
    REQUIRE(worker.snapshot->router().kind() == route::RouterKind::host_uri);
    REQUIRE(worker.id_for("/a/b", "a.com") == "host");
    REQUIRE(worker.id_for("/new", "b.com") == "new");
    REQUIRE(worker.id_for("/off", "b.com") == "none");
    REQUIRE(worker.match("/a/b", "b.com") == exact);
    worker.snapshot = before;
    REQUIRE(worker.id_for("/a/b", "a.com") == "exact");
}

TEST_CASE("settings: time limits and pools of the static file hold where an upstream says nothing",
          "[snapshot][settings]") {
    Worker worker;
    worker.document.put(Kind::route, "1", R"({"uri":"/a","upstream":{"nodes":{"h:1":1}}})");
    worker.document.put(Kind::route, "2", R"({"uri":"/b","upstream":{"nodes":{"h:1":1},"keepalive_pool":{"size":5}}})");
    worker.reload();
    const Ref<const CompiledRoute> before = worker.compiled("/a");
    config::StaticConfig file;
    file.nginx_config.http.proxy_read_timeout.value = Milliseconds(7000);
    file.nginx_config.http.upstream.keepalive = 9;
    put_settings(worker, file);
    worker.update();
    REQUIRE(before->timeouts.read == Milliseconds(60000));
    REQUIRE(worker.compiled("/a")->timeouts.read == Milliseconds(7000));
    REQUIRE(worker.compiled("/a")->target->settings().pool.size == 9);
    REQUIRE(worker.compiled("/b")->target->settings().pool.size == 5);
    worker.document.remove(Kind::settings, "static");
    worker.update();
    REQUIRE(worker.compiled("/a")->timeouts.read == Milliseconds(60000));
}

TEST_CASE("settings: the 3.x rule lets the route beat the plugin config", "[snapshot][settings]") {
    Worker worker;
    worker.document.put(Kind::plugin_config, "p", R"({"plugins":{"mark-a":{"text":"config"}}})");
    worker.document.put(Kind::route, "1",
                        R"({"uri":"/a","plugin_config_id":"p","plugins":{"mark-a":{"text":"route"}}})");
    config::StaticConfig file;
    file.apisix.compat.plugin_config_overrides_route = false;
    put_settings(worker, file);
    worker.reload();
    REQUIRE(test::plugins_of(*worker.compiled("/a")->chain) == "mark-a=route");
    put_settings(worker, config::StaticConfig());
    worker.update();
    REQUIRE(test::plugins_of(*worker.compiled("/a")->chain) == "mark-a=config");
}

TEST_CASE("settings: text that no control wrote is a veto", "[snapshot][settings]") {
    Worker worker;
    worker.document.put(Kind::settings, "static", R"({"apisix":{"router":{"http":"no such router"}}})");
    REQUIRE_THROWS_AS(worker.reload(), config::Error);
    REQUIRE_FALSE(worker.snapshot);
}
