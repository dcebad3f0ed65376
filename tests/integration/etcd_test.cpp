// Stories of gateways whose objects are in a real etcd. Left out, and said so, where the program is not installed.
#include "tests/integration/etcd_story.hpp"
#include "tests/support/gate.hpp"

using namespace gateway::test;
using namespace std::chrono_literals;

TEST_CASE("etcd: what is written there is served, in the layout of the reference", "[e2e][etcd]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    put_in(etcd, "/apisix/routes/", "init_dir");
    put_in(etcd, "/apisix/unheard_of/1", "{\"content\":\"x\"}");
    put_in(etcd, "/apisix/routes/1",
           R"({"id":"1","create_time":1,"update_time":1,"uri":"/a","plugins":{"mocking":{"response_example":"a"}}})");
    GatewayProcess gateway(with_etcd(etcd.url()));
    CHECK(body(gateway, "/a") == "a");
    CHECK_THAT(gateway.log(), contains("/apisix/unheard_of is nothing that this build knows: it is ignored"));
    put_in(etcd, "/apisix/routes/2", route("/b", "b"));
    CHECK(eventually([&] { return body(gateway, "/b") == "b"; }));
    put_in(etcd, "/apisix/routes/1", route("/a", "new"));
    CHECK(eventually([&] { return body(gateway, "/a") == "new"; }));
    delete_in(etcd, "/apisix/routes/2");
    CHECK(eventually([&] { return status_of(gateway, "/b") == 404; }));
    CHECK(text_in(gateway, "store") == etcd.url() + "/apisix");
}

TEST_CASE("etcd: a trial is refused, and control lives on", "[e2e][etcd]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    GatewayProcess gateway(with_etcd(etcd.url()));
    const pid_t control = gateway.control();
    gateway.folder().write("more.yaml", "routes:\n  - {id: z, uri: /z, plugins: {mocking: {response_example: z}}}\n");
    const std::string file = (gateway.folder() / "more.yaml").string();
    const RunResult trial = gateway.ctl({"apply", "--confirm-within", "1s", file});
    CHECK(trial.exit == 1);
    CHECK_THAT(trial.out, contains("a trial (--confirm-within, --revert-if) needs the embedded store"));
    CHECK(status_of(gateway, "/z") == 404);
    CHECK(gateway.ctl({"confirm"}).exit == 1);
    CHECK(gateway.ctl({"apply", file}).exit == 0);
    CHECK(body(gateway, "/z") == "z");
    CHECK(gateway.control() == control);
}

TEST_CASE("etcd: a bad object there changes nothing else and is tried again", "[e2e][etcd]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    put_in(etcd, "/apisix/routes/1", route("/a", "a"));
    put_in(etcd, "/apisix/routes/2", "no json");
    GatewayProcess gateway(with_etcd(etcd.url()));
    CHECK(body(gateway, "/a") == "a");
    put_in(etcd, "/apisix/routes/1", R"({"uri":5})");
    put_in(etcd, "/apisix/consumers/jack", R"({"username":"jack","group_id":"g","plugins":{"key-auth":{"key":"k"}}})");
    put_in(etcd, "/apisix/routes/3", R"({"uri":"/c","plugins":{"key-auth":{},"mocking":{"response_example":"c"}}})");
    CHECK(eventually([&] { return status_of(gateway, "/c") == 401; }));
    CHECK(body(gateway, "/a") == "a");
    CHECK(fetch(gateway.port(), "GET", "/c", "apikey: k\r\n").status() == 401);
    put_in(etcd, "/apisix/consumer_groups/g", R"({"plugins":{}})");
    CHECK(eventually([&] { return fetch(gateway.port(), "GET", "/c", "apikey: k\r\n").status() == 200; }));
}

TEST_CASE("etcd: a write on one gateway is live on both within 200 ms", "[e2e][etcd]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    GatewayProcess a(with_etcd(etcd.url())), b(with_etcd(etcd.url()));
    milliseconds worst{0};
    for (int i = 0; i < 6; ++i) {
        GatewayProcess &from = i % 2 ? a : b, &to = i % 2 ? b : a;
        const std::string answer = std::to_string(i);
        const RunResult result = from.put("route", "1", route("/a", answer));
        const auto written = Clock::now();
        INFO(result.out);
        REQUIRE(result.exit == 0);
        CHECK(body(from, "/a") == answer);
        CHECK(eventually([&] { return body(to, "/a") == answer; }));
        worst = std::max(worst, since(written));
    }
    CHECK(worst <= 200ms * patience);
    CHECK_THAT(value_in(etcd, "/apisix/routes/1"), contains(R"("id":"1")"));
    REQUIRE(a.ctl({"delete", "route", "1"}).exit == 0);
    CHECK(value_in(etcd, "/apisix/routes/1").empty());
    CHECK(eventually([&] { return status_of(b, "/a") == 404; }));
}

TEST_CASE("etcd: lost later it is named, traffic and readiness go on, and it catches up", "[e2e][etcd]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    put_in(etcd, "/apisix/routes/1", route("/a", "a"));
    Gate gate(etcd.port());
    GatewayProcess gateway(with_etcd("http://127.0.0.1:" + std::to_string(gate.port())));
    CHECK(body(gateway, "/a") == "a");
    Fault cut;
    cut.close_after = 0;
    gate.from_target(cut);
    gate.reset_all();
    CHECK(eventually([&] { return !text_in(gateway, "store_problem").empty(); }));
    CHECK(body(gateway, "/a") == "a");
    CHECK(gateway.ready());
    const RunResult refused = gateway.put("route", "2", route("/b", "b"));
    CHECK(refused.exit != 0);
    CHECK(status_of(gateway, "/b") == 404);
    put_in(etcd, "/apisix/routes/1", route("/a", "later"));
    gate.from_target({});
    const auto back = Clock::now();
    CHECK(eventually([&] { return body(gateway, "/a") == "later"; }));
    CHECK(since(back) <= 1000ms * patience);
    CHECK(eventually([&] { return text_in(gateway, "store_problem").empty(); }));
    CHECK(gateway.put("route", "2", route("/b", "b")).exit == 0);
}

TEST_CASE("etcd: the metrics tell whether it is reached, and how far", "[e2e][etcd]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    put_in(etcd, "/apisix/routes/1", route("/a", "a"));
    put_in(etcd, "/apisix/ssls/1", "{}");
    Gate gate(etcd.port());
    GatewayProcess gateway(with_etcd("http://127.0.0.1:" + std::to_string(gate.port())));
    const auto port = gateway.status().at("metrics_port").to_number<std::uint16_t>();
    const auto scrape = [&] { return fetch(port, "GET", "/apisix/prometheus/metrics").body; };
    const auto value = [&](const std::string& series) {
        const std::string text = scrape();
        const std::size_t at = text.find("\napisix_etcd_" + series + " ");
        return at == std::string::npos ? -1 : std::stoi(text.substr(text.find("} ", at) + 2));
    };
    const auto tells = [&](const std::string& line) {
        return eventually([&] { return scrape().find("\napisix_etcd_" + line + "\n") != std::string::npos; });
    };
    CHECK(tells("reachable 1"));
    CHECK(eventually([&] { return value("modify_indexes{key=\"ssls\"}") > value("modify_indexes{key=\"routes\"}"); }));
    const int routes = value("modify_indexes{key=\"routes\"}");
    CHECK(routes > 0);
    CHECK(value("modify_indexes{key=\"max_modify_index\"}") == value("modify_indexes{key=\"ssls\"}"));
    CHECK(value("modify_indexes{key=\"services\"}") == -1);
    put_in(etcd, "/apisix/routes/2", route("/b", "b"));
    CHECK(eventually([&] { return value("modify_indexes{key=\"routes\"}") == routes + 2; }));
    CHECK(tells("modify_indexes{key=\"prev_index\"} " + std::to_string(routes + 2)));
    CHECK(tells("modify_indexes{key=\"x_etcd_index\"} " + std::to_string(routes + 2)));
    Fault cut;
    cut.close_after = 0;
    gate.from_target(cut);
    gate.reset_all();
    CHECK(tells("reachable 0"));
    CHECK(tells("modify_indexes{key=\"routes\"} " + std::to_string(routes + 2)));
    gate.from_target({});
    CHECK(tells("reachable 1"));
}

TEST_CASE("etcd: down at the start, the last good revision serves within a second", "[e2e][etcd]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    put_in(etcd, "/apisix/routes/1", route("/a", "a"));
    GatewayProcess gateway(with_etcd(etcd.url()));
    CHECK(body(gateway, "/a") == "a");
    gateway.stop(SIGTERM);
    etcd.stop();
    const auto begin = Clock::now();
    const Process again({program("gatewayd"), "-c", gateway.config()}, gateway.folder() / "output2",
                        {"LOGS_DIRECTORY=" + (gateway.folder() / ".").string()});
    REQUIRE(eventually([&] { return gateway.ready(); }));
    CHECK(since(begin) <= 1000ms * patience);
    const auto port = gateway.status().at("listeners").at(0).at("port").to_number<std::uint16_t>();
    CHECK(fetch(port, "GET", "/a").body == "a");
    CHECK_FALSE(text_in(gateway, "store_problem").empty());
    CHECK_THAT(again.output(), contains("the last good revision is used"));
    etcd.start();
    put_in(etcd, "/apisix/routes/1", route("/a", "b"));
    CHECK(eventually([&] { return fetch(port, "GET", "/a").body == "b"; }));
}

TEST_CASE("etcd: down at the very first start there is no configuration, and then there is", "[e2e][etcd]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    put_in(etcd, "/apisix/routes/1", route("/a", "a"));
    etcd.stop();
    GatewayOptions options = with_etcd(etcd.url());
    options.wait = false;
    GatewayProcess gateway(options);
    CHECK(eventually([&] { return text_in(gateway, "store_problem").find("127.0.0.1") != std::string::npos; }));
    CHECK(gateway.ctl({"status"}).exit == 4);
    etcd.start();
    CHECK(eventually([&] { return gateway.ctl({"status"}).exit == 0; }, 20s));
    CHECK(body(gateway, "/a") == "a");
}

TEST_CASE("etcd: an object with a time to live stays while etcd is down, and goes when it is back", "[e2e][etcd]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    GatewayProcess gateway(with_etcd(etcd.url()));
    const std::string key = "X-API-KEY: " + gateway.admin_key() + "\r\n";
    const auto put = [&](std::string_view target, std::string_view uri) {
        return fetch(gateway.admin_port(), "PUT", "/apisix/admin" + std::string(target), key, route(uri, "a")).status();
    };
    REQUIRE(put("/routes/1?ttl=2", "/a") == 201);
    REQUIRE(put("/routes/2", "/b") == 201);
    CHECK(body(gateway, "/a") == "a");
    etcd.stop();
    const pid_t before = gateway.control();
    ::kill(before, SIGKILL);
    REQUIRE(eventually([&] { return gateway.control() > 0 && gateway.control() != before; }, 20s));
    CHECK(put("/routes/3?ttl=2", "/c") == 503);
    CHECK(body(gateway, "/a") == "a");
    etcd.start();
    CHECK(eventually([&] { return status_of(gateway, "/a") == 404; }, 20s));
    CHECK(body(gateway, "/b") == "a");
}

TEST_CASE("etcd: control and its binary are replaced without a gap", "[e2e][etcd]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    put_in(etcd, "/apisix/routes/1", route("/a", "a"));
    GatewayProcess gateway(with_etcd(etcd.url()));
    CHECK(body(gateway, "/a") == "a");
    const pid_t before = gateway.control();
    ::kill(before, SIGKILL);
    put_in(etcd, "/apisix/routes/1", route("/a", "b"));
    CHECK(eventually([&] { return body(gateway, "/a") == "b"; }));
    REQUIRE(eventually([&] { return gateway.control() != before && gateway.ready(); }));
    CHECK(gateway.put("route", "1", route("/a", "c")).exit == 0);
    CHECK(body(gateway, "/a") == "c");
    CHECK(gateway.ctl({"reload"}).exit == 0);
    CHECK(body(gateway, "/a") == "c");

    const pid_t old = gateway.control();
    gateway.master().signal(SIGUSR2);
    const bool replaced = eventually([&] { return gateway.control() != old && gateway.control() > 0; }, 20s);
    INFO(gateway.log());
    REQUIRE(replaced);
    put_in(etcd, "/apisix/routes/1", route("/a", "d"));
    CHECK(eventually([&] { return body(gateway, "/a") == "d"; }));
    CHECK(eventually([&] { return gateway.put("route", "1", route("/a", "e")).exit == 0; }));
    CHECK(body(gateway, "/a") == "e");
}

TEST_CASE("etcd: its settings are named when a reload changes them; another provider needs a restart", "[e2e][etcd]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    put_in(etcd, "/apisix/routes/1", route("/a", "a"));
    GatewayProcess gateway(with_etcd(etcd.url()));
    CHECK(body(gateway, "/a") == "a");
    std::string text = gateway.folder().read("gateway.yaml");
    gateway.write_static(text + "\n# another line\n");
    CHECK(gateway.ctl({"reload"}).exit == 0);
    const std::size_t at = text.find("  etcd:\n");
    REQUIRE(at != std::string::npos);
    gateway.write_static(std::string(text).insert(at + 8, "    timeout: 7\n"));
    const RunResult changed = gateway.ctl({"reload"});
    CHECK(changed.exit == 0);
    CHECK_THAT(changed.out, contains("deployment.etcd"));
    gateway.write_static(std::string(text).insert(at, "  role_traditional: {config_provider: local}\n"));
    const RunResult refused = gateway.ctl({"reload"});
    CHECK(refused.exit != 0);
    CHECK_THAT(refused.out, contains("by a restart only"));
    CHECK(body(gateway, "/a") == "a");
}
