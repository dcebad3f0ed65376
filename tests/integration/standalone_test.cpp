// Standalone API mode against a whole gateway: one PUT brings the configuration, in force in every worker.
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <iterator>

#include "libgateway/config/yaml_reader.hpp"
#include "libgateway/json/value.hpp"
#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"

using namespace gateway::test;
namespace json = gateway::json;

namespace {

using namespace std::chrono_literals;

constexpr const char* mode = "deployment:\n  role_traditional: {config_provider: yaml}\n";

GatewayOptions standalone(const std::string& admin_lines = {}) {
    GatewayOptions options;
    options.workers = 2;
    options.wait = false;
    options.routes = "this: is not read\n";
    options.further = mode + ("  admin:\n    admin_listen: {port: 0}\n" + admin_lines);
    return options;
}

// It has no configuration yet: not ready, but there.
class StandaloneHouse {
public:
    explicit StandaloneHouse(const std::string& admin_lines = {}) : gateway(standalone(admin_lines)) {
        REQUIRE(eventually([&] { return gateway.admin_port() != 0 && try_ask("GET", "/configs") == 200; }, 20s));
    }
    Message ask(std::string_view method, std::string target, std::string_view body = {}, std::string lines = {}) {
        lines += "X-API-KEY: " + gateway.admin_key() + "\r\n";
        return fetch(gateway.admin_port(), method, "/apisix/admin" + target, lines, body);
    }
    int try_ask(std::string_view method, std::string target) {
        try {
            return ask(method, std::move(target)).status();
        } catch (const std::exception&) {
            return 0;
        }
    }
    Message put(std::string_view digest, std::string_view body, std::string lines = {}) {
        Message answer = ask("PUT", "/configs", body, "X-Digest: " + std::string(digest) + "\r\n" + std::move(lines));
        UNSCOPED_INFO(answer.body);
        return answer;
    }
    std::string body(std::string_view target, std::string_view lines = {}) {
        return fetch(gateway.port(), "GET", target, std::string(lines)).body;
    }
    GatewayProcess gateway;
};

std::string route(std::string_view id, std::string_view uri, std::string_view answer) {
    return R"({"id":")" + std::string(id) + R"(","uri":")" + std::string(uri) +
           R"(","plugins":{"mocking":{"response_example":")" + std::string(answer) + "\"}}}";
}

}  // namespace

TEST_CASE("standalone: what is put is in force in every worker when the answer comes", "[e2e][standalone]") {
    StandaloneHouse house;
    CHECK(house.gateway.ctl({"status"}).exit == 4);
    CHECK_THAT(house.gateway.ctl({"status"}).out, contains("none was put"));
    for (int round = 0; round < 20; ++round) {
        const std::string text = std::to_string(round);
        const Message answer = house.put("d" + text, "{\"routes\":[" + route("1", "/a", text) + "]}");
        REQUIRE(answer.status() == 202);
        CHECK(answer.field("X-Digest") == "d" + text);
        for (int connection = 0; connection < 4; ++connection) REQUIRE(house.body("/a") == text);
    }
    CHECK(house.gateway.ready());
    CHECK(house.ask("HEAD", "/configs").field("X-Digest") == "d19");
    CHECK(house.put("d19", "{}").status() == 204);
    CHECK(house.body("/a") == "19");
    CHECK(house.put("empty", "{}").status() == 202);
    CHECK(fetch(house.gateway.port(), "GET", "/a").status() == 404);
}

TEST_CASE("standalone: every list, credentials in consumers, references and the list of plugins", "[e2e][standalone]") {
    StandaloneHouse house;
    const std::string yaml = R"(
services: [{id: s, plugins: {response-rewrite: {headers: {set: {X-Of: service}}}}}]
upstreams: [{id: u, nodes: {"127.0.0.1:1": 1}}]
plugin_configs: [{id: p, plugins: {mocking: {response_example: from-config}}}]
consumer_groups: [{id: g, plugins: {}}]
consumers:
  - {username: jack, group_id: g}
  - {id: jack/credentials/c1, plugins: {key-auth: {key: one}}}
global_rules: [{id: 1, plugins: {request-id: {}}}]
plugin_metadata: [{id: http-logger, log_format: {host: $host}}]
protos: [{id: 1, content: "message A {}"}]
secrets: [{id: vault/1, uri: "http://127.0.0.1:1", prefix: kv, token: hidden-token}]
stream_routes: [{id: 1, server_port: 9100, upstream_id: u}]
routes:
  - {id: 1, uri: /a, service_id: s, plugin_config_id: p, plugins: {key-auth: {}}, modifiedIndex: 3}
routes_conf_version: 100
)";
    REQUIRE(house.put("all", yaml, "Content-Type: application/yaml\r\n").status() == 202);
    CHECK(fetch(house.gateway.port(), "GET", "/a").status() == 401);
    CHECK(house.body("/a", "apikey: one\r\n") == "from-config");
    CHECK_THAT(house.gateway.log(), contains("protos: stored; not used by this build"));
    CHECK_THAT(house.gateway.log(), !contains("hidden-token"));
    const Message shown = house.ask("GET", "/configs", {}, "Accept: application/yaml\r\n");
    const json::Value value = gateway::config::read_yaml(shown.body);
    CHECK(value.find("routes_conf_version")->number() == "100");
    CHECK(value.find("routes")->items()[0].find("modifiedIndex")->number() == "3");
    CHECK(value.find("secrets")->items()[0].find("token")->string() == "hidden-token");

    SECTION("a list whose version is the same stays, the others go") {
        REQUIRE(house.put("less", R"({"routes_conf_version":100})").status() == 202);
        CHECK(json::parse(house.ask("GET", "/configs").body).find("routes")->size() == 1);
        CHECK_FALSE(json::parse(house.ask("GET", "/configs").body).find("consumers"));
        CHECK(fetch(house.gateway.port(), "GET", "/a").status() == 503);  // its plugin config is gone
        CHECK_THAT(house.put("back", R"({"routes_conf_version":99})").body, contains("equal to (100)"));
    }
    SECTION("the list of plugins replaces that of the static file") {
        REQUIRE(house.put("none", R"({"plugins":[{"name":"mocking"}],"routes":[)" + route("1", "/a", "b") + "]}")
                    .status() == 202);
        CHECK(house.body("/a") == "b");
        CHECK(house.put("bad", R"({"plugins":[{"name":"cors"}],"routes":[)" + route("1", "/a", "c") + "]}").body ==
              "{\"error_msg\":\"invalid routes at index 0, err: unknown plugin [mocking]\"}\n");
        CHECK(house.body("/a") == "b");
    }
}

TEST_CASE("standalone: there is nothing else, and gatewayctl says how it is done", "[e2e][standalone]") {
    StandaloneHouse house;
    for (const char* target : {"/routes", "/routes/1", "/plugins/list", "/schema/route"})
        CHECK(house.ask("GET", target).status() == 404);
    CHECK(house.ask("POST", "/configs/validate", "{}").body == "{}\n");
    CHECK(fetch(house.gateway.admin_port(), "HEAD", "/apisix/admin").status() == 200);
    CHECK(fetch(house.gateway.admin_port(), "GET", "/ui/").status() == 404);
    const RunResult refused = house.gateway.put("route", "1", route("1", "/a", "x"));
    CHECK(refused.exit != 0);
    CHECK_THAT(refused.out, contains("standalone API mode"));
    CHECK(house.gateway.ctl({"check"}).exit == 0);
}

TEST_CASE("standalone: counters outlive a change that leaves their route alone", "[e2e][standalone]") {
    StandaloneHouse house;
    const ScriptedUpstream upstream;
    const std::string limited =
        R"({"id":"1","uri":"/a","upstream":{"nodes":{")" + upstream.node() +
        R"(":1}},"plugins":{"limit-count":{"count":2,"time_window":600,"rejected_code":429,"key":"remote_addr"}}})";
    const auto status = [&] { return fetch(house.gateway.port(), "GET", "/a").status(); };
    REQUIRE(house.put("one", "{\"routes\":[" + limited + "]}").status() == 202);
    CHECK(status() == 200);
    REQUIRE(house.put("two", "{\"routes\":[" + limited + "," + route("2", "/b", "b") + "]}").status() == 202);
    CHECK(status() == 200);
    CHECK(status() == 429);
}

TEST_CASE("standalone: the configuration outlives control, and a new binary", "[e2e][standalone]") {
    StandaloneHouse house;
    REQUIRE(house.put("kept", "{\"routes\":[" + route("1", "/a", "a") + "],\"routes_conf_version\":7}").status() ==
            202);
    const bool upgrade = GENERATE(false, true);
    const pid_t before = house.gateway.control();
    if (upgrade) house.gateway.master().signal(SIGUSR2);
    if (!upgrade) ::kill(before, SIGKILL);
    REQUIRE(eventually([&] { return house.gateway.control() > 0 && house.gateway.control() != before; }, 20s));
    REQUIRE(eventually([&] { return house.try_ask("GET", "/configs") == 200; }, 20s));
    CHECK(house.body("/a") == "a");
    CHECK(house.ask("GET", "/configs").field("X-Digest") == "kept");
    CHECK_THAT(house.put("old", R"({"routes_conf_version":6})").body, contains("equal to (7)"));
    CHECK(house.put("kept", "{").status() == 204);
    CHECK(house.put("next", "{\"routes\":[" + route("1", "/a", "b") + "]}").status() == 202);
    CHECK(house.body("/a") == "b");
    CHECK(house.gateway.ctl({"reload"}).exit == 0);
    CHECK(house.body("/a") == "b");
}

TEST_CASE("standalone: a restart begins with nothing, or with the snapshot where one is kept", "[e2e][standalone]") {
    const bool keeps = GENERATE(false, true);
    StandaloneHouse house(keeps ? "    standalone_snapshot: kept.json\n" : "");
    REQUIRE(house
                .put("one", R"({"routes":[)" + route("1", "/a", "a") + R"(],"secrets":[{"id":"vault/1",
        "uri":"http://v","prefix":"p","token":"hidden-token"}]})")
                .status() == 202);
    const auto snapshot = house.gateway.folder() / "kept.json";
    REQUIRE(std::filesystem::exists(snapshot) == keeps);
    if (keeps) {
        struct stat about {};
        REQUIRE(::stat(snapshot.c_str(), &about) == 0);
        CHECK((about.st_mode & 0777) == 0600);
        CHECK_THAT(house.gateway.folder().read("kept.json"), !contains("hidden-token"));
    }
    REQUIRE(house.gateway.stop(SIGTERM) == 0);
    const Process again({program("gatewayd"), "-c", house.gateway.config()}, house.gateway.folder() / "output2",
                        {"LOGS_DIRECTORY=" + (house.gateway.folder() / ".").string()});
    REQUIRE(eventually([&] { return house.try_ask("GET", "/configs") == 200; }, 20s));
    const Message shown = house.ask("GET", "/configs");
    CHECK(shown.field("X-Digest") == (keeps ? "one" : ""));
    const auto listeners = house.gateway.status().at("listeners");
    const auto port = listeners.at(0).at("port").to_number<std::uint16_t>();
    CHECK(eventually([&] { return fetch(port, "GET", "/a").status() == (keeps ? 200 : 404); }));
    CHECK((house.gateway.ctl({"status"}).exit == 0) == keeps);
}

TEST_CASE("standalone: it begins and ends by a restart only", "[e2e][standalone]") {
    StandaloneHouse house;
    REQUIRE(house.put("one", "{\"routes\":[" + route("1", "/a", "a") + "]}").status() == 202);
    std::string text = house.gateway.folder().read("gateway.yaml");
    const std::string provider = "config_provider: yaml";
    text.replace(text.find(provider), provider.size(), "config_provider: local");
    house.gateway.write_static(text);
    house.gateway.write_routes("routes: []\n");
    const RunResult refused = house.gateway.ctl({"reload"});
    CHECK(refused.exit != 0);
    CHECK_THAT(refused.out, contains("by a restart only"));
    CHECK(house.body("/a") == "a");
}
