// The acceptance scenarios of objects.md 14, by their ids, through the whole gateway. O5, O6 and O20 need Lua and
// are not here.
#include <signal.h>

#include <algorithm>
#include <memory>
#include <set>

#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;

namespace {

// Upstream u, and everything else as given.
GatewayOptions options_with(const ScriptedUpstream& upstream, const std::string& rest) {
    GatewayOptions options;
    options.routes =
        "upstreams:\n  - id: u\n    type: roundrobin\n    nodes: {" + node_map(upstream.node()) + "}\n" + rest;
    return options;
}

// The request as the upstream saw it; it answers with nothing of interest.
class House {
public:
    explicit House(const std::string& rest, int workers = 1, const std::string& apisix = "") {
        GatewayOptions options = options_with(upstream, rest);
        options.workers = workers;
        options.apisix = apisix;
        gateway = std::make_unique<GatewayProcess>(options);
    }
    Message get(std::string_view target, std::string_view lines = "apikey: k\r\n") {
        return fetch(gateway->port(), "GET", target, lines);
    }
    int status(std::string_view target, std::string_view lines = "apikey: k\r\n") {
        return get(target, lines).status();
    }
    // Values of x-test that the upstream saw of one more request, joined.
    std::string x_test(std::string_view target, std::string_view lines = "apikey: k\r\n") {
        const int answered = status(target, lines);
        if (answered != 200) return std::to_string(answered);
        const Message seen = upstream.requests().back();
        return std::to_string(seen.count("x-test")) + " " + std::string(seen.field("x-test"));
    }
    ScriptedUpstream upstream;
    std::unique_ptr<GatewayProcess> gateway;
};

std::string add(const std::string& value, const std::string& meta = "") {
    return "proxy-rewrite: {" + meta + "headers: {add: {x-test: " + value + "}}}";
}
std::string route(int id, const std::string& uri, const std::string& plugins, const std::string& more = "") {
    return "  - {id: " + std::to_string(id) + ", uri: " + uri + ", upstream_id: u, " + more + "plugins: {" + plugins +
           "}}\n";
}
std::string jack(const std::string& plugins, const std::string& more = "") {
    return "consumers:\n  - {username: jack, " + more + "plugins: {key-auth: {key: k}, " + plugins + "}}\n";
}
std::string limit(int count, const std::string& more = "") {
    return "limit-count: {count: " + std::to_string(count) + ", time_window: 60" + more + "}";
}
const std::string priority = "_meta: {priority: 3000}, ";

}  // namespace

TEST_CASE("consumers: O1, O3: a plugin on route and consumer runs once, as the consumer says, in any order",
          "[e2e][consumers]") {
    House house("routes:\n" + route(1, "/one", "key-auth: {}, " + add("route")) + route(2, "/two", "key-auth: {}") +
                    jack(add("consumer")),
                2);
    std::set<std::string> seen;
    for (int round = 0; round < 100; ++round) seen.insert(house.x_test(round % 2 ? "/two" : "/one"));
    CHECK(seen == std::set<std::string>{"1 consumer"});
}

TEST_CASE("consumers: O2, O4: priorities and a disabled entry change nothing about that", "[e2e][consumers]") {
    House house("routes:\n" + route(1, "/route", "key-auth: {}, " + add("route", priority)) +
                route(2, "/plain", "key-auth: {}, " + add("route")) +
                "consumers:\n"
                "  - {username: jack, plugins: {key-auth: {key: k}, " +
                add("consumer") +
                "}}\n"
                "  - {username: rose, plugins: {key-auth: {key: r}, " +
                add("consumer", priority) +
                "}}\n"
                "  - {username: none, plugins: {key-auth: {key: n}, proxy-rewrite: {_meta: {disable: true}}}}\n");
    CHECK(house.x_test("/route") == "1 consumer");
    CHECK(house.x_test("/plain", "apikey: r\r\n") == "1 consumer");
    CHECK(house.x_test("/route", "apikey: r\r\n") == "1 consumer");
    CHECK(house.x_test("/route", "apikey: n\r\n") == "0 ");
    CHECK(house.x_test("/plain", "apikey: n\r\n") == "0 ");
}

TEST_CASE("consumers: O7, O8, O19: the consumer beats its group; a group that is gone is 503", "[e2e][consumers]") {
    House house("routes:\n" + route(1, "/a", "key-auth: {}") + "consumer_groups:\n  - {id: g, plugins: {" + limit(5) +
                ", " + add("group") + "}}\n" + jack(limit(2), "group_id: g, "));
    CHECK(house.x_test("/a") == "1 group");
    CHECK(house.get("/a").field("x-ratelimit-limit") == "2");
    CHECK(house.status("/a") == 503);
    REQUIRE(house.gateway->put("consumer_group", "mine", R"({"plugins":{}})").exit == 0);
    REQUIRE(house.gateway
                ->put("consumer", "rose", R"({"username":"rose","group_id":"mine","plugins":{"key-auth":{"key":"r"}}})")
                .exit == 0);
    for (int i = 0; i < 6; ++i) CHECK(house.x_test("/a", "apikey: r\r\n") == "0 ");
    REQUIRE(house.gateway->ctl({"delete", "consumer_group", "mine"}).exit == 0);
    CHECK(house.get("/a", "apikey: r\r\n").field("x-ratelimit-limit") == "");
    CHECK(house.status("/a", "apikey: r\r\n") == 503);
}

TEST_CASE("consumers: O9, O10, O11: plugin config over route over service, a disabled entry switches off",
          "[e2e][consumers]") {
    const std::string rest =
        "services:\n  - {id: s, upstream_id: u, plugins: {" + limit(2) + "}}\nplugin_configs:\n  - {id: p, plugins: {" +
        limit(2) + ", ip-restriction: {whitelist: [127.0.0.1]}}}\nroutes:\n" +
        route(1, "/o9", limit(10), "plugin_config_id: p, ") + route(2, "/o10", limit(2000), "service_id: s, ") +
        route(3, "/o11", "limit-count: {_meta: {disable: true}}", "service_id: s, ");
    House house(rest);
    CHECK(house.get("/o9").field("x-ratelimit-limit") == "2");
    CHECK(house.get("/o10").field("x-ratelimit-limit") == "2000");
    CHECK(house.get("/o11").count("x-ratelimit-limit") == 0);
    const std::string explained = house.gateway->ctl({"explain", "GET", "/o9"}).out;
    CHECK(explained.find("ip-restriction") != std::string::npos);
    CHECK(explained.find("plugin_configs/p") != std::string::npos);
    CHECK(explained.find("routes/1 ") == std::string::npos);
    House other(rest, 1, "  compat: {plugin_config_overrides_route: false}\n");
    CHECK(other.get("/o9").field("x-ratelimit-limit") == "10");
}

TEST_CASE("consumers: O12, O13, O14: missing references; global rules on unknown paths and with one plugin twice",
          "[e2e][consumers]") {
    House house(
        "routes:\n  - {id: 1, uri: /config, upstream_id: u, plugin_config_id: none}\n"
        "  - {id: 2, uri: /service, service_id: none}\n"
        "  - {id: 3, uri: /upstream, upstream_id: none}\n"
        "global_rules:\n  - {id: 1, plugins: {response-rewrite: {headers: {set: {x-all: here}}}}}\n");
    CHECK(house.status("/config") == 503);
    CHECK(house.status("/service") == 404);
    CHECK(house.status("/upstream") == 502);
    const Message lost = house.get("/unknown");
    CHECK(lost.status() == 404);
    CHECK(lost.body == "{\"error_msg\":\"404 Route Not Found\"}\n");
    CHECK(lost.field("x-all") == "here");
    const std::string rule = R"({"plugins":{"limit-count":{"count":100,"time_window":60}}})";
    REQUIRE(house.gateway->put("global_rule", "2", rule).exit == 0);
    const RunResult twin = house.gateway->put("global_rule", "3", rule);
    CHECK(twin.exit == 1);
    CHECK(twin.out.find("plugin 'limit-count' already exists in global rule with id '2'") != std::string::npos);
}

TEST_CASE("consumers: O15, O18: forged fields do not count; consumers are refused by name", "[e2e][consumers]") {
    House house("routes:\n" + route(1, "/a", "key-auth: {}") +
                route(2, "/b", "key-auth: {}, consumer-restriction: {blacklist: [jack]}") + jack("") +
                "  - {id: jack/credentials/c1, plugins: {key-auth: {key: k1}}}\n");
    const std::string forged = "X-Consumer-Username: root\r\nX-Credential-Identifier: root\r\n";
    REQUIRE(house.status("/a", forged + "apikey: k\r\n") == 200);
    const Message seen = house.upstream.requests().back();
    CHECK(seen.count("x-consumer-username") == 1);
    CHECK(seen.field("x-consumer-username") == "jack");
    CHECK(seen.count("x-credential-identifier") == 0);
    REQUIRE(house.status("/a", forged + "apikey: k1\r\n") == 200);
    CHECK(house.upstream.requests().back().field("x-credential-identifier") == "c1");
    CHECK(house.get("/b").body == "{\"message\":\"The consumer_name is forbidden.\"}\n");
    CHECK(house.status("/b") == 403);
    CHECK(house.status("/b", "") == 401);
}

TEST_CASE("consumers: O16: what a consumer may replace waits for authentication", "[e2e][consumers]") {
    const auto blocks = [](const std::string& rule) { return "uri-blocker: {block_rules: [" + rule + "]}"; };
    House house("routes:\n" + route(1, "/a*", "key-auth: {}, " + blocks("one")) + jack(blocks("two")));
    CHECK(house.status("/a?one", "") == 401);
    CHECK(house.status("/a?one") == 200);
    CHECK(house.status("/a?two") == 403);
    // Without any consumer that names the plugin it runs where its priority puts it.
    REQUIRE(house.gateway
                ->reload(options_with(house.upstream,
                                      "routes:\n" + route(1, "/a*", "key-auth: {}, " + blocks("one")) + jack(""))
                             .routes)
                .exit == 0);
    CHECK(house.status("/a?one", "") == 403);
}

TEST_CASE("consumers: O17, O21, O22: the log line, filters once per request, error bodies", "[e2e][consumers]") {
    House house("routes:\n" +
                route(1, "/closed", "ip-restriction: {whitelist: [9.9.9.9], _meta: {error_response: {code: 1}}}") +
                route(3, "/limited", limit(1, ", _meta: {error_response: {code: 1}}")) +
                route(2, "/filtered", add("v2", "_meta: {filter: [[arg_v, ==, \"2\"]]}, ")));
    const Message closed = house.get("/closed");
    CHECK(closed.status() == 403);
    CHECK(closed.body == "{\"code\":1}\n");
    CHECK(eventually([&] {
        return house.gateway->log().find("ip-restriction exits with http status code 403") != std::string::npos;
    }));
    CHECK(house.status("/limited") == 200);
    const Message limited = house.get("/limited");
    CHECK(limited.status() == 503);
    CHECK(limited.body == "{\"code\":1}\n");
    CHECK(house.x_test("/filtered?v=2") == "1 v2");
    CHECK(house.x_test("/filtered?v=3") == "0 ");
}

TEST_CASE("consumers: an auth plugin in a global rule attaches the consumer before the route's plugins",
          "[e2e][consumers]") {
    House house("global_rules:\n  - {id: 1, plugins: {key-auth: {}}}\nroutes:\n" + route(1, "/a", add("route")) +
                "  - {id: 2, uri: /b, upstream_id: u}\n" + jack(add("consumer")));
    CHECK(house.x_test("/a") == "1 consumer");
    CHECK(house.x_test("/b") == "1 consumer");
    CHECK(house.status("/a", "") == 401);
    CHECK(house.status("/nowhere", "") == 401);
    CHECK(house.status("/nowhere") == 404);
}

TEST_CASE("consumers: put and deleted ones are live when the command returns, and outlive a worker",
          "[e2e][consumers]") {
    House house("routes:\n" + route(1, "/a", "key-auth: {}"));
    CHECK(house.status("/a") == 401);
    REQUIRE(house.gateway->put("consumer", "jack", R"({"username":"jack","plugins":{"key-auth":{"key":"k"}}})").exit ==
            0);
    CHECK(house.status("/a") == 200);
    REQUIRE(house.gateway->put("consumer", "jack/credentials/c1", R"({"plugins":{"key-auth":{"key":"k1"}}})").exit ==
            0);
    CHECK(house.status("/a", "apikey: k1\r\n") == 200);
    const RunResult twin =
        house.gateway->put("consumer", "rose", R"({"username":"rose","plugins":{"key-auth":{"key":"k"}}})");
    CHECK(twin.out.find("duplicate key of plugin key-auth found with consumer: jack") != std::string::npos);
    const pid_t worker = house.gateway->workers().at(0);
    ::kill(worker, SIGKILL);
    REQUIRE(eventually([&] {
        const auto now = house.gateway->workers();
        return now.size() == 1 && now[0] != worker && house.gateway->ready();
    }));
    CHECK(house.status("/a") == 200);
    CHECK(house.gateway->ctl({"show", "consumers"}).out.find("jack/credentials/c1") != std::string::npos);
    REQUIRE(house.gateway->ctl({"delete", "consumer", "jack"}).exit == 0);
    CHECK(house.status("/a") == 401);
    CHECK(house.status("/a", "apikey: k1\r\n") == 401);
}

TEST_CASE("consumers: the list of plugins changes hot, and a plugin that leaves it runs nowhere", "[e2e][consumers]") {
    const std::string plain = "routes:\n" + route(1, "/a", add("route")) + "plugins:\n  - {name: proxy-rewrite}\n";
    House house(plain);
    CHECK(house.x_test("/a") == "1 route");
    const std::string other = "routes:\n" + route(1, "/a", "echo: {body: x}") + "plugins:\n  - {name: echo}\n";
    REQUIRE(house.gateway->reload(options_with(house.upstream, other).routes).exit == 0);
    CHECK(house.get("/a").body == "x");
    const RunResult refused = house.gateway->reload(
        options_with(house.upstream, "routes:\n" + route(1, "/a", add("route")) + "plugins:\n  - {name: echo}\n")
            .routes);
    CHECK(refused.exit == 1);
    CHECK(refused.out.find("unknown plugin [proxy-rewrite]") != std::string::npos);
}

TEST_CASE("consumers: what multi-auth tries lets nobody in once it has left the list of plugins",
          "[e2e][consumers][fail_closed]") {
    const auto list = [](const std::string& names) {
        std::string text = "plugins:\n  - {name: multi-auth}\n";
        for (std::size_t at = 0; at < names.size();) {
            const std::size_t end = std::min(names.find(' ', at), names.size());
            text += "  - {name: " + names.substr(at, end - at) + "}\n";
            at = end + 1;
        }
        return text;
    };
    House house(list("basic-auth key-auth"));
    const std::string login =
        R"({"username":"foo","plugins":{"basic-auth":{"username":"foo","password":"bar"},"key-auth":{"key":"k"}}})";
    const std::string guarded =
        R"({"uri":"/a","upstream_id":"u","plugins":{"multi-auth":{"auth_plugins":[{"basic-auth":{}},{"key-auth":{}}]}}})";
    REQUIRE(house.gateway->put("consumer", "foo", login).exit == 0);
    REQUIRE(house.gateway->put("route", "1", guarded).exit == 0);
    const std::string basic = "Authorization: Basic Zm9vOmJhcg==\r\n", key = "apikey: k\r\n";
    CHECK(house.status("/a", key) == 200);
    CHECK(house.status("/a", basic) == 200);
    const RunResult one = house.gateway->reload(options_with(house.upstream, list("basic-auth")).routes);
    INFO(one.out);
    REQUIRE(one.exit == 0);
    CHECK(house.status("/a", key) == 401);
    CHECK(house.status("/a", basic) == 200);
    CHECK(one.out.find("consumer [foo] of the store: not in the list of plugins, so they do not run: key-auth") !=
          std::string::npos);
    CHECK(one.out.find("route [1] of the store: not in the list of plugins, so they do not run: key-auth") !=
          std::string::npos);
    const std::string_view said =
        "multi-auth of routes/1: key-auth is not in the list of plugins, so it lets nobody in";
    CHECK(eventually([&] { return house.gateway->log().find(said) != std::string::npos; }));
    const RunResult refused = house.gateway->put("route", "2", guarded);
    CHECK(refused.exit != 0);
    CHECK(refused.out.find("key-auth plugin did not found") != std::string::npos);
    REQUIRE(house.gateway->reload(options_with(house.upstream, list("")).routes).exit == 0);
    CHECK(house.status("/a", key) == 401);
    CHECK(house.status("/a", basic) == 401);
    REQUIRE(house.gateway->reload(options_with(house.upstream, list("basic-auth key-auth")).routes).exit == 0);
    CHECK(house.status("/a", key) == 200);
}

TEST_CASE("consumers: the debug header lists rewrite behind authentication too", "[e2e][consumers]") {
    House house("routes:\n" + route(1, "/a", "key-auth: {}") + jack(add("consumer")), 1, "  enable_debug: true\n");
    const Message answer = house.get("/a");
    CHECK(answer.field("apisix-plugins") == "key-auth, proxy-rewrite");
    CHECK(answer.field("apisix-plugins-from") == "key-auth=routes/1, proxy-rewrite=consumers/jack");
}
