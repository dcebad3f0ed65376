// The Admin API of gateways whose objects are in a real etcd: what is written there, and what other gateways make of
// it.
#include <atomic>
#include <set>
#include <thread>

#include "libgateway/json/value.hpp"
#include "tests/integration/etcd_story.hpp"

using namespace gateway::test;
using namespace std::chrono_literals;
namespace json = gateway::json;

namespace {

// A gateway with its Admin API.
class House {
public:
    explicit House(const std::string& etcd, std::string further = {})
        : gateway(with_etcd(etcd, std::move(further))), port_(gateway.admin_port()), key_(gateway.admin_key()) {}

    Message ask(std::string_view method, const std::string& target, std::string_view text = {},
                std::string lines = {}) const {
        lines += "X-API-KEY: " + key_ + "\r\n";
        return fetch(port_, method, "/apisix/admin" + target, lines, text);
    }
    int status(std::string_view method, const std::string& target, std::string_view text = {},
               std::string lines = {}) const {
        const Message answer = ask(method, target, text, std::move(lines));
        UNSCOPED_INFO(method << " " << target << ": " << answer.body);
        return answer.status();
    }
    std::uint64_t index_of(const std::string& target) const {
        const json::Value one = json::parse(ask("GET", target).body);
        return std::stoull(one.find("modifiedIndex")->number());
    }

    GatewayProcess gateway;

private:
    std::uint16_t port_;
    std::string key_;
};

json::Value object_in(const EtcdServer& etcd, std::string_view key) {
    const std::string text = value_in(etcd, key);
    INFO(key);
    REQUIRE_FALSE(text.empty());
    return json::parse(text);
}
std::set<std::string> members_of(const json::Value& object) {
    std::set<std::string> names;
    for (const json::Member& one : object.members()) names.insert(one.key);
    return names;
}
bool has_lease(const EtcdServer& etcd, std::string_view key) {
    return entry_in(etcd, key).as_object().contains("lease");
}
// How long it took until the gateway answered so; a failure if it never did.
milliseconds until(GatewayProcess& gateway, std::string_view target, std::string_view answer) {
    const auto begin = Clock::now();
    CHECK(eventually([&] { return body(gateway, target) == answer; }));
    return since(begin);
}

}  // namespace

TEST_CASE("etcd, Admin API: PUT, POST, PATCH and DELETE are in etcd and live on both gateways", "[e2e][etcd_admin]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    House a(etcd.url()), b(etcd.url());
    milliseconds worst{0};
    const auto live = [&](std::string_view target, std::string_view answer) {
        CHECK(body(a.gateway, target) == answer);
        worst = std::max(worst, until(b.gateway, target, answer));
    };
    REQUIRE(a.status("PUT", "/routes/1", route("/a", "one")) == 201);
    live("/a", "one");
    const json::Value made = object_in(etcd, "/apisix/routes/1");
    CHECK(members_of(made) == std::set<std::string>{"id", "uri", "plugins", "create_time", "update_time"});
    CHECK(made.find("id")->string() == "1");
    CHECK(a.index_of("/routes/1") ==
          std::stoull(std::string(entry_in(etcd, "/apisix/routes/1").at("mod_revision").as_string())));
    REQUIRE(b.status("PUT", "/routes/1", route("/a", "two")) == 200);
    CHECK(body(b.gateway, "/a") == "two");
    worst = std::max(worst, until(a.gateway, "/a", "two"));
    CHECK(object_in(etcd, "/apisix/routes/1").find("create_time")->number() == made.find("create_time")->number());

    REQUIRE(a.status("PATCH", "/routes/1", R"({"desc":"x","priority":1234567890})") == 200);
    CHECK(object_in(etcd, "/apisix/routes/1").find("desc")->string() == "x");
    CHECK_THAT(value_in(etcd, "/apisix/routes/1"), contains("\"priority\":1234567890"));
    REQUIRE(a.status("PATCH", "/routes/1/plugins/mocking", R"({"response_example":"three"})") == 200);
    live("/a", "three");
    REQUIRE(a.status("PATCH", "/routes/1", R"({"desc":null})") == 200);
    CHECK_FALSE(object_in(etcd, "/apisix/routes/1").find("desc"));

    const json::Value posted = json::parse(a.ask("POST", "/routes", route("/posted", "p")).body);
    const std::string id = posted.find("value")->find("id")->string();
    CHECK(id.size() == 20);
    CHECK(posted.find("key")->string() == "/apisix/routes/" + id);
    CHECK(object_in(etcd, "/apisix/routes/" + id).find("uri")->string() == "/posted");
    live("/posted", "p");
    REQUIRE(a.status("DELETE", "/routes/1") == 200);
    CHECK(value_in(etcd, "/apisix/routes/1").empty());
    CHECK(status_of(a.gateway, "/a") == 404);
    CHECK(eventually([&] { return status_of(b.gateway, "/a") == 404; }));
    CHECK(a.status("GET", "/routes/1") == 404);
    CHECK(worst <= 200ms * patience);
}

TEST_CASE("etcd, Admin API: ids that two gateways make are never the same", "[e2e][etcd_admin]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    House a(etcd.url());
    for (int i = 0; i < 20; ++i) REQUIRE(a.status("POST", "/routes", route("/a" + std::to_string(i), "a")) == 201);
    // One that has seen none of the first one's revisions by number.
    House b(etcd.url());
    for (int i = 0; i < 20; ++i) {
        REQUIRE(b.status("POST", "/routes", route("/b" + std::to_string(i), "b")) == 201);
        REQUIRE(a.status("POST", "/routes", route("/c" + std::to_string(i), "c")) == 201);
    }
    CHECK(eventually([&] {
        const json::Value all = json::parse(a.ask("GET", "/routes").body);
        return all.find("total")->number() == "60";
    }));
    CHECK(body(a.gateway, "/b19") == "b");
}

TEST_CASE("etcd, Admin API: If-Match compares with etcd's revisions", "[e2e][etcd_admin]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    House a(etcd.url()), b(etcd.url());
    const auto match = [](std::uint64_t index) { return "If-Match: " + std::to_string(index) + "\r\n"; };
    REQUIRE(a.status("PUT", "/routes/1", route("/a", "one")) == 201);
    const std::uint64_t first = a.index_of("/routes/1");
    REQUIRE(eventually([&] { return b.ask("GET", "/routes/1").status() == 200; }));
    REQUIRE(b.index_of("/routes/1") == first);
    REQUIRE(b.status("PUT", "/routes/1", route("/a", "two"), match(first)) == 200);
    CHECK(a.status("PUT", "/routes/1", route("/a", "late"), match(first)) == 412);
    CHECK(a.status("DELETE", "/routes/1", {}, match(first)) == 412);
    CHECK(a.status("PATCH", "/routes/1", R"({"desc":"late"})", match(first)) == 412);
    CHECK(value_in(etcd, "/apisix/routes/1").find("late") == std::string::npos);
    REQUIRE(eventually([&] { return a.index_of("/routes/1") > first; }));
    CHECK(a.status("DELETE", "/routes/1", {}, match(a.index_of("/routes/1"))) == 200);
    CHECK(value_in(etcd, "/apisix/routes/1").empty());
}

namespace {

// Each PATCH adds a label of its own; one that lost its race is made again.
void add_labels(const House& house, const std::string& who, int count, std::atomic<int>& lost) {
    for (int i = 0; i < count;) {
        const Message answer =
            house.ask("PATCH", "/routes/1", R"({"labels":{")" + who + std::to_string(i) + R"(":"x"}})");
        const bool raced = answer.status() == 503 && answer.body.find("value changed") != std::string::npos;
        if (raced) ++lost;
        if (answer.status() != 200 && !raced) return;
        if (answer.status() == 200) ++i;
    }
}

}  // namespace

TEST_CASE("etcd, Admin API: two gateways that PATCH one object lose nothing of each other", "[e2e][etcd_admin]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    House a(etcd.url()), b(etcd.url());
    REQUIRE(a.status("PUT", "/routes/1", route("/a", "one")) == 201);
    REQUIRE(eventually([&] { return b.ask("GET", "/routes/1").status() == 200; }));
    std::atomic<int> lost = 0;
    std::thread other([&] { add_labels(b, "b", 25, lost); });
    add_labels(a, "a", 25, lost);
    other.join();
    INFO("lost races: " << lost);
    const json::Value route = object_in(etcd, "/apisix/routes/1");
    REQUIRE(route.find("labels"));
    CHECK(members_of(*route.find("labels")).size() == 50);
}

TEST_CASE("etcd, Admin API: who still uses an object is known wherever it was written", "[e2e][etcd_admin]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    House a(etcd.url()), b(etcd.url());
    REQUIRE(a.status("PUT", "/upstreams/u", R"({"nodes":{"127.0.0.1:1":1}})") == 201);
    CHECK(a.status("PUT", "/routes/1", R"({"uri":"/a","upstream_id":"none"})") == 400);
    REQUIRE(eventually([&] { return b.ask("GET", "/upstreams/u").status() == 200; }));
    REQUIRE(b.status("PUT", "/services/s", R"({"upstream_id":"u"})") == 201);
    REQUIRE(b.status("PUT", "/routes/1", R"({"uri":"/a","service_id":"s"})") == 201);
    REQUIRE(eventually([&] { return a.ask("GET", "/routes/1").status() == 200; }));
    CHECK_THAT(a.ask("DELETE", "/upstreams/u").body,
               contains("can not delete this upstream, service [s] is still using it now"));
    CHECK_THAT(a.ask("DELETE", "/services/s").body,
               contains("can not delete this service directly, route [1] is still using it now"));
    REQUIRE(a.status("DELETE", "/routes/1") == 200);
    REQUIRE(a.status("DELETE", "/services/s") == 200);
    CHECK(a.status("DELETE", "/upstreams/u") == 200);
    CHECK(value_in(etcd, "/apisix/upstreams/u").empty());
}

TEST_CASE("etcd, Admin API: consumers, credentials, groups and metadata stand in the reference's layout",
          "[e2e][etcd_admin]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    House a(etcd.url()), b(etcd.url());
    REQUIRE(a.status("PUT", "/consumer_groups/g", R"({"plugins":{}})") == 201);
    REQUIRE(a.status("PUT", "/consumers", R"({"username":"jack","group_id":"g"})") == 201);
    REQUIRE(a.status("PUT", "/consumers/jack/credentials/c1", R"({"plugins":{"key-auth":{"key":"k"}}})") == 201);
    REQUIRE(a.status("PUT", "/plugin_configs/p", R"({"plugins":{"key-auth":{}}})") == 201);
    REQUIRE(a.status("PUT", "/global_rules/r", R"({"plugins":{"request-id":{}}})") == 201);
    REQUIRE(a.status("PUT", "/plugin_metadata/http-logger", R"({"log_format":{"h":"$host"}})") == 201);
    REQUIRE(a.status("PUT", "/routes/1", R"({"plugin_config_id":"p",)" + route("/a", "a").substr(1)) == 201);
    CHECK(object_in(etcd, "/apisix/consumers/jack").find("username")->string() == "jack");
    CHECK(object_in(etcd, "/apisix/consumers/jack/credentials/c1").find("id")->string() == "c1");
    for (const char* key : {"consumer_groups/g", "plugin_configs/p", "global_rules/r", "plugin_metadata/http-logger"})
        CHECK_FALSE(value_in(etcd, std::string("/apisix/") + key).empty());
    const auto with_key = [&](std::string_view key) {
        return fetch(b.gateway.port(), "GET", "/a", "apikey: " + std::string(key) + "\r\n").status();
    };
    CHECK(eventually([&] { return with_key("k") == 200; }));
    CHECK(with_key("other") == 401);
    CHECK_THAT(b.ask("GET", "/consumers/jack/credentials/c1").body, contains("\"id\":\"c1\""));
    CHECK_THAT(b.ask("PUT", "/consumers", R"({"username":"rose","plugins":{"key-auth":{"key":"k"}}})").body,
               contains("duplicate key of plugin key-auth found with credential: c1 of consumer: jack"));
    REQUIRE(b.status("DELETE", "/consumers/jack") == 200);
    CHECK(value_in(etcd, "/apisix/consumers/jack/credentials/c1").empty());
    CHECK(eventually([&] { return a.ask("GET", "/consumers/jack").status() == 404; }));
}

TEST_CASE("etcd, Admin API: a time to live is a lease, and PATCH keeps it", "[e2e][etcd_admin]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    House a(etcd.url()), b(etcd.url());
    REQUIRE(a.status("PUT", "/routes/1?ttl=600", route("/a", "a")) == 201);
    CHECK(has_lease(etcd, "/apisix/routes/1"));
    REQUIRE(a.status("PATCH", "/routes/1", R"({"desc":"x"})") == 200);
    CHECK(has_lease(etcd, "/apisix/routes/1"));
    REQUIRE(a.status("PATCH", "/routes/1?ttl=0", R"({"desc":"y"})") == 200);
    CHECK_FALSE(has_lease(etcd, "/apisix/routes/1"));
    REQUIRE(a.status("PUT", "/routes/2?ttl=1", route("/soon", "s")) == 201);
    CHECK(body(a.gateway, "/soon") == "s");
    CHECK(
        eventually([&] { return status_of(a.gateway, "/soon") == 404 && status_of(b.gateway, "/soon") == 404; }, 30s));
    CHECK(a.status("GET", "/routes/2") == 404);
    CHECK(body(a.gateway, "/a") == "a");
}

TEST_CASE("etcd, Admin API: many objects in one request are one revision of etcd, or none", "[e2e][etcd_admin]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    House a(etcd.url()), b(etcd.url());
    const std::string good = R"({"services":[{"id":"s"}],"routes":[{"id":"1","service_id":"s",)" +
                             route("/one", "one").substr(1) + R"(,{"id":"2",)" + route("/two", "two").substr(1) + "]}";
    REQUIRE(a.status("PUT", "/configs", good) == 200);
    CHECK(body(a.gateway, "/two") == "two");
    until(b.gateway, "/one", "one");
    const auto revision = [&](const char* key) { return entry_in(etcd, key).at("mod_revision"); };
    CHECK(revision("/apisix/routes/1") == revision("/apisix/services/s"));
    REQUIRE(a.status("PUT", "/configs", R"({"routes":[{"id":"1","uri":"/new","plugins":{}},{"id":"3","uri":3}]})") ==
            400);
    CHECK(body(a.gateway, "/one") == "one");
    CHECK(json::parse(a.ask("PUT", "/configs", good).body).find("unchanged")->number() == "3");
    REQUIRE(a.status("PUT", "/configs?prune=true", R"({"services":[{"id":"s"}]})") == 200);
    CHECK(value_in(etcd, "/apisix/routes/2").empty());
    CHECK(eventually([&] { return status_of(b.gateway, "/two") == 404; }));
}

namespace {

std::string many_routes(int count) {
    std::string text = "{\"routes\":[";
    for (int i = 0; i < count; ++i) {
        const std::string id = std::to_string(i);
        text.append(i == 0 ? "" : ",").append("{\"id\":\"").append(id).append("\",");
        text.append(route("/m/" + id, "m").substr(1));
    }
    return text + "]}";
}

}  // namespace

TEST_CASE("etcd, Admin API: more objects than etcd takes at once are refused as a whole, and the flag is named",
          "[e2e][etcd_admin]") {
    if (without_etcd()) return;
    SECTION("the default of etcd") {
        EtcdServer etcd;
        House a(etcd.url());
        CHECK(a.status("PUT", "/configs", many_routes(128)) == 200);
        REQUIRE(a.status("PUT", "/configs?prune=true", "{}") == 200);
        const Message refused = a.ask("PUT", "/configs", many_routes(129));
        CHECK(refused.status() == 400);
        CHECK_THAT(refused.body,
                   contains("etcd does not take 129 writes as one (its --max-txn-ops is 128 by default)"));
        const auto file = a.gateway.folder().write("many.json", many_routes(129));
        const RunResult applied = a.gateway.ctl({"apply", file.string()});
        CHECK(applied.exit == 1);
        CHECK_THAT(applied.out, contains("--max-txn-ops"));
        CHECK(status_of(a.gateway, "/m/1") == 404);
        CHECK(value_in(etcd, "/apisix/routes/0").empty());
        CHECK(a.status("PUT", "/routes/1", route("/a", "a")) == 201);
    }
    SECTION("with a higher limit, and objects that are too large together") {
        EtcdServer etcd({"--max-txn-ops", "1000"});
        House a(etcd.url());
        CHECK(a.status("PUT", "/configs", many_routes(500)) == 200);
        CHECK(body(a.gateway, "/m/499") == "m");
        const std::string large = route("/large", std::string(60'000, 'x'));
        std::string text = "{\"routes\":[";
        for (int i = 0; i < 40; ++i)
            text.append(i == 0 ? "" : ",").append("{\"id\":\"l" + std::to_string(i) + "\",").append(large.substr(1));
        const auto file = a.gateway.folder().write("large.json", text + "]}");
        const RunResult applied = a.gateway.ctl({"apply", file.string()});
        CHECK(applied.exit == 1);
        CHECK_THAT(applied.out, contains("--max-request-bytes"));
        CHECK(value_in(etcd, "/apisix/routes/l0").empty());
    }
}

TEST_CASE("etcd, Admin API: stopped it answers 503 and traffic goes on; back it works within a second",
          "[e2e][etcd_admin]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    House a(etcd.url()), b(etcd.url());
    REQUIRE(a.status("PUT", "/routes/1", route("/a", "a")) == 201);
    until(b.gateway, "/a", "a");
    etcd.stop();
    for (const char* method : {"PUT", "PATCH", "DELETE"}) {
        const Message refused = a.ask(method, "/routes/1", route("/a", "lost"));
        CHECK(refused.status() == 503);
        CHECK_THAT(refused.body, contains("{\"error_msg\":\"etcd: "));
    }
    CHECK(a.status("POST", "/routes", route("/b", "b")) == 503);
    CHECK(a.status("PUT", "/configs", R"({"routes":[{"id":"9",)" + route("/9", "9").substr(1) + "]}") == 503);
    CHECK(a.status("GET", "/routes/1") == 200);
    CHECK(body(a.gateway, "/a") == "a");
    CHECK(body(b.gateway, "/a") == "a");
    CHECK(a.gateway.ready());
    etcd.start();
    const auto back = Clock::now();
    CHECK(eventually([&] { return a.ask("PUT", "/routes/1", route("/a", "again")).status() == 200; }));
    CHECK(since(back) <= 1000ms * patience);
    until(b.gateway, "/a", "again");
}

TEST_CASE("etcd, Admin API: an etcd that says nothing is a 503, never a silent half", "[e2e][etcd_admin]") {
    if (without_etcd()) return;
    EtcdServer etcd;
    House a(etcd.url(), "    timeout: 1\n");
    REQUIRE(a.status("PUT", "/routes/1", route("/a", "a")) == 201);
    etcd.freeze();
    const Message refused = a.ask("PUT", "/routes/1", route("/a", "b"));
    CHECK(refused.status() == 503);
    CHECK_THAT(refused.body, contains("etcd: "));
    CHECK(body(a.gateway, "/a") == "a");
    etcd.thaw();
    // Whether it was carried out or not: what is served is what etcd has.
    CHECK(eventually([&] {
        return body(a.gateway, "/a") ==
               (value_in(etcd, "/apisix/routes/1").find("\"b\"") != std::string::npos ? "b" : "a");
    }));
    CHECK(eventually([&] { return a.ask("PUT", "/routes/1", route("/a", "c")).status() == 200; }, 20s));
}
