// Which plugins run: merging, disabling, the list of allowed names, global rules, body needs.
#include "tests/support/catch.hpp"
#include "tests/unit/snapshot/document.hpp"
#include "tests/unit/snapshot/test_plugins.hpp"

using namespace gateway;
using gateway::test::Kind;
using gateway::test::Worker;

namespace {

std::string plugins(std::string_view a, std::string_view b = "") {
    std::string text = R"("plugins":{)";
    if (!a.empty()) text.append(R"("mark-a":{"text":")").append(a).append("\"}");
    if (!a.empty() && !b.empty()) text += ',';
    if (!b.empty()) text.append(R"("mark-b":{"text":")").append(b).append("\"}");
    return text + "}";
}
std::string object(const std::string& members) {
    return "{" + members + "}";
}

std::string chain(const Worker& worker, std::string_view path = "/a") {
    return test::plugins_of(*worker.compiled(path)->chain);
}

}  // namespace

TEST_CASE("plugins: the plugin config beats the route, the route beats the service", "[snapshot][plugins]") {
    Worker worker;
    worker.document.put(Kind::service, "s", object(plugins("service", "service")));
    worker.document.put(Kind::plugin_config, "p", object(plugins("config")));
    worker.document.put(Kind::route, "1",
                        object(R"("uri":"/a","service_id":"s","plugin_config_id":"p",)" + plugins("route")));
    worker.document.put(Kind::route, "2", object(R"("uri":"/b","service_id":"s",)" + plugins("route")));
    worker.reload();
    REQUIRE(chain(worker, "/a") == "mark-a=config mark-b=service");
    REQUIRE(chain(worker, "/b") == "mark-a=route mark-b=service");
}

TEST_CASE("plugins: a disabled entry of higher rank switches the plugin off", "[snapshot][plugins]") {
    Worker worker;
    worker.document.put(Kind::service, "s", object(plugins("service", "service")));
    worker.document.put(Kind::route, "1",
                        R"({"uri":"/a","service_id":"s","plugins":{"mark-a":{"_meta":{"disable":true}}}})");
    worker.reload();
    REQUIRE(chain(worker) == "mark-b=service");
}

TEST_CASE("plugins: a change of a plugin config reaches the routes that name it", "[snapshot][plugins]") {
    Worker worker;
    worker.document.put(Kind::plugin_config, "p", object(plugins("1")));
    worker.document.put(Kind::route, "1", R"({"uri":"/a","plugin_config_id":"p"})");
    worker.reload();
    REQUIRE(chain(worker) == "mark-a=1");
    worker.document.put(Kind::plugin_config, "p", object(plugins("", "2")));
    worker.update();
    REQUIRE(chain(worker) == "mark-b=2");
}

TEST_CASE("plugins: names outside the list do not run, in routes and in global rules", "[snapshot][plugins]") {
    Worker worker;
    worker.document.put(Kind::route, "1", object(R"("uri":"/a",)" + plugins("r", "r")));
    worker.document.put(Kind::global_rule, "1", object(plugins("g", "g")));
    worker.reload();
    REQUIRE(chain(worker) == "mark-a=r mark-b=r");
    worker.document.put(Kind::plugins, "list", R"(["mark-b"])");
    worker.update();
    REQUIRE(chain(worker) == "mark-b=r");
    REQUIRE(test::plugins_of(*worker.snapshot->global_chain()) == "mark-b=g");
    worker.document.put(Kind::plugins, "list", R"([{"name":"mark-a"},{"name":"mark-b","stream":true}])");
    worker.update();
    REQUIRE(chain(worker) == "mark-a=r");
    worker.document.put(Kind::plugins, "list", "[]");
    worker.update();
    REQUIRE(chain(worker).empty());
    worker.document.remove(Kind::plugins, "list");
    worker.update();
    REQUIRE(chain(worker) == "mark-a=r mark-b=r");
}

TEST_CASE("plugins: all global rules make one chain, a plugin in two of them is in neither", "[snapshot][plugins]") {
    Worker worker;
    worker.document.put(Kind::global_rule, "1", object(plugins("1")));
    worker.document.put(Kind::global_rule, "2", object(plugins("", "2")));
    worker.reload();
    REQUIRE(test::plugins_of(*worker.snapshot->global_chain()) == "mark-a=1 mark-b=2");
    worker.document.put(Kind::global_rule, "3", object(plugins("3")));
    worker.update();
    REQUIRE(test::plugins_of(*worker.snapshot->global_chain()) == "mark-b=2");
    worker.document.remove(Kind::global_rule, "1");
    worker.update();
    REQUIRE(test::plugins_of(*worker.snapshot->global_chain()) == "mark-a=3 mark-b=2");
}

TEST_CASE("plugins: a change of global rules compiles no route again", "[snapshot][plugins]") {
    Worker worker;
    worker.document.put(Kind::route, "1", object(R"("uri":"/a",)" + plugins("r")));
    worker.reload();
    const Ref<const CompiledRoute> before = worker.compiled("/a");
    worker.document.put(Kind::global_rule, "1", object(plugins("g")));
    worker.update();
    REQUIRE(worker.compiled("/a") == before);
}

TEST_CASE("plugins: a plugin that cannot be built in a full document breaks its own route only",
          "[snapshot][plugins]") {
    Worker worker;
    worker.document.put(Kind::route, "1", R"({"uri":"/a","plugins":{"mark-a":{"text":"bad"}}})");
    worker.document.put(Kind::route, "2", object(R"("uri":"/b",)" + plugins("r")));
    worker.reload();
    REQUIRE(worker.compiled("/a")->outcome == CompiledRoute::Outcome::broken);
    REQUIRE(worker.compiled("/a")->chain->instances().empty());
    REQUIRE(chain(worker, "/b") == "mark-a=r");
}

TEST_CASE("plugins: without a list in the document the static file's counts", "[snapshot][plugins]") {
    Worker worker;
    config::StaticConfig file;
    file.plugins = std::vector<std::string>{"mark-b"};
    worker.document.put(Kind::settings, "static", config::encode_static(file));
    worker.document.put(Kind::route, "1", object(R"("uri":"/a",)" + plugins("r", "r")));
    worker.reload();
    REQUIRE(chain(worker) == "mark-b=r");
    worker.document.put(Kind::plugins, "list", R"(["mark-a"])");
    worker.update();
    REQUIRE(chain(worker) == "mark-a=r");
}
