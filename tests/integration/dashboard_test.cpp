// The dashboard as people meet it: in a browser, against a whole gateway with traffic.
#include <signal.h>

#include <cstdlib>

#include "libgateway/json/value.hpp"
#include "tests/integration/http_story.hpp"
#include "tests/support/browser.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;
namespace json = gateway::json;

namespace {

const std::string admin_key = "the-admin-of-this-test", viewer_key = "only-looks-at-things";

GatewayOptions options_for(const ScriptedUpstream& upstream) {
    GatewayOptions options;
    options.workers = 2;
    options.further =
        "deployment:\n  admin:\n    admin_listen: {port: 0}\n    admin_key:\n      - {name: boss, key: " + admin_key +
        ", role: admin}\n      - {name: guest, key: " + viewer_key + ", role: viewer}\n";
    options.routes = "routes:\n  - id: busy\n    name: The busy one\n    uri: /busy/*\n    upstream_id: backend\n" +
                     std::string("    plugins: {cors: {}, request-id: {}}\n") +
                     "upstreams:\n  - id: backend\n    nodes: {'" + upstream.node() + "': 7}\n";
    return options;
}

// A gateway with two keys, a busy route, and two revisions of a route that the Admin API made.
struct Desk {
    Desk() : gateway(options_for(upstream)), port(gateway.admin_port()) {
        put("one", R"({"uri":"/first","upstream_id":"backend"})");
        put("one", R"({"uri":"/second","upstream_id":"backend"})");
    }
    void put(const std::string& id, std::string_view route) {
        const Message answer = ask("PUT", "/apisix/admin/routes/" + id, admin_key, route);
        INFO(answer.body);
        REQUIRE(answer.status() / 100 == 2);
    }
    Message ask(std::string_view method, const std::string& target, const std::string& key,
                std::string_view body = {}) {
        return fetch(port, method, target, "X-API-KEY: " + key + "\r\n", body);
    }
    json::Value get(const std::string& path, const std::string& key = viewer_key) {
        const Message answer = ask("GET", "/apisix/admin/ui/" + path, key);
        INFO(answer.body);
        REQUIRE(answer.status() == 200);
        return json::parse(answer.body);
    }
    void serve(int requests) {
        RawClient client(gateway.port());
        for (int i = 0; i < requests; ++i) REQUIRE(client.get("/busy/" + std::to_string(i)).status() == 200);
    }
    std::string newest() { return get("revisions").items().at(0).find("revision")->number(); }

    ScriptedUpstream upstream;
    GatewayProcess gateway;
    std::uint16_t port;
};

std::string told(const json::Value& object, std::string_view name) {
    const json::Value* value = object.find(name);
    return value ? json::write(*value) : "";
}

bool no_browser() {
    if (Browser::installed()) return false;
    WARN("skipped: chromium is not installed");
    return true;
}

// The page with a key typed in, at one of its views.
void enter(Browser& browser, const Desk& desk, const std::string& key, const std::string& view) {
    browser.open("http://127.0.0.1:" + std::to_string(desk.port) + "/ui/#" + view);
    REQUIRE(browser.becomes("document.activeElement.id === 'key'"));
    browser.fill("#key", key);
    browser.press("Enter");
    REQUIRE(browser.becomes("!document.getElementById('" + view + "').hidden"));
}

// Pictures for people, if a folder for them is named.
void keep_picture(Browser& browser, const std::string& name) {
    const char* folder = std::getenv("GATEWAY_PICTURES");
    if (!folder) return;
    browser.resize(1280, 800, Browser::Scheme::light);
    browser.screenshot(std::string(folder) + "/" + name + "-light.png");
    browser.resize(1280, 800, Browser::Scheme::dark);
    browser.screenshot(std::string(folder) + "/" + name + "-dark.png");
    browser.resize(800, 800, Browser::Scheme::light);
    browser.screenshot(std::string(folder) + "/" + name + "-narrow.png");
    browser.resize(1280, 900, Browser::Scheme::light);
}

}  // namespace

TEST_CASE("dashboard: what was counted of a route is told, all workers together", "[e2e][dashboard]") {
    Desk desk;
    for (int connection = 0; connection < 8; ++connection) desk.serve(5);
    REQUIRE(fetch(desk.gateway.port(), "GET", "/nowhere").status() == 404);
    json::Value routes;
    REQUIRE(eventually([&] {
        routes = desk.get("routes");
        const json::Value* count = routes.find("list")->items().at(0).find("count");
        return count && told(*count, "classes") == "[0,0,40,0,0,0]";
    }));
    const json::Value& busy = routes.find("list")->items().at(0);
    CHECK(told(busy, "id") == R"("busy")");
    CHECK(told(busy, "name") == R"("The busy one")");
    CHECK(told(busy, "plugins") ==
          R"([{"name":"request-id","source":"routes/busy"},{"name":"cors","source":"routes/busy"}])");
    std::int64_t timed = 0;
    for (const json::Value& bucket : busy.find("count")->find("times")->items())
        timed += *bucket.items().at(1).as_int64();
    CHECK(timed == 40);
    CHECK(told(routes, "total") == "2");
    CHECK(told(routes, "uncounted") == "0");
    CHECK(routes.find("list")->items().at(1).find("count") == nullptr);
}

TEST_CASE("dashboard: counts go on when a worker is killed or a route is written again", "[e2e][dashboard]") {
    Desk desk;
    desk.serve(10);
    const auto counted = [&] {
        const json::Value routes = desk.get("routes");
        return told(*routes.find("list")->items().at(0).find("count"), "classes");
    };
    REQUIRE(eventually([&] { return counted() == "[0,0,10,0,0,0]"; }));
    const std::vector<pid_t> before = desk.gateway.workers();
    for (const pid_t worker : before) ::kill(worker, SIGKILL);
    const auto others = [&](const std::vector<pid_t>& now) {
        return now.size() == 2 && now[0] != before[0] && now[1] != before[1];
    };
    REQUIRE(eventually([&] { return others(desk.gateway.workers()) && desk.gateway.ready(); }, 20s));
    desk.put("two", R"({"uri":"/two","upstream_id":"backend"})");
    desk.serve(3);
    REQUIRE(eventually([&] { return counted() == "[0,0,13,0,0,0]"; }));
}

TEST_CASE("dashboard: a viewer sees everything and changes nothing", "[e2e][dashboard]") {
    Desk desk;
    const std::string revision = desk.newest();
    const json::Value one = desk.get("revisions/" + revision);
    CHECK(told(one, "author") == R"("boss")");
    CHECK(told(one.find("difference")->items().at(0), "object") == R"("routes/one")");
    const json::Value explained = desk.get("explain?method=GET&url=/second");
    CHECK(told(*explained.find("route"), "id") == R"("one")");
    const std::string path = "/apisix/admin/ui/revisions/" + std::to_string(std::stoi(revision) - 1) + "/rollback";
    CHECK(desk.ask("POST", path, viewer_key).status() == 401);
    CHECK(fetch(desk.port, "POST", path).status() == 401);
    CHECK(desk.ask("POST", "/apisix/admin/ui/revisions/999999/rollback", admin_key).status() == 400);
    CHECK(desk.newest() == revision);
    CHECK(desk.ask("POST", path, admin_key).status() == 200);
    CHECK(fetch(desk.gateway.port(), "GET", "/first").status() == 200);
    const json::Value after = desk.get("revisions").items().at(0);
    CHECK(told(after, "action") == R"("rollback")");
    CHECK(told(after, "author") == R"("boss")");
    CHECK(told(after, "from") == R"("127.0.0.1")");
}

TEST_CASE("dashboard: a person with a key sees processes, traffic and endpoints", "[e2e][dashboard]") {
    if (no_browser()) return;
    Desk desk;
    Browser browser;
    enter(browser, desk, viewer_key, "processes");
    REQUIRE(browser.shows("worker 1"));
    CHECK(browser.text_of("#state") == "ready");
    CHECK(browser.text_of("#who").find("viewer") != std::string::npos);
    const auto workers = desk.gateway.workers();
    REQUIRE(workers.size() == 2);
    for (const pid_t pid : workers) CHECK(browser.shows(std::to_string(pid)));
    keep_picture(browser, "processes");

    browser.click("nav a[href='#routes']");
    REQUIRE(browser.shows("The busy one"));
    CHECK(browser.shows("request-id"));
    const std::string row = "document.querySelector('#route-rows tr[data-key=busy]')";
    REQUIRE(eventually(
        [&] {
            desk.serve(20);
            return browser.becomes("parseFloat(" + row + ".children[2].innerText) > 0", 0ms);
        },
        20s));
    CHECK(browser.becomes(row + ".children[3].innerText === '100 %'"));
    CHECK(browser.becomes(row + ".children[8].innerText.endsWith(' ms')"));
    keep_picture(browser, "routes");

    browser.click("nav a[href='#upstreams']");
    REQUIRE(browser.shows("upstreams/backend"));
    CHECK(browser.shows(desk.upstream.node()));
    CHECK(browser.shows("not checked"));
    keep_picture(browser, "upstreams");
    CHECK(browser.complaints().empty());
    const std::string own = "http://127.0.0.1:" + std::to_string(desk.port) + "/";
    for (const std::string& url : browser.requests()) CHECK(url.find(own) == 0);
}

TEST_CASE("dashboard: an admin looks at a difference and rolls back by clicking", "[e2e][dashboard]") {
    if (no_browser()) return;
    Desk desk;
    const int newest = std::stoi(desk.newest());
    Browser browser;
    enter(browser, desk, admin_key, "revisions");
    REQUIRE(browser.shows("in force"));
    browser.click("[data-difference='" + std::to_string(newest) + "']");
    REQUIRE(browser.shows("What revision " + std::to_string(newest) + " changed"));
    CHECK(browser.text_of("#difference .minus").find("\"uri\": \"/first\"") != std::string::npos);
    CHECK(browser.text_of("#difference .plus").find("\"uri\": \"/second\"") != std::string::npos);
    keep_picture(browser, "revisions");

    browser.click("[data-rollback='" + std::to_string(newest - 1) + "']");
    REQUIRE(browser.becomes("document.getElementById('rollback-dialog').open"));
    browser.press("Escape");
    REQUIRE(browser.becomes("!document.getElementById('rollback-dialog').open"));
    CHECK(desk.newest() == std::to_string(newest));
    browser.click("[data-rollback='" + std::to_string(newest - 1) + "']");
    browser.click("#rollback-go");
    REQUIRE(browser.shows("Rolled back to revision " + std::to_string(newest - 1)));
    CHECK(fetch(desk.gateway.port(), "GET", "/first").status() == 200);
    CHECK(fetch(desk.gateway.port(), "GET", "/second").status() == 404);
    CHECK(browser.text_of("#revision-rows tr").find("rollback") != std::string::npos);
    CHECK(browser.complaints().empty());
}

TEST_CASE("dashboard: a viewer finds no button that changes anything", "[e2e][dashboard]") {
    if (no_browser()) return;
    Desk desk;
    Browser browser;
    enter(browser, desk, viewer_key, "revisions");
    REQUIRE(browser.becomes("document.querySelectorAll('[data-difference]').length >= 3"));
    CHECK(browser.becomes("document.querySelectorAll('[data-rollback]').length === 0"));
    const std::string path = "'/apisix/admin/ui/revisions/1/rollback'";
    CHECK(browser
              .evaluate("fetch(" + path + ", {method: 'POST', headers: {'X-API-KEY': '" + viewer_key +
                        "'}}).then(answer => answer.status)")
              .as_int64() == 401);
}

TEST_CASE("dashboard: explain tells the route, its plugins with their sources, and why not", "[e2e][dashboard]") {
    if (no_browser()) return;
    Desk desk;
    Browser browser;
    enter(browser, desk, viewer_key, "explain");
    browser.fill("#explain-url", "http://shop.test/busy/1");
    browser.fill("#explain-headers", "accept: text/plain\nx-one: 1");
    browser.click("#explain-form button");
    REQUIRE(browser.shows("Route busy (The busy one)"));
    CHECK(browser.text_of("#explain-answer").find("routes/busy") != std::string::npos);
    CHECK(browser.text_of("#explain-answer").find(desk.upstream.node()) != std::string::npos);
    keep_picture(browser, "explain");
    browser.fill("#explain-url", "/busy");
    browser.press("Enter");
    REQUIRE(browser.shows("No route"));
    CHECK(browser.text_of("#explain-answer").find("/busy/*") != std::string::npos);
    browser.fill("#explain-url", "not a path");
    browser.press("Enter");
    REQUIRE(browser.shows("expected /path or http://host/path"));
    CHECK(browser.complaints().size() == 1);  // the answer of 400, which is told
}

TEST_CASE("dashboard: a wrong key opens nothing, a forgotten one is gone", "[e2e][dashboard]") {
    if (no_browser()) return;
    Desk desk;
    Browser browser;
    browser.open("http://127.0.0.1:" + std::to_string(desk.port) + "/ui/");
    REQUIRE(browser.becomes("document.activeElement.id === 'key'"));
    keep_picture(browser, "key");
    browser.fill("#key", "wrong");
    browser.press("Enter");
    REQUIRE(browser.shows("This key is not known."));
    CHECK(browser.text_of("main").find("worker") == std::string::npos);
    browser.fill("#key", viewer_key);
    browser.press("Enter");
    REQUIRE(browser.shows("worker 0"));
    REQUIRE(browser.evaluate("sessionStorage.length").as_int64() == 1);
    CHECK(browser.evaluate("localStorage.length + document.cookie.length").as_int64() == 0);
    browser.click("#forget");
    REQUIRE(browser.becomes("!document.getElementById('key-form').hidden"));
    CHECK(browser.evaluate("sessionStorage.length").as_int64() == 0);
    CHECK(browser.becomes("document.getElementById('processes').hidden"));
}
