// Metrics and loggers with real processes: the exporter, restarts, several workers writing one file.
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;

namespace {

std::uint16_t metrics_port(const GatewayProcess& gateway) {
    const auto status = gateway.status();
    return static_cast<std::uint16_t>(status.as_object().at("metrics_port").to_number<int>());
}

std::string scrape(std::uint16_t port) {
    return fetch(port, "GET", "/apisix/prometheus/metrics").body;
}

// The value behind the first line that holds `part`; -1: there is none.
double value_of(const std::string& text, std::string_view part) {
    const std::size_t at = text.find(part);
    if (at == std::string::npos) return -1;
    const std::size_t blank = text.find("} ", at);
    return std::stod(text.substr(blank + 2));
}

bool tells(std::uint16_t port, std::string_view part, double value) {
    return eventually([&] { return value_of(scrape(port), part) == value; });
}

// What promtool says but for names and types that the reference has fixed; empty: nothing.
std::string lint(const GatewayProcess& gateway, const std::string& text) {
    const auto file = gateway.folder().write("metrics.txt", text);
    const RunResult result = run({"/bin/sh", "-c", "promtool check metrics < '" + file.string() + "' 2>&1"});
    static const std::set<std::string> fixed{
        "apisix_http_status counter metrics should have \"_total\" suffix",
        "apisix_bandwidth counter metrics should have \"_total\" suffix",
        "apisix_http_requests_total non-counter metrics should not have \"_total\" suffix",
        "apisix_node_info non-counter metrics should not have \"_info\" suffix"};
    std::string rest, line;
    for (std::istringstream lines(result.out); std::getline(lines, line);) {
        if (fixed.count(line) == 0) rest += line + "\n";
    }
    return rest;
}

}  // namespace

TEST_CASE("metrics: four workers count every request, in a text that promtool reads (PM11)", "[e2e][metrics]") {
    Stage stage({.route_lines = "plugins: {prometheus: {}}", .workers = 4});
    for (int i = 0; i < 100; ++i) {
        RawClient client = stage.client();
        for (int k = 0; k < 10; ++k) CHECK(client.get("/").status() == 200);
    }
    const std::uint16_t port = metrics_port(stage.gateway);
    CHECK(tells(port, "apisix_http_status{code=\"200\",route=\"1\",matched_uri=\"/*\"", 1000));
    const std::string text = scrape(port);
    CHECK(text.find("response_source=\"upstream\"} 1000\n") != std::string::npos);
    CHECK(text.find("node=\"127.0.0.1\"") != std::string::npos);
    const auto accepted = [&] {
        return value_of(scrape(port), "apisix_nginx_http_current_connections{state=\"accepted\"");
    };
    CHECK(eventually([&] { return accepted() == 100; }));
    CHECK(text.find("\napisix_http_requests_total ") != std::string::npos);
    if (run({"/bin/sh", "-c", "command -v promtool"}).exit == 0) CHECK(lint(stage.gateway, text) == "");
}

TEST_CASE("metrics: a worker's death takes nothing back", "[e2e][metrics]") {
    Stage stage({.route_lines = "plugins: {prometheus: {}}"});
    const std::uint16_t port = metrics_port(stage.gateway);
    for (int i = 0; i < 5; ++i) CHECK(stage.get("/").status() == 200);
    const pid_t before = stage.gateway.workers().at(0);
    ::kill(before, SIGKILL);
    REQUIRE(eventually([&] {
        const auto now = stage.gateway.workers();
        return !now.empty() && now[0] != before && stage.gateway.ready();
    }));
    for (int i = 0; i < 5; ++i) CHECK(stage.get("/").status() == 200);
    CHECK(tells(port, "apisix_http_status{code=\"200\"", 10));
}

TEST_CASE("metrics: a new binary goes on serving and counting", "[e2e][metrics]") {
    Stage stage({.route_lines = "plugins: {prometheus: {}}"});
    const std::uint16_t port = metrics_port(stage.gateway);
    for (int i = 0; i < 5; ++i) CHECK(stage.get("/").status() == 200);
    const pid_t before = stage.gateway.workers().at(0), control = stage.gateway.control();
    stage.gateway.master().signal(SIGUSR2);
    const auto replaced = [&] {
        const auto status = stage.gateway.status();
        if (!status.is_object() || status.at("control").at("pid").to_number<pid_t>() == control) return false;
        const auto& workers = status.at("workers").as_array();
        return std::any_of(workers.begin(), workers.end(), [&](const auto& worker) {
            return worker.at("state").as_string() == "ready" && worker.at("pid").template to_number<pid_t>() != before;
        });
    };
    REQUIRE(eventually(replaced, milliseconds(15000)));
    CHECK(metrics_port(stage.gateway) == port);
    for (int i = 0; i < 5; ++i) CHECK(stage.get("/").status() == 200);
    CHECK(tells(port, "apisix_http_status{code=\"200\"", 10));
}

TEST_CASE("metrics: the exporter outlives control, and answers what it knows", "[e2e][metrics]") {
    Stage stage({.route_lines = "plugins: {prometheus: {}}"});
    const std::uint16_t port = metrics_port(stage.gateway);
    CHECK(stage.get("/").status() == 200);
    ::kill(stage.gateway.control(), SIGKILL);
    CHECK(tells(port, "apisix_http_status{code=\"200\"", 1));
    CHECK(fetch(port, "GET", "/other").status() == 404);
    CHECK(fetch(port, "POST", "/apisix/prometheus/metrics").status() == 404);
    CHECK(fetch(port, "GET", "/apisix/prometheus/metrics").field("content-type").substr(0, 10) == "text/plain");
}

TEST_CASE("metrics: refusals, lost upstreams and requests without a route are told apart", "[e2e][metrics]") {
    std::uint16_t closed = 0;
    listen_on_free_port(closed);
    GatewayOptions options;
    options.routes = "global_rules:\n  - {id: 1, plugins: {prometheus: {}}}\n" +
                     stage_routes(node_map("127.0.0.1:" + std::to_string(closed)), {});
    options.routes.replace(options.routes.find("uri: /*"), 7, "uri: /here");
    GatewayProcess gateway(options);
    CHECK(fetch(gateway.port(), "GET", "/here").status() == 502);
    CHECK(fetch(gateway.port(), "GET", "/nowhere").status() == 404);
    const std::uint16_t port = metrics_port(gateway);
    CHECK(tells(port, "code=\"502\",route=\"1\",matched_uri=\"/here\"", 1));
    const std::string text = scrape(port);
    CHECK(text.find("code=\"404\",route=\"\",matched_uri=\"\"") != std::string::npos);
    CHECK(text.find("llm_model=\"\",response_source=\"nginx\"} 1\n") != std::string::npos);
    CHECK(text.find("llm_model=\"\",response_source=\"apisix\"} 1\n") != std::string::npos);
}

namespace {

// A gateway without the exporter's listener: metrics at /m (for everybody) and at the path of the exporter (guarded).
GatewayOptions without_listener(const std::string& node, const std::string& more = "") {
    GatewayOptions options;
    options.further = "plugin_attr: {prometheus: {enable_export_server: false, refresh_interval: 0.2" + more + "}}\n";
    options.routes = "consumers:\n  - {username: jack, plugins: {key-auth: {key: k1}}}\n" +
                     stage_routes(node_map(node), {.route_lines = "plugins: {prometheus: {}}"}) +
                     "  - {id: 2, uri: /m, plugins: {public-api: {uri: /apisix/prometheus/metrics}}}\n"
                     "  - {id: 3, uri: /apisix/prometheus/metrics, plugins: {public-api: {}, key-auth: {}}}\n"
                     "  - {id: 4, uri: /x, plugins: {public-api: {}}}\n";
    return options;
}

}  // namespace

TEST_CASE("metrics: without a listener they are told through public-api (P1) (P2) (P3) (P4) (P5)", "[e2e][metrics]") {
    ScriptedUpstream upstream(ScriptedUpstream::answers(200, "ok"));
    GatewayProcess gateway(without_listener(upstream.node()));
    CHECK(metrics_port(gateway) == 0);
    for (int i = 0; i < 3; ++i) CHECK(fetch(gateway.port(), "GET", "/").status() == 200);
    const std::string counted = "apisix_http_status{code=\"200\",route=\"1\",matched_uri=\"/*\"";
    CHECK(eventually([&] { return value_of(fetch(gateway.port(), "GET", "/m").body, counted) == 3; }));
    const Message open = fetch(gateway.port(), "GET", "/m");
    CHECK(open.status() == 200);
    CHECK(open.field("content-type").substr(0, 10) == "text/plain");
    CHECK(fetch(gateway.port(), "POST", "/m").status() == 404);
    CHECK(fetch(gateway.port(), "GET", "/x").status() == 404);
    CHECK(fetch(gateway.port(), "GET", "/apisix/prometheus/metrics").status() == 401);
    CHECK(fetch(gateway.port(), "GET", "/apisix/prometheus/metrics", "apikey: k1\r\n").status() == 200);
}

TEST_CASE("metrics: with a listener public-api does not have them", "[e2e][metrics]") {
    Stage stage({.route_lines = "plugins: {public-api: {uri: /apisix/prometheus/metrics}}"});
    CHECK(stage.get("/").status() == 404);
}

TEST_CASE("metrics: a text larger than a packet reaches every scraper whole", "[e2e][metrics]") {
    ScriptedUpstream upstream(ScriptedUpstream::answers(200, "ok"));
    const std::string labels = ", metrics: {http_status: {extra_labels: [{x: $arg_x}]}}";
    GatewayProcess gateway(without_listener(upstream.node(), labels));
    RawClient client(gateway.port());
    for (int i = 0; i < 600; ++i) CHECK(client.get("/?x=" + std::to_string(i)).status() == 200);
    CHECK(eventually(
        [&] { return fetch(gateway.port(), "GET", "/m").body.find("x=\"599\"} 1\n") != std::string::npos; }));
    std::vector<RawClient> scrapers;
    for (int i = 0; i < 8; ++i) scrapers.emplace_back(gateway.port());
    for (RawClient& scraper : scrapers) scraper.send(make_request("GET", "/m"));
    for (RawClient& scraper : scrapers) {
        const Message answer = scraper.response();
        CHECK(answer.status() == 200);
        CHECK(answer.body.size() > 64 * 1024);
        CHECK(answer.body.find("x=\"0\"} 1\n") != std::string::npos);
        CHECK(answer.body.back() == '\n');
    }
}

TEST_CASE("metrics: a silent control costs a scraper five seconds and nobody else anything", "[e2e][metrics]") {
    ScriptedUpstream upstream(ScriptedUpstream::answers(200, "ok"));
    GatewayProcess gateway(without_listener(upstream.node()));
    const pid_t control = gateway.control();
    const std::uint16_t port = gateway.port();
    ::kill(control, SIGSTOP);
    RawClient scraper(port);
    scraper.set_limit(20s);
    scraper.send(make_request("GET", "/m"));
    CHECK(fetch(port, "GET", "/").status() == 200);
    const Message answer = scraper.response();
    CHECK(answer.status() == 503);
    CHECK(answer.body.find("<center><h1>503") != std::string::npos);
    ::kill(control, SIGCONT);
    CHECK(eventually([&] { return fetch(port, "GET", "/m").status() == 200; }));
    // A new control answers what was asked of the old one, or is asked itself.
    ::kill(control, SIGKILL);
    CHECK(eventually([&] { return fetch(port, "GET", "/m").status() == 200; }));
}

TEST_CASE("metrics: labels without end fill the room for series, and nothing else", "[e2e][metrics]") {
    ScriptedUpstream upstream(ScriptedUpstream::answers(200, "ok"));
    GatewayOptions options;
    options.routes = stage_routes(node_map(upstream.node()), {.route_lines = "plugins: {prometheus: {}}"});
    options.nginx_config = http_settings("lua_shared_dict: {prometheus-metrics: 64k}");
    options.further =
        "plugin_attr: {prometheus: {export_addr: {port: 0}, refresh_interval: 0.2, "
        "metrics: {http_status: {extra_labels: [{x: $arg_x}]}}}}\n";
    GatewayProcess gateway(options);
    const std::uint16_t port = metrics_port(gateway);
    RawClient client(gateway.port());
    const int values = 1000;
    for (int i = 0; i < values; ++i) CHECK(client.get("/?x=" + std::to_string(i)).status() == 200);
    const auto number = [&](const std::string& text, const std::string& name) {
        const std::size_t at = text.find("\n" + name + " ");
        return at == std::string::npos ? -1.0 : std::stod(text.substr(at + name.size() + 2));
    };
    const auto kept = [](const std::string& text) {
        std::size_t count = 0;
        for (std::size_t at = 0; (at = text.find("\napisix_http_status{", at)) != std::string::npos; ++at) ++count;
        return static_cast<double>(count);
    };
    std::string text;
    CHECK(eventually([&] {
        text = scrape(port);
        return kept(text) + number(text, "gateway_series_refused_total") == values;
    }));
    CHECK(kept(text) > 100);
    CHECK(kept(text) < values);
    CHECK(number(text, "apisix_nginx_metric_errors_total") == number(text, "gateway_series_refused_total"));
    CHECK(text.find("apisix_shared_dict_capacity_bytes{name=\"prometheus-metrics\"} 65536\n") != std::string::npos);
    CHECK(text.find("x=\"999\"") == std::string::npos);
    CHECK(gateway.log().find("prometheus: no room for more series") != std::string::npos);
    // What is there goes on counting, traffic that finds no room is counted with the rest.
    CHECK(client.get("/?x=0").status() == 200);
    CHECK(client.get("/?x=new").status() == 200);
    CHECK(eventually([&] { return scrape(port).find("x=\"0\"} 2\n") != std::string::npos; }));
    CHECK(tells(port, "apisix_http_latency_count{type=\"request\"", values + 2));
    if (run({"/bin/sh", "-c", "command -v promtool"}).exit == 0) CHECK(lint(gateway, scrape(port)) == "");
}

TEST_CASE("metrics: the configuration in force, and whether the last change was taken", "[e2e][metrics]") {
    Stage stage({.route_lines = "plugins: {prometheus: {}}"});
    const std::uint16_t port = metrics_port(stage.gateway);
    const auto has = [&](const std::string& line) {
        return eventually([&] { return scrape(port).find("\n" + line + "\n") != std::string::npos; });
    };
    const auto revision = stage.gateway.status().at("revision").to_number<int>();
    CHECK(has("gateway_config_revision " + std::to_string(revision)));
    CHECK(has("gateway_config_last_change_successful 1"));
    CHECK(has("gateway_workers_behind 0"));
    CHECK(scrape(port).find("etcd") == std::string::npos);
    CHECK(stage.gateway.reload("routes: 5\n").exit != 0);
    CHECK(has("gateway_config_last_change_successful 0"));
    CHECK(has("gateway_config_revision " + std::to_string(revision)));
    CHECK(stage.gateway.reload("routes: []\n").exit == 0);
    CHECK(has("gateway_config_last_change_successful 1"));
    CHECK(has("gateway_config_revision " + std::to_string(revision + 1)));
    CHECK(has("gateway_config_objects{kind=\"routes\"} 0"));
}

TEST_CASE("metrics: what plugins take is told by phase, by route and for one answer", "[e2e][metrics]") {
    Stage stage({.apisix = "enable_debug: true", .route_lines = "plugins: {proxy-rewrite: {uri: /x}, prometheus: {}}"});
    for (int i = 0; i < 128; ++i) CHECK(stage.get("/").status() == 200);
    CHECK(stage.get("/").field("apisix-plugins-time").find("proxy-rewrite#rewrite;cpu=") == 0);
    const std::string counted = "gateway_plugin_seconds_count{plugin=\"proxy-rewrite\",phase=\"rewrite\",kind=\"cpu\"";
    CHECK(tells(metrics_port(stage.gateway), counted, 2));
    const RunResult shown = stage.gateway.ctl({"show", "plugins", "--route", "1"});
    CHECK(shown.exit == 0);
    CHECK(shown.out.find("proxy-rewrite") != std::string::npos);
    CHECK(shown.out.find("prometheus") != std::string::npos);
    CHECK(stage.gateway.ctl({"show", "plugins"}).exit != 0);
}

TEST_CASE("metrics: an address that is taken costs the metrics, not the traffic", "[e2e][metrics]") {
    std::uint16_t taken = 0;
    const gateway::UniqueFd holder = listen_on_free_port(taken);
    ScriptedUpstream upstream;
    GatewayOptions options;
    options.routes = stage_routes(node_map(upstream.node()), {});
    options.further = "plugin_attr: {prometheus: {export_addr: {port: " + std::to_string(taken) + "}}}\n";
    GatewayProcess gateway(options);
    CHECK(fetch(gateway.port(), "GET", "/").status() == 200);
    CHECK(metrics_port(gateway) == 0);
    CHECK(gateway.log().find("no metrics are exported: ") != std::string::npos);
}

TEST_CASE("file-logger: four workers write whole lines into one file (FL7)", "[e2e][metrics]") {
    TempDir folder;
    const std::string path = (folder / "a.log").string();
    Stage stage({.route_lines = "plugins: {file-logger: {path: " + path + "}}", .workers = 4});
    for (int i = 0; i < 100; ++i) {
        RawClient client = stage.client();
        for (int k = 0; k < 40; ++k) CHECK(client.get("/").status() == 200);
    }
    const auto lines = [&] {
        std::vector<std::string> all;
        std::ifstream in(path);
        for (std::string line; std::getline(in, line);) all.push_back(line);
        return all;
    };
    CHECK(eventually([&] { return lines().size() >= 4000; }));
    for (const std::string& line : lines()) CHECK((line.front() == '{' && line.back() == '}'));
    CHECK(lines().size() == 4000);
    std::filesystem::rename(path, path + ".1");
    stage.gateway.master().signal(SIGUSR1);
    CHECK(eventually([&] { return stage.get("/").status() == 200 && !lines().empty(); }));
}

TEST_CASE("http-logger: a body that streams past is kept as far as asked; a stop delivers what waits",
          "[e2e][metrics]") {
    ScriptedUpstream collector;
    Stage stage({.route_lines = "plugins: {http-logger: {uri: 'http://127.0.0.1:" + std::to_string(collector.port()) +
                                "/', include_req_body: true, max_req_body_bytes: 5, include_resp_body: true}}"});
    CHECK(stage.client().ask("POST", "/", {}, "abc" + std::string(300'000, 'x')).status() == 200);
    CHECK(collector.request_count() == 0);
    CHECK(stage.gateway.stop(SIGQUIT) == 0);
    REQUIRE(collector.request_count() == 1);
    const std::string body = collector.requests().at(0).body;
    CHECK(body.find("\"body\":\"abcxx\"") != std::string::npos);
    CHECK(body.find("\"body\":\"ok\"") != std::string::npos);
}
