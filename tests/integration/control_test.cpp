// Stories of control in a whole gateway: changes, refusals, its own death, workers that do not run.
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"

using namespace gateway::test;

namespace {

constexpr const char* two_routes =
    "routes:\n"
    "  - id: 1\n    uri: /one\n    plugins: {mocking: {response_example: \"one\"}}\n"
    "  - id: 2\n    uri: /two\n    plugins: {mocking: {response_example: \"two\"}}\n";
constexpr const char* object = R"({"uri":"/put","plugins":{"mocking":{"response_example":"put"}}})";

std::string body(GatewayProcess& gateway, std::string_view target) {
    return fetch(gateway.port(), "GET", target).body;
}
std::string text(const boost::json::value& status, std::string_view key) {
    return status.is_object() && status.as_object().contains(key) ? boost::json::serialize(status.at(key)) : "absent";
}
std::string state(const GatewayProcess& gateway) {
    return text(gateway.status(), "state");
}

int cpus_of(pid_t pid) {
    cpu_set_t set;
    CPU_ZERO(&set);
    return ::sched_getaffinity(pid, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}
rlim_t open_files_of(pid_t pid) {
    rlimit limit{};
    return ::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit) == 0 ? limit.rlim_cur : 0;
}
// The static file with one text in the place of another.
void rewrite(GatewayProcess& gateway, const std::string& from, const std::string& to) {
    std::string text = gateway.folder().read("gateway.yaml");
    text.replace(text.find(from), from.size(), to);
    gateway.write_static(text);
}

GatewayOptions with_routes(int workers = 1) {
    GatewayOptions options;
    options.routes = two_routes;
    options.workers = workers;
    options.apisix = "  status: {ip: 127.0.0.1, port: 0}\n";
    return options;
}

}  // namespace

TEST_CASE("put and delete: an object is live when the answer is there", "[control][e2e]") {
    GatewayProcess gateway(with_routes());
    REQUIRE(gateway.put("route", "p", object).exit == 0);
    REQUIRE(body(gateway, "/put") == "put");
    const RunResult owned = gateway.put("route", "1", object);
    REQUIRE(owned.exit == 1);
    REQUIRE(owned.out.find("route [1] is defined in " + (gateway.folder() / "routes.yaml").string() + ":2") !=
            std::string::npos);
    REQUIRE(gateway.ctl({"delete", "route", "p"}).exit == 0);
    REQUIRE(fetch(gateway.port(), "GET", "/put").status() == 404);
}

TEST_CASE("reload: a bad file changes nothing and tells every error", "[control][e2e]") {
    GatewayProcess gateway(with_routes());
    const std::string before = text(gateway.status(), "digest");
    const RunResult refused = gateway.reload("routes:\n  - id: 1\n    uri: 5\n  - id: 2\n    urii: /x\n");
    REQUIRE(refused.exit == 1);
    REQUIRE(refused.out.find("routes.yaml:3:10: error: routes/1 uri: ") != std::string::npos);
    REQUIRE(refused.out.find("did you mean \"uri\"?") != std::string::npos);
    REQUIRE(gateway.log().find("routes.yaml:3:10: error: routes/1 uri: ") != std::string::npos);
    REQUIRE(text(gateway.status(), "digest") == before);
    REQUIRE(body(gateway, "/one") == "one");
    REQUIRE(gateway.reload(two_routes).exit == 0);
    REQUIRE(text(gateway.status(), "digest") == before);
}

TEST_CASE("reload: listeners and workers are added and removed", "[control][e2e]") {
    GatewayProcess gateway(with_routes());
    const std::string first = gateway.folder().read("gateway.yaml");
    const auto pids = gateway.workers();
    std::string wider = first;
    wider.replace(wider.find("port: 0}]"), 9, "port: 0}, {ip: 127.0.0.1, port: 0, name: more}]");
    wider.replace(wider.find("worker_processes: 1"), 19, "worker_processes: 2");
    gateway.write_static(wider);
    REQUIRE(gateway.ctl({"reload"}).exit == 0);
    REQUIRE(eventually([&] { return gateway.ready() && gateway.workers().size() == 2; }));
    REQUIRE(gateway.workers()[0] == pids[0]);
    REQUIRE(fetch(gateway.port(1), "GET", "/one").body == "one");
    gateway.write_static(first);
    REQUIRE(gateway.ctl({"reload"}).exit == 0);
    REQUIRE(eventually([&] { return gateway.workers().size() == 1; }));
    REQUIRE(body(gateway, "/two") == "two");
}

TEST_CASE("reload: CPU affinity and the limit of open files reach workers that run", "[control][e2e]") {
    GatewayOptions options = with_routes(2);
    options.nginx_config = "  enable_cpu_affinity: true\n  worker_rlimit_nofile: 10700\n";
    GatewayProcess gateway(options);
    const auto pids = gateway.workers();
    for (const pid_t pid : pids) CHECK(cpus_of(pid) == 1);
    CHECK(cpus_of(gateway.control()) == cpus_of(0));
    for (const pid_t pid : pids) CHECK(open_files_of(pid) >= 10700);
    rewrite(gateway, "enable_cpu_affinity: true", "enable_cpu_affinity: false");
    rewrite(gateway, "10700", "10800");
    REQUIRE(gateway.ctl({"reload"}).exit == 0);
    CHECK(gateway.workers() == pids);
    for (const pid_t pid : pids) CHECK(cpus_of(pid) == cpus_of(0));
    for (const pid_t pid : pids) CHECK(open_files_of(pid) >= 10800);
}

#ifndef GATEWAY_SANITIZED  // whose allocator has mapped its memory beforehand
TEST_CASE("reload: a plan that was carried out is taken back when a worker cannot build the routes", "[control][e2e]") {
    GatewayProcess gateway(with_routes());
    const auto before = gateway.status();
    const pid_t worker = gateway.workers()[0];
    // No memory beyond what it has: the next routes do not fit.
    rlimit roomy{};
    REQUIRE(::prlimit(worker, RLIMIT_AS, nullptr, &roomy) == 0);
    const rlimit narrow{1, roomy.rlim_max};
    REQUIRE(::prlimit(worker, RLIMIT_AS, &narrow, nullptr) == 0);
    std::string routes = two_routes;
    for (int i = 0; i < 5000; ++i)
        routes += "  - id: m" + std::to_string(i) + "\n    uri: /more/" + std::to_string(i) +
                  "\n    plugins: {mocking: {response_example: m}}\n";
    const std::string address = "{ip: 127.0.0.1, port: 0}";
    rewrite(gateway, address + "]", address + ", {ip: 127.0.0.1, port: 0, name: more}]");
    const RunResult refused = gateway.reload(routes);
    CHECK(refused.exit == 1);
    CHECK(refused.out.find("worker 0 cannot build it") != std::string::npos);
    const auto after = gateway.status();
    CHECK(text(after, "listeners") == text(before, "listeners"));
    CHECK(text(after, "digest") == text(before, "digest"));
    CHECK(gateway.workers()[0] == worker);
    REQUIRE(::prlimit(worker, RLIMIT_AS, &roomy, nullptr) == 0);
    CHECK(body(gateway, "/one") == "one");
    REQUIRE(gateway.ctl({"reload"}).exit == 0);
    CHECK(fetch(gateway.port(1), "GET", "/more/499").body == "m");
    CHECK(gateway.workers()[0] == worker);
}
#endif

TEST_CASE("kill -9 of control: traffic goes on, the next one finds everything as it was", "[control][e2e]") {
    GatewayProcess gateway(with_routes(2));
    REQUIRE(gateway.put("route", "p", object).exit == 0);
    const auto before = gateway.status();
    const auto pids = gateway.workers();
    const pid_t control = gateway.control();
    RawClient kept(gateway.port());
    REQUIRE(kept.get("/put").body == "put");
    ::kill(control, SIGKILL);
    REQUIRE(kept.get("/put").body == "put");
    REQUIRE(eventually([&] { return state(gateway) == "\"ready\"" && gateway.control() != control; }));
    const auto after = gateway.status();
    REQUIRE(text(after, "revision") == text(before, "revision"));
    REQUIRE(text(after, "digest") == text(before, "digest"));
    REQUIRE(gateway.workers() == pids);
    REQUIRE(kept.get("/put").body == "put");
    REQUIRE(gateway.put("route", "p", R"({"uri":"/put","plugins":{"mocking":{"response_example":"new"}}})").exit == 0);
    REQUIRE(kept.get("/put").body == "new");
}

TEST_CASE("kill -9 of control beside a bad static file: the settings in force stay", "[control][e2e]") {
    GatewayProcess gateway(with_routes());
    const auto before = gateway.status();
    const auto port = gateway.port();
    const std::string good = gateway.folder().read("gateway.yaml");
    const std::string socket = (gateway.folder() / "gateway.sock").string();
    const auto ask = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {program("gatewayctl"), "-s", socket});
        return run(words);
    };
    const pid_t control = gateway.control();
    REQUIRE(body(gateway, "/one") == "one");
    gateway.write_static("apisix: [");
    ::kill(control, SIGKILL);
    REQUIRE(eventually(
        [&] { return ask({"status"}).exit == 0 && ask({"status"}).out.find(": ready") != std::string::npos; }));
    REQUIRE(ask({"--json", "status"}).out.find(text(before, "digest")) != std::string::npos);
    REQUIRE(ask({"reload"}).exit == 1);
    REQUIRE(fetch(port, "GET", "/one").body == "one");
    gateway.write_static(good);
    REQUIRE(ask({"reload"}).exit == 0);
    REQUIRE(text(gateway.status(), "digest") == text(before, "digest"));
}

TEST_CASE("SIGSTOP of a worker: named, not waited for twice, ready again when it runs", "[control][e2e]") {
    GatewayProcess gateway(with_routes(2));
    const auto port = static_cast<std::uint16_t>(gateway.status().at("status_port").to_number<int>());
    const auto pids = gateway.workers();
    freeze(pids[1]);
    REQUIRE(eventually([&] { return fetch(port, "GET", "/status/ready").status() == 503; }));
    REQUIRE(fetch(port, "GET", "/status/ready").body.find("worker id: 1 is lagging") != std::string::npos);
    REQUIRE(state(gateway) == "\"degraded\"");
    REQUIRE(gateway.ctl({"status"}).exit == 4);
    REQUIRE(gateway.put("route", "p", object).exit == 0);
    ::kill(pids[1], SIGCONT);
    REQUIRE(eventually([&] { return fetch(port, "GET", "/status/ready").status() == 200; }));
    REQUIRE(eventually([&] {
        const auto now = gateway.status();
        return text(now.at("workers").at(1), "revision") == text(now, "revision");
    }));
}

TEST_CASE("start: without a good route file the gateway loads until there is one", "[control][e2e]") {
    GatewayOptions options = with_routes();
    options.routes = "routes: 5\n";
    options.wait = false;
    GatewayProcess gateway(options);
    REQUIRE(eventually([&] { return state(gateway) == "\"loading\"" && gateway.workers_ready(); }));
    REQUIRE(gateway.ctl({"status"}).exit == 4);
    REQUIRE(fetch(gateway.port(), "GET", "/one").status() == 404);
    gateway.write_routes(two_routes);
    REQUIRE(eventually([&] { return state(gateway) == "\"ready\""; }));
    REQUIRE(body(gateway, "/one") == "one");
}

TEST_CASE("start: a bad route file is no reason to forget the last good one", "[control][e2e]") {
    GatewayProcess gateway(with_routes());
    REQUIRE(gateway.stop(SIGTERM) == 0);
    gateway.write_routes("routes: 5\n");
    Process again({program("gatewayd"), "-c", gateway.config()}, gateway.folder() / "again");
    REQUIRE(eventually([&] { return gateway.ready(); }));
    REQUIRE(state(gateway) == "\"ready\"");
    const auto port = static_cast<std::uint16_t>(gateway.status().at("listeners").at(0).at("port").to_number<int>());
    REQUIRE(fetch(port, "GET", "/two").body == "two");
    REQUIRE(again.output().find("the last good revision") != std::string::npos);
}

TEST_CASE("explain: tells the route, or what failed", "[control][e2e]") {
    GatewayProcess gateway(with_routes());
    const RunResult found = gateway.ctl({"explain", "GET", "http://a/one"});
    REQUIRE(found.exit == 0);
    REQUIRE(found.out.find("route    1  /one  (" + (gateway.folder() / "routes.yaml").string() + ":2)") !=
            std::string::npos);
    REQUIRE(found.out.find("routes/1") != std::string::npos);
    const RunResult none = gateway.ctl({"explain", "GET", "/three"});
    REQUIRE(none.out.find("no route: 404 for _ /three") == 0);
    REQUIRE(gateway.ctl({"explain", "GET", "three"}).exit == 2);
    REQUIRE(gateway.ctl({"check"}).exit == 0);
    REQUIRE(run({program("gatewayctl"), "-s", "/nonexistent", "status"}).exit == 3);
}

TEST_CASE("put: a plugin of one global rule is refused in a second one", "[control][e2e]") {
    GatewayProcess gateway(with_routes());
    const std::string rule = R"({"plugins":{"request-id":{}}})";
    REQUIRE(gateway.put("global_rule", "1", rule).exit == 0);
    REQUIRE(gateway.put("global_rule", "1", rule).exit == 0);
    const RunResult second = gateway.put("global_rule", "2", rule);
    REQUIRE(second.exit == 1);
    REQUIRE_THAT(second.out, contains("plugin 'request-id' already exists in global rule with id '1'"));
}

TEST_CASE("show: routes with their places, workers and connections; version and quit", "[control][e2e]") {
    GatewayProcess gateway(with_routes(2));
    REQUIRE(gateway.put("route", "p", object).exit == 0);
    RawClient kept(gateway.port());
    REQUIRE(kept.get("/one").body == "one");
    const std::string routes = gateway.ctl({"--json", "show", "routes"}).out;
    CHECK(routes.find("routes.yaml:5\"") != std::string::npos);
    CHECK(routes.find("\"where\":\"store\"") != std::string::npos);
    CHECK(gateway.ctl({"show", "routes", "/two"}).out.find("/one") == std::string::npos);
    CHECK(gateway.ctl({"show", "upstreams"}).exit == 0);
    CHECK(gateway.ctl({"--json", "show", "workers"}).out.find(std::to_string(gateway.workers()[1])) !=
          std::string::npos);
    CHECK(gateway.ctl({"--json", "show", "connections"}).out.find("\"idle\"") != std::string::npos);
    CHECK(gateway.ctl({"show", "wrokers"}).exit == 2);
    CHECK(gateway.ctl({"version"}).exit == 0);
    CHECK(gateway.ctl({"quit"}).exit == 0);
    CHECK(gateway.master().wait() == 0);
    CHECK(gateway.ctl({"status"}).exit == 3);
}

TEST_CASE("show: more than two thousand routes have their places too", "[control][e2e]") {
    GatewayOptions options = with_routes();
    options.routes = "routes:\n";
    for (int i = 1; i <= 2500; ++i)
        options.routes += "  - {id: " + std::to_string(i) + ", uri: /" + std::to_string(i) + ", plugins: {}}\n";
    GatewayProcess gateway(options);
    const std::string routes = gateway.ctl({"--json", "show", "routes"}).out;
    CHECK(routes.find("routes.yaml:2\"") != std::string::npos);
    CHECK(routes.find("routes.yaml:2501\"") != std::string::npos);
}

TEST_CASE("plugin: list and show tell about the plugins of the gateway and whether they may run", "[control][e2e]") {
    GatewayOptions options = with_routes();
    options.further = "plugins: [mocking, key-auth]\n";
    GatewayProcess gateway(options);
    const std::string list = gateway.ctl({"plugin", "list"}).out;
    CHECK(list.find("key-auth") != std::string::npos);
    CHECK(list.find("rewrite") != std::string::npos);
    const std::string shown = gateway.ctl({"plugin", "show", "key-auth"}).out;
    CHECK(shown.find("consumer_schema\n") != std::string::npos);
    CHECK(shown.find("enabled   true") != std::string::npos);
    CHECK(gateway.ctl({"plugin", "show", "echo"}).out.find("enabled   false") != std::string::npos);
    const RunResult unknown = gateway.ctl({"plugin", "show", "key-aut"});
    CHECK(unknown.exit == 1);
    CHECK(unknown.out.find("unknown plugin [key-aut], did you mean \"key-auth\"?") != std::string::npos);
    const auto json = boost::json::parse(gateway.ctl({"--json", "plugin", "show", "key-auth"}).out).at("result");
    CHECK(boost::json::serialize(json.at("encrypt_fields").at("consumer_schema")) == R"(["key"])");
    CHECK(json.at("consumer_schema").at("properties").at("key").at("encrypted").as_bool());

    gateway.reload("plugins: [{name: echo}]\nroutes: []\n");
    CHECK(gateway.ctl({"plugin", "show", "echo"}).out.find("enabled   true") != std::string::npos);
    CHECK(gateway.ctl({"plugin", "show", "key-auth"}).out.find("enabled   false") != std::string::npos);

    gateway.stop(SIGTERM);
    CHECK(gateway.ctl({"plugin", "show", "key-auth"}).out == shown);
}

TEST_CASE("plugins: what multi-auth runs must be on the list too", "[control][e2e]") {
    GatewayOptions options = with_routes();
    options.further = "plugins: [mocking, multi-auth, key-auth]\n";
    GatewayProcess gateway(options);
    const char* entry = R"({"uri":"/m","plugins":{"multi-auth":{"auth_plugins":[{"key-auth":{}},{"basic-auth":{}}]}}})";
    const RunResult refused = gateway.put("route", "m", entry);
    CHECK(refused.exit == 1);
    CHECK(refused.out.find(
              "failed to check the configuration of plugin multi-auth err: basic-auth plugin did not found") !=
          std::string::npos);
    const char* good = R"({"uri":"/m","plugins":{"multi-auth":{"auth_plugins":[{"key-auth":{}},{"key-auth":{}}]}}})";
    CHECK(gateway.put("route", "m", good).exit == 0);
}
