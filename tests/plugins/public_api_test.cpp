#include "libgateway/plugin/public_apis.hpp"
#include "tests/plugins/refusal.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

// Stands for a plugin that offers metrics.
const PublicApiRegistration metrics({[](const json::Value&) { return std::string("/test/metrics"); }, http::Verb::get,
                                     [](Exchange& exchange) -> Step {
                                         return exchange.respond_with({200, LocalReply::Body::bytes, "requests 1\n"});
                                     }});

Seen ask(std::string_view method, std::string_view target, std::string_view conf, bool guarded = false) {
    FakeExchange exchange(method, target);
    const LogLines lines;
    TestChain chain;
    chain.add("public-api", conf);
    if (guarded) chain.add("uri-blocker", R"({"block_rules":["."],"rejected_code":401})");
    Seen answer = exchange.run(*chain.make());
    CHECK_FALSE(exchange.upstream);
    return answer;
}

}  // namespace

TEST_CASE("public-api: the path of the request finds the handler (P1)", "[plugins][public_api]") {
    const Seen answer = ask("GET", "/test/metrics", "{}");
    CHECK(answer.status == 200);
    CHECK(answer.body == "requests 1\n");
}

TEST_CASE("public-api: a path of the settings stands in its place (P2)", "[plugins][public_api]") {
    CHECK(ask("GET", "/m?x=1", R"({"uri":"/test/metrics"})").body == "requests 1\n");
}

TEST_CASE("public-api: what guards the route guards the handler (P4)", "[plugins][public_api]") {
    CHECK(ask("GET", "/m", R"({"uri":"/test/metrics"})", true).status == 401);
}

TEST_CASE("public-api: another method is another handler (P5)", "[plugins][public_api]") {
    const Seen answer = ask("POST", "/m", R"({"uri":"/test/metrics"})");
    CHECK(answer.status == 404);
    CHECK(answer.page);
}

namespace {

// What a client is told of the metrics by a node with these attributes.
Seen scrape(const MetricsText& told, std::string_view attr, std::string_view target = "/apisix/prometheus/metrics") {
    FakeExchange exchange("GET", target);
    exchange.own_services.metrics_text = told;
    TestChain chain;
    chain.node.plugin_attr = json::parse(attr);
    return exchange.run(*chain.add("public-api", "{}").make());
}

constexpr std::string_view no_listener = R"({"prometheus":{"enable_export_server":false}})";

}  // namespace

TEST_CASE("public-api: metrics are offered where they have no listener of their own", "[plugins][public_api]") {
    const Seen answer = scrape({200, "requests 1\n"}, no_listener);
    CHECK(answer.status == 200);
    CHECK(answer.body == "requests 1\n");
    CHECK(answer.field("Content-Type").find("text/plain") == 0);
    CHECK(scrape({200, "requests 1\n"}, "{}").status == 404);
    const std::string_view elsewhere = R"({"prometheus":{"enable_export_server":false,"export_uri":"/numbers"}})";
    CHECK(scrape({200, "requests 1\n"}, elsewhere).status == 404);
    CHECK(scrape({200, "requests 1\n"}, elsewhere, "/numbers").status == 200);
}

TEST_CASE("public-api: metrics that nobody tells are an error", "[plugins][public_api]") {
    const Seen silent = scrape({}, no_listener);
    CHECK((silent.status == 503 && silent.page));
    const Seen empty = scrape({500, R"({"message":"no"})"}, no_listener);
    CHECK(empty.status == 500);
    CHECK(empty.body == "{\"message\":\"no\"}\n");
    const Seen not_loaded = scrape({404, {}}, no_listener);
    CHECK((not_loaded.status == 404 && not_loaded.page));
}
