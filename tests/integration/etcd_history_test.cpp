// The history of gateways whose objects are in a real etcd.
#include <signal.h>

#include <filesystem>

#include "libgateway/store/database.hpp"
#include "tests/integration/etcd_story.hpp"

using namespace gateway::test;
using namespace std::chrono_literals;

namespace {

// The newest row.
boost::json::value newest(const GatewayProcess& gateway) {
    return json_of(gateway, {"history", "-n", "1"}).at(0);
}
std::string text_of(const boost::json::value& row, std::string_view member) {
    return std::string(row.at(member).as_string());
}
std::string number_of(const boost::json::value& row) {
    return std::to_string(row.at("revision").to_number<std::uint64_t>());
}
// The newest row once it is one of that action.
boost::json::value row_of(const GatewayProcess& gateway, std::string_view action) {
    boost::json::value row;
    CHECK(eventually([&] {
        row = newest(gateway);
        return text_of(row, "action") == action;
    }));
    return row;
}
std::string since_text(const GatewayProcess& gateway, const std::string& number) {
    return gateway.ctl({"diff", "--rev", number}).out;
}
Process started_again(const GatewayProcess& gateway) {
    return Process({program("gatewayd"), "-c", gateway.config()}, gateway.folder() / "output2",
                   {"LOGS_DIRECTORY=" + (gateway.folder() / ".").string()});
}

}  // namespace

TEST_CASE("etcd, history: what is written here and elsewhere is told, with who and from where", "[e2e][etcd_history]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    put_in(etcd, "/apisix/routes/old", route("/old", "old"));
    GatewayProcess gateway(with_etcd(etcd.url()));
    const auto first = newest(gateway);
    CHECK(first.at("action") == "start");
    CHECK(first.at("author") == "etcd");
    CHECK(text_of(first, "source") == etcd.url() + "/apisix");
    CHECK_THAT(gateway.ctl({"history", number_of(first)}).out, contains("+ routes/old"));
    REQUIRE(done(gateway.put("route", "a", route("/a", "one"))));
    CHECK(newest(gateway).at("action") == "put");
    CHECK(newest(gateway).at("author") == "gatewayctl");
    put_in(etcd, "/apisix/routes/a", route("/a", "two"));
    const auto outside = row_of(gateway, "etcd");
    CHECK(outside.at("author") == "etcd");
    CHECK_THAT(text_of(outside, "source"), contains(etcd.url() + "/apisix at "));
    const auto change = json_of(gateway, {"history", number_of(outside)}).at("difference").at(0);
    CHECK(change.at("object") == "routes/a");
    CHECK(change.at("change") == "changed");
    CHECK_THAT(since_text(gateway, number_of(first)), contains("+ routes/a"));
    // A write that came back by the watch is no second row.
    REQUIRE(done(gateway.put("route", "b", route("/b", "b"))));
    REQUIRE(done(gateway.put("route", "c", route("/c", "c"))));
    CHECK(json_of(gateway, {"history"}).as_array().size() == 5);
}

TEST_CASE("etcd, history: a file is compared with what etcd holds, a route file that is not read with nothing",
          "[e2e][etcd_history]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    GatewayOptions options = with_etcd(etcd.url());
    options.routes = "routes:\n  - {id: a, uri: /a, plugins: {mocking: {response_example: one}}}\n";
    GatewayProcess gateway(options);
    REQUIRE(done(gateway.put("route", "a", route("/a", "one"))));
    const RunResult bare = gateway.ctl({"diff"});
    CHECK(bare.exit == 2);
    CHECK_THAT(bare.out, contains("objects are in etcd: diff needs a FILE, or --rev N"));
    const std::string own = (gateway.folder() / "routes.yaml").string();
    CHECK_THAT(gateway.ctl({"diff", own}).out, contains("no difference"));
    gateway.write_routes("routes: []\n");
    CHECK_THAT(gateway.ctl({"diff", own}).out, contains("- routes/a"));
    CHECK(body(gateway, "/a") == "one");
}

TEST_CASE("etcd, history: a rollback is written to etcd, and live on the other gateway", "[e2e][etcd_history]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    GatewayProcess a(with_etcd(etcd.url())), b(with_etcd(etcd.url()));
    REQUIRE(done(a.put("route", "a", route("/a", "one"))));
    REQUIRE(done(a.put("consumer", "jack", R"({"username":"jack"})")));
    const std::string good = number_of(newest(a));
    REQUIRE(done(a.put("route", "a", route("/a", "two"))));
    REQUIRE(done(a.put("consumer", "rose", R"({"username":"rose"})")));
    REQUIRE(done(a.put("consumer", "rose/credentials/c", R"({"plugins":{"key-auth":{"key":"k"}}})")));
    REQUIRE(done(a.ctl({"delete", "consumer", "jack"})));
    put_in(etcd, "/apisix/routes/more", route("/more", "more"));
    REQUIRE(eventually([&] { return body(a, "/more") == "more"; }));
    const RunResult back = a.ctl({"rollback", good});
    INFO(back.out);
    REQUIRE(done(back));
    CHECK(newest(a).at("action") == "rollback");
    CHECK(text_of(newest(a), "source") == "revision " + good);
    CHECK(body(a, "/a") == "one");
    CHECK(status_of(a, "/more") == 404);
    CHECK_THAT(value_in(etcd, "/apisix/routes/a"), contains("\"one\""));
    CHECK(value_in(etcd, "/apisix/routes/more").empty());
    CHECK(value_in(etcd, "/apisix/consumers/rose/credentials/c").empty());
    CHECK_FALSE(value_in(etcd, "/apisix/consumers/jack").empty());
    CHECK_THAT(since_text(a, good), contains("no difference"));
    CHECK(eventually([&] { return body(b, "/a") == "one" && status_of(b, "/more") == 404; }));
    CHECK_THAT(a.ctl({"rollback", good}).out, contains("0 changes"));
}

TEST_CASE("etcd, history: what cannot be rolled back is refused, says why and changes nothing", "[e2e][etcd_history]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    GatewayProcess gateway(with_etcd(etcd.url()));
    REQUIRE(done(gateway.put("route", "a", route("/a", "one"))));
    const std::string good = number_of(newest(gateway));
    SECTION("a revision that is not in the history of this machine") {
        const RunResult refused = gateway.ctl({"rollback", "999"});
        CHECK(refused.exit == 1);
        CHECK_THAT(refused.out, contains("revision 999 is not in the history, whose oldest is "));
    }
    SECTION("more objects than etcd takes at once") {
        for (int i = 0; i < 150; ++i)
            put_in(etcd, "/apisix/routes/" + std::to_string(i), route("/m/" + std::to_string(i), "m"));
        REQUIRE(eventually([&] { return body(gateway, "/m/149") == "m"; }, 20s));
        const RunResult refused = gateway.ctl({"rollback", good});
        CHECK(refused.exit == 1);
        CHECK_THAT(refused.out, contains("etcd does not take 150 writes as one"));
        CHECK(body(gateway, "/m/149") == "m");
        CHECK_FALSE(value_in(etcd, "/apisix/routes/0").empty());
    }
    SECTION("an object whose value in etcd is not the one in force") {
        REQUIRE(done(gateway.put("route", "a", route("/a", "two"))));
        put_in(etcd, "/apisix/routes/a", R"({"uri":5})");
        REQUIRE(eventually([&] { return gateway.log().find("it stays as it was") != std::string::npos; }));
        const RunResult refused = gateway.ctl({"rollback", good});
        CHECK(refused.exit == 1);
        CHECK_THAT(refused.out, contains("value changed before overwritten: route [a] has revision "));
        CHECK(body(gateway, "/a") == "two");
    }
    SECTION("etcd is not there") {
        REQUIRE(done(gateway.put("route", "a", route("/a", "two"))));
        etcd.stop();
        const RunResult refused = gateway.ctl({"rollback", good});
        CHECK(refused.exit == 1);
        CHECK_THAT(refused.out, contains("etcd: "));
        CHECK(body(gateway, "/a") == "two");
        // The history itself is on this machine.
        CHECK_THAT(since_text(gateway, good), contains("~ routes/a"));
    }
}

TEST_CASE("etcd, history: what changed while the gateway did not run is one row of its next start",
          "[e2e][etcd_history]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    GatewayProcess gateway(with_etcd(etcd.url()));
    REQUIRE(done(gateway.put("route", "a", route("/a", "one"))));
    REQUIRE(done(gateway.put("route", "b", route("/b", "b"))));
    const std::string good = number_of(newest(gateway));
    REQUIRE(gateway.stop(SIGTERM) == 0);
    put_in(etcd, "/apisix/routes/a", route("/a", "two"));
    delete_in(etcd, "/apisix/routes/b");
    bool down = false;
    SECTION("etcd is there at the start") {}
    SECTION("etcd comes later") {
        down = true;
        etcd.stop();
    }
    const Process again = started_again(gateway);
    REQUIRE(eventually([&] { return gateway.ready(); }, 20s));
    if (down) etcd.start();
    const auto port = gateway.status().at("listeners").at(0).at("port").to_number<std::uint16_t>();
    CHECK(eventually([&] { return fetch(port, "GET", "/a").body == "two"; }, 20s));
    CHECK(eventually([&] { return since_text(gateway, good).find("- routes/b") != std::string::npos; }, 20s));
    CHECK_THAT(since_text(gateway, good), contains("~ routes/a"));
    CHECK_THAT(since_text(gateway, good), !contains("+ routes/"));
    REQUIRE(done(gateway.ctl({"rollback", good})));
    CHECK(fetch(port, "GET", "/a").body == "one");
    CHECK(fetch(port, "GET", "/b").body == "b");
}

TEST_CASE("etcd, history: where it cannot be kept changes go on, and it catches up", "[e2e][etcd_history]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    GatewayProcess gateway(with_etcd(etcd.url()));
    REQUIRE(done(gateway.put("route", "a", route("/a", "one"))));
    const std::string good = number_of(newest(gateway));
    {
        gateway::store::Database other((gateway.folder() / "data/history.db").string());
        other.execute("BEGIN IMMEDIATE");
        REQUIRE(done(gateway.put("route", "a", route("/a", "two"))));
        CHECK(body(gateway, "/a") == "two");
        CHECK_THAT(text_in(gateway, "store_problem"), contains("history: "));
        CHECK(gateway.ready());
    }
    CHECK(eventually([&] { return since_text(gateway, good).find("~ routes/a") != std::string::npos; }, 30s));
    CHECK(text_in(gateway, "store_problem").empty());
    REQUIRE(done(gateway.ctl({"rollback", good})));
    CHECK(body(gateway, "/a") == "one");
}

TEST_CASE("etcd, history: control is killed and goes on with the history it had", "[e2e][etcd_history]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    GatewayProcess gateway(with_etcd(etcd.url()));
    REQUIRE(done(gateway.put("route", "a", route("/a", "one"))));
    const std::string good = number_of(newest(gateway));
    const pid_t before = gateway.control();
    ::kill(before, SIGKILL);
    REQUIRE(eventually([&] { return gateway.control() > 0 && gateway.control() != before && gateway.ready(); }, 20s));
    REQUIRE(eventually([&] { return done(gateway.put("route", "a", route("/a", "two"))); }, 20s));
    CHECK_THAT(since_text(gateway, good), contains("~ routes/a"));
    REQUIRE(done(gateway.ctl({"rollback", good})));
    CHECK(body(gateway, "/a") == "one");
}
