// The Admin API as users meet it: with curl, against a whole gateway.
#include <signal.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <map>
#include <random>

#include "libgateway/json/value.hpp"
#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"

using namespace gateway::test;
namespace json = gateway::json;

namespace {

using namespace std::chrono_literals;

// A gateway with its Admin API and an upstream that answers.
class AdminHouse {
public:
    explicit AdminHouse(GatewayOptions options = {}) : gateway(std::move(options)) {
        port = gateway.admin_port();
        key = gateway.admin_key();
    }
    Message ask(std::string_view method, std::string target, std::string_view body = {}, std::string lines = {}) {
        lines += "X-API-KEY: " + key + "\r\n";
        return fetch(port, method, "/apisix/admin" + target, lines, body);
    }
    int status(std::string_view method, std::string target, std::string_view body = {}, std::string lines = {}) {
        const Message answer = ask(method, std::move(target), body, std::move(lines));
        UNSCOPED_INFO(answer.body);
        return answer.status();
    }
    std::string route_to_upstream(const std::string& uri) const {
        return R"({"uri":")" + uri + R"(","upstream":{"type":"roundrobin","nodes":{")" + upstream.node() + R"(":1}}})";
    }
    ScriptedUpstream upstream;
    GatewayProcess gateway;
    std::uint16_t port = 0;
    std::string key;
};

void replace_all(std::string& text, std::string_view from, const std::string& to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
}

// Nobody listened there a moment ago.
std::uint16_t free_port() {
    std::uint16_t port = 0;
    listen_on_free_port(port);
    return port;
}

std::string field_of(const Message& message, std::string_view name) {
    return std::string(message.field(name));
}

}  // namespace

TEST_CASE("Admin API: every request of the architecture document does what it says", "[e2e][admin]") {
    AdminHouse house;
    const std::string address = "http://127.0.0.1:" + std::to_string(house.port) + "/apisix/admin";
    REQUIRE(house.status("PUT", "/upstreams/2", R"({"nodes":{"127.0.0.1:1980":1}})") == 201);
    std::ifstream in(GATEWAY_GOLDEN_DIR "/admin/seed.json");
    const json::Value requests =
        json::parse(std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()));
    REQUIRE(requests.size() == 20);
    for (const json::Value& one : requests.items()) {
        std::string command = one.find("request")->string();
        replace_all(command, "http://127.0.0.1:9080/apisix/admin", address);
        replace_all(command, "https://{apisix_listen_address}/apisix/admin", address);
        replace_all(command, "edd1c9f034335f136f87ad84b625c8f1", house.key);
        replace_all(command, "127.0.0.1:1980", house.upstream.node());
        command.replace(0, 4, "curl -s -w '\\n%{http_code}'");
        const RunResult answer = run({"bash", "-c", command});
        INFO(command << "\n" << answer.out);
        const std::string last = answer.out.substr(answer.out.rfind('\n') + 1);
        REQUIRE(last == one.find("status")->number());
        if (const json::Value* has = one.find("has")) REQUIRE_THAT(answer.out, contains(has->string()));
    }
}

TEST_CASE("Admin API: a consumer's limit and a black list work as the architecture document shows", "[e2e][admin]") {
    AdminHouse house;
    const std::string node = house.upstream.node();
    REQUIRE(house.status("PUT", "/consumers", R"({"username":"jack","plugins":{"key-auth":{"key":"auth-one"},
        "limit-count":{"count":2,"time_window":60,"rejected_code":503,"key":"remote_addr"}}})") == 201);
    const std::string upstream = R"("upstream":{"nodes":{")" + node + R"(":1},"type":"roundrobin"},"uri":"/hello"})";
    REQUIRE(house.status("PUT", "/routes/1", R"({"plugins":{"key-auth":{}},)" + upstream) == 201);
    const auto hello = [&] { return fetch(house.gateway.port(), "GET", "/hello", "apikey: auth-one\r\n").status(); };
    REQUIRE(hello() == 200);
    REQUIRE(hello() == 200);
    REQUIRE(hello() == 503);
    REQUIRE(house.status("PUT", "/routes/1",
                         R"({"plugins":{"key-auth":{},"consumer-restriction":{"blacklist":["jack"]}},)" + upstream) ==
            200);
    REQUIRE(hello() == 403);
}

TEST_CASE("Admin API: what was answered with success is live in every worker", "[e2e][admin]") {
    GatewayOptions options;
    options.workers = 2;
    AdminHouse house(options);
    for (int round = 0; round < 40; ++round) {
        const std::string path = "/live/" + std::to_string(round);
        REQUIRE(house.status("PUT", "/routes/1", house.route_to_upstream(path)) == (round == 0 ? 201 : 200));
        for (int connection = 0; connection < 4; ++connection)
            REQUIRE(fetch(house.gateway.port(), "GET", path).status() == 200);
    }
    REQUIRE(house.status("DELETE", "/routes/1") == 200);
    REQUIRE(fetch(house.gateway.port(), "GET", "/live/39").status() == 404);
}

TEST_CASE("Admin API: a worker that lags is named, and the next write does not wait for it", "[e2e][admin]") {
    GatewayOptions options;
    options.workers = 2;
    AdminHouse house(options);
    const pid_t stuck = house.gateway.workers().at(0);
    freeze(stuck);
    const Message first = house.ask("PUT", "/routes/1", house.route_to_upstream("/a"));
    const auto before = std::chrono::steady_clock::now();
    const Message second = house.ask("PUT", "/routes/2", house.route_to_upstream("/b"));
    const auto taken = std::chrono::steady_clock::now() - before;
    ::kill(stuck, SIGCONT);
    REQUIRE(first.status() == 201);
    REQUIRE(field_of(first, "X-Gateway-Pending") == std::to_string(stuck));
    REQUIRE(second.status() == 201);
    REQUIRE(field_of(second, "X-Gateway-Pending") == std::to_string(stuck));
    REQUIRE(taken < 1500ms * patience);
    REQUIRE(eventually([&] { return house.gateway.ready(); }, 20s));
    REQUIRE(field_of(house.ask("PUT", "/routes/2", house.route_to_upstream("/b")), "X-Gateway-Pending").empty());
}

TEST_CASE("Admin API: its key is made once, for its owner alone, and nothing opens without it", "[e2e][admin]") {
    AdminHouse house;
    struct stat about {};
    REQUIRE(::stat((house.gateway.folder() / "data/admin.key").c_str(), &about) == 0);
    REQUIRE((about.st_mode & 0777) == 0600);
    REQUIRE(house.key.size() == 32);
    REQUIRE_THAT(house.gateway.log(), contains("data/admin.key"));
    REQUIRE_THAT(house.gateway.log(), !contains(house.key));
    REQUIRE(fetch(house.port, "GET", "/apisix/admin/routes").status() == 401);
    REQUIRE(fetch(house.port, "GET", "/apisix/admin/routes", "X-API-KEY: " + house.key + "x\r\n").status() == 401);
    REQUIRE(house.status("GET", "/routes") == 200);
    SECTION("a control that is started again keeps it") {
        const pid_t before = house.gateway.control();
        ::kill(before, SIGKILL);
        REQUIRE(eventually([&] { return house.gateway.control() > 0 && house.gateway.control() != before; }, 20s));
        REQUIRE(house.gateway.admin_key() == house.key);
        REQUIRE(eventually([&] { return house.ask("GET", "/routes").status() == 200; }, 20s));
    }
}

TEST_CASE("Admin API: objects outlive control and the whole gateway", "[e2e][admin]") {
    AdminHouse house;
    REQUIRE(house.status("PUT", "/routes/1", house.route_to_upstream("/kept")) == 201);
    const std::string shown = house.ask("GET", "/routes/1").body;
    const pid_t before = house.gateway.control();
    ::kill(before, SIGKILL);
    REQUIRE(eventually([&] { return house.gateway.control() > 0 && house.gateway.control() != before; }, 20s));
    REQUIRE(eventually([&] { return house.ask("GET", "/routes/1").body == shown; }, 20s));
    REQUIRE(fetch(house.gateway.port(), "GET", "/kept").status() == 200);
}

TEST_CASE("Admin API: an object whose time is over goes, with restarts in between", "[e2e][admin]") {
    AdminHouse house;
    REQUIRE(house.status("PUT", "/routes/keep?ttl=600", house.route_to_upstream("/keep")) == 201);
    REQUIRE(house.status("PUT", "/routes/soon?ttl=1", house.route_to_upstream("/soon")) == 201);
    REQUIRE(house.status("GET", "/routes/soon") == 200);
    SECTION("of control") {
        const pid_t before = house.gateway.control();
        ::kill(before, SIGKILL);
        REQUIRE(eventually([&] { return house.gateway.control() > 0 && house.gateway.control() != before; }, 20s));
        REQUIRE(eventually([&] { return house.status("GET", "/routes/soon") == 404; }, 20s));
        CHECK(fetch(house.gateway.port(), "GET", "/soon").status() == 404);
        CHECK(fetch(house.gateway.port(), "GET", "/keep").status() == 200);
        CHECK(house.status("GET", "/routes/keep") == 200);
    }
    SECTION("of the whole gateway, which is down when the time is over") {
        REQUIRE(house.gateway.stop(SIGTERM) == 0);
        const auto end = std::chrono::steady_clock::now() + 1100ms;
        REQUIRE(eventually([&] { return std::chrono::steady_clock::now() > end; }));
        const Process again({program("gatewayd"), "-c", house.gateway.config()}, house.gateway.folder() / "output2",
                            {"LOGS_DIRECTORY=" + (house.gateway.folder() / ".").string()});
        REQUIRE(eventually([&] { return house.gateway.ready(); }, 20s));
        house.port = house.gateway.admin_port();
        REQUIRE(eventually([&] { return house.status("GET", "/routes/soon") == 404; }, 20s));
        CHECK(house.status("GET", "/routes/keep") == 200);
        CHECK_THAT(house.gateway.ctl({"history"}).out, contains("expiry"));
    }
}

TEST_CASE("Admin API: objects of the route file are shown, and say where they are defined", "[e2e][admin]") {
    GatewayOptions options;
    options.routes = "routes:\n  - id: 1\n    uri: /file\n    plugins: {}\n";
    AdminHouse house(options);
    REQUIRE_THAT(house.ask("GET", "/routes/1").body, contains("\"uri\":\"/file\""));
    const Message refused = house.ask("PUT", "/routes/1", house.route_to_upstream("/other"));
    REQUIRE(refused.status() == 400);
    REQUIRE_THAT(refused.body, contains("route [1] is defined in"));
    REQUIRE_THAT(refused.body, contains("routes.yaml:2"));
    REQUIRE(house.status("DELETE", "/routes/1") == 400);
}

TEST_CASE("Admin API: traffic ports do not serve it", "[e2e][admin]") {
    AdminHouse house;
    REQUIRE(fetch(house.gateway.port(), "GET", "/apisix/admin/routes", "X-API-KEY: " + house.key + "\r\n").status() ==
            404);
}

TEST_CASE("Admin API: traffic ports serve it where old scripts need that, for those who are let in", "[e2e][admin]") {
    GatewayOptions options;
    const std::uint16_t port = free_port();
    const bool let_in = GENERATE(true, false);
    options.apisix = "  compat: {admin_on_node_listen: true}\n";
    options.further = "deployment: {admin: {admin_listen: {port: " + std::to_string(port) + "}, allow_admin: [" +
                      (let_in ? "127.0.0.1" : "10.0.0.0/8") + "]}}\n";
    options.routes = "routes:\n  - {id: all, uri: /*, plugins: {mocking: {response_example: all}}}\n";
    AdminHouse house(options);
    const std::string key = "X-API-KEY: " + house.key + "\r\n";
    const auto ask = [&](std::string_view method, std::string_view target, std::string_view body) {
        return fetch(house.gateway.port(), method, "/apisix/admin" + std::string(target), key, body);
    };
    const Message made = ask("PUT", "/routes/1", house.route_to_upstream("/made"));
    INFO(made.body);
    CHECK(fetch(house.gateway.port(), "GET", "/apisix/adminx").body == "all");
    if (!let_in) {
        CHECK(made.body == "all");
        CHECK(fetch(house.gateway.port(), "GET", "/made").body == "all");
        return;
    }
    CHECK(made.status() == 201);
    CHECK(made.field("X-API-VERSION") == "v3");
    CHECK(fetch(house.gateway.port(), "GET", "/made").status() == 200);
    CHECK(json::parse(ask("GET", "/routes", "").body).find("total")->number() == "2");
    CHECK(fetch(house.gateway.port(), "GET", "/apisix/admin/routes").status() == 401);
    CHECK(fetch(house.gateway.port(), "GET", "/made").status() == 200);
    CHECK_THAT(house.gateway.ctl({"export", "-"}).out, !contains("admin_on_node_listen"));
    CHECK_THAT(house.gateway.ctl({"show", "routes"}).out, contains("apisix.compat.admin_on_node_listen"));
    CHECK(house.gateway.ctl({"reload"}).exit == 0);
    CHECK(ask("DELETE", "/routes/1", "").status() == 200);
}

TEST_CASE("Admin API: a second gateway with the default address serves traffic, and says why it has none",
          "[e2e][admin]") {
    GatewayOptions options;
    options.further = "deployment: {invalid_items: reject}\n";
    const GatewayProcess first(options);
    GatewayProcess gateway(options);
    REQUIRE_THAT(gateway.log(), contains("no Admin API (deployment.admin.admin_listen, apisix.enable_admin)"));
    REQUIRE(gateway.admin_port() == 0);
    REQUIRE(fetch(gateway.port(), "GET", "/").status() == 404);
}

TEST_CASE("Admin API: it can be switched off", "[e2e][admin]") {
    GatewayOptions options;
    options.apisix = "  enable_admin: false\n";
    GatewayProcess gateway(options);
    REQUIRE(gateway.admin_port() == 0);
}

TEST_CASE("Admin API: keys of the static file, and new ones after a reload", "[e2e][admin]") {
    const auto keys = [](const std::string& admin) {
        return "deployment:\n  admin:\n    admin_listen: {port: 0}\n    admin_key:\n"
               "      - {name: ops, key: " +
               admin + ", role: admin}\n      - {name: eye, key: looking-only, role: viewer}\n";
    };
    GatewayOptions options;
    options.further = keys("first-key");
    AdminHouse house(options);
    house.key = "first-key";
    REQUIRE(house.status("PUT", "/routes/1", house.route_to_upstream("/a")) == 201);
    house.key = "looking-only";
    REQUIRE(house.status("GET", "/routes/1") == 200);
    REQUIRE(house.status("PUT", "/routes/1", house.route_to_upstream("/b")) == 401);
    std::ifstream in(house.gateway.config());
    std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    replace_all(text, "first-key", "second-key");
    house.gateway.write_static(text);
    REQUIRE(house.gateway.ctl({"reload"}).exit == 0);
    house.key = "first-key";
    REQUIRE(house.status("GET", "/routes") == 401);
    house.key = "second-key";
    REQUIRE(house.status("GET", "/routes") == 200);
    REQUIRE_THAT(house.gateway.log(), !contains("second-key"));
}

TEST_CASE("Admin API: HTTPS, with certificates of clients", "[e2e][admin]") {
    TempDir folder;
    const std::string at = (folder / ".").string();
    const std::string make =
        "cd " + at +
        " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ca -days 2 -keyout ca.key "
        "-out ca.crt && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -addext "
        "subjectAltName=IP:127.0.0.1 -keyout a.key -out a.csr && openssl x509 -req -in a.csr -CA ca.crt -CAkey ca.key "
        "-CAcreateserial -days 2 -copy_extensions copy -out a.crt";
    const RunResult made = run({"bash", "-c", make});
    INFO(made.out);
    REQUIRE(made.exit == 0);
    GatewayOptions options;
    options.further =
        "deployment: {admin: {admin_listen: {port: 0}, https_admin: true, admin_api_mtls: "
        "{admin_ssl_cert: " +
        at + "/a.crt, admin_ssl_cert_key: " + at + "/a.key, admin_ssl_ca_cert: " + at + "/ca.crt}}}\n";
    AdminHouse house(options);
    const std::string curl = "curl -s --max-time 10 --cacert " + at + "/ca.crt -H 'X-API-KEY: " + house.key +
                             "' https://127.0.0.1:" + std::to_string(house.port) + "/apisix/admin/routes";
    REQUIRE(run({"bash", "-c", curl}).exit != 0);
    REQUIRE(run({"bash", "-c", curl + " --cert " + at + "/a.crt --key " + at + "/a.key"}).out ==
            "{\"total\":0,\"list\":[]}\n");
}

TEST_CASE("Admin API: bodies over the limit are refused with the text of the reference", "[e2e][admin]") {
    AdminHouse house;
    const auto body = house.gateway.folder() / "body.json";
    std::ofstream(body) << std::string(1572865, ' ');
    const RunResult answer =
        run({"curl", "-s", "-X", "PUT", "-H", "X-API-KEY: " + house.key, "--data-binary", "@" + body.string(),
             "http://127.0.0.1:" + std::to_string(house.port) + "/apisix/admin/routes/1"});
    REQUIRE_THAT(answer.out, contains("request size 1572865 is greater than the maximum size 1572864 allowed"));
}

TEST_CASE("Admin API: many objects in one request are one revision, or none", "[e2e][admin]") {
    AdminHouse house;
    const std::string good =
        R"({"upstreams":[{"id":"u","nodes":{")" + house.upstream.node() +
        R"(":1}}],"routes":[{"id":"1","uri":"/one","upstream_id":"u"},{"id":"2","uri":"/two","upstream_id":"u"}]})";
    REQUIRE(house.status("PUT", "/configs", good) == 200);
    REQUIRE(fetch(house.gateway.port(), "GET", "/two").status() == 200);
    REQUIRE(house.status("PUT", "/configs",
                         R"({"routes":[{"id":"1","uri":"/new","plugins":{}},{"id":"3","uri":3}]})") == 400);
    REQUIRE(fetch(house.gateway.port(), "GET", "/one").status() == 200);
    REQUIRE(house.status("PUT", "/configs?prune=true", "{}") == 200);
    REQUIRE(house.ask("GET", "/routes").body == "{\"total\":0,\"list\":[]}\n");
}

namespace {

// What routes there should be: desc by id.
using Model = std::map<std::string, std::string>;

Model routes_of(AdminHouse& house) {
    Model found;
    const json::Value list = json::parse(house.ask("GET", "/routes").body);
    for (const json::Value& one : list.find("list")->items()) {
        const json::Value* value = one.find("value");
        const json::Value* desc = value->find("desc");
        found[value->find("id")->string()] = desc ? desc->string() : "";
    }
    return found;
}

// One random call, carried out on both sides; its status is what the model says.
void random_call(AdminHouse& house, Model& model, std::mt19937& random) {
    const std::string id = std::to_string(random() % 5), text = std::to_string(random() % 1000);
    const bool known = model.count(id) > 0;
    switch (random() % 3) {
        case 0:
            REQUIRE(house.status("PUT", "/routes/" + id,
                                 R"({"uri":"/r)" + id + R"(","desc":")" + text + R"(","plugins":{}})") ==
                    (known ? 200 : 201));
            model[id] = text;
            return;
        case 1:
            REQUIRE(house.status("PATCH", "/routes/" + id, R"({"desc":")" + text + R"("})") == (known ? 200 : 404));
            if (known) model[id] = text;
            return;
        default:
            REQUIRE(house.status("DELETE", "/routes/" + id) == (known ? 200 : 404));
            model.erase(id);
    }
}

}  // namespace

TEST_CASE("Admin API: any calls, with control killed in between, leave what a model says", "[e2e][admin]") {
    AdminHouse house;
    Model model;
    std::mt19937 random(20261122);
    for (int round = 0; round < 6; ++round) {
        for (int call = 0; call < 15; ++call) random_call(house, model, random);
        REQUIRE(routes_of(house) == model);
        const pid_t before = house.gateway.control();
        ::kill(before, SIGKILL);
        REQUIRE(eventually([&] { return house.gateway.control() > 0 && house.gateway.control() != before; }, 20s));
        REQUIRE(eventually([&] { return house.ask("GET", "/routes").status() == 200; }, 20s));
        REQUIRE(routes_of(house) == model);
    }
}

TEST_CASE("Control API: what is in force, without a key and without secrets", "[e2e][admin]") {
    AdminHouse house;
    REQUIRE(house.status("PUT", "/routes/1", R"({"uri":"/a","plugins":{"http-logger":{"uri":"http://127.0.0.1:1",
        "auth_header":"Basic hidden"}}})") == 201);
    const std::uint16_t port = house.gateway.control_port();
    const Message shown = fetch(port, "GET", "/v1/route/1");
    REQUIRE(shown.status() == 200);
    REQUIRE_THAT(shown.body, contains("\"uri\":\"/a\""));
    REQUIRE_THAT(shown.body, !contains("hidden"));
    REQUIRE(fetch(port, "GET", "/v1/route/2").status() == 404);
    REQUIRE(fetch(port, "PUT", "/apisix/admin/routes/1", "", "{}").status() == 404);
}

TEST_CASE("Control API: what is not in force because it was refused is told with its time", "[e2e][admin]") {
    const std::string good = "  - {id: good, uri: /good, plugins: {mocking: {response_example: good}}}\n";
    GatewayOptions options;
    options.routes = "routes:\n" + good + "  - {id: bad, urii: /bad}\n";
    options.further = "deployment: {invalid_items: drop, admin: {admin_listen: {port: 0}}}\n";
    GatewayProcess gateway(options);
    const auto errors = [&] { return json::parse(fetch(gateway.control_port(), "GET", "/v1/config/errors").body); };
    REQUIRE(fetch(gateway.port(), "GET", "/good").body == "good");
    json::Value found = errors();
    REQUIRE(found.size() == 1);
    CHECK(found.items()[0].find("resource")->string() == "routes");
    CHECK(found.items()[0].find("id")->string() == "bad");
    CHECK_THAT(found.items()[0].find("error")->string(), contains("urii"));
    const std::string since = found.items()[0].find("since")->string();
    CHECK(since.size() == 20);

    // A file that is no file changes nothing, and is told beside what is left out since then.
    CHECK(gateway.reload("routes: [\n").exit == 1);
    found = errors();
    REQUIRE(found.size() == 2);
    CHECK(found.items()[0].find("resource")->string() == "configuration");
    CHECK(found.items()[1].find("since")->string() == since);
    CHECK(gateway.reload("routes:\n" + good).exit == 0);
    CHECK(errors().size() == 0);
}

TEST_CASE("Admin API: the plugin list is read again", "[e2e][admin]") {
    AdminHouse house;
    REQUIRE(house.ask("PUT", "/plugins/reload").body == "done");
}
