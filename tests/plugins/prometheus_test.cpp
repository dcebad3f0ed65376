// The prometheus plugin from an exchange to the text: worked examples, caching, disabled and extra labels.
#include <sys/mman.h>

#include "libgateway/admin/series_sum.hpp"
#include "libgateway/plugin/check.hpp"
#include "libplugins/prometheus/series_cache.hpp"
#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_consumers.hpp"
#include "tests/support/fake_exchange.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

// One worker's page and the text of what is in it.
struct Metrics {
    std::vector<std::uint64_t> memory = std::vector<std::uint64_t>(65536);
    std::span<std::byte> page{reinterpret_cast<std::byte*>(memory.data()), memory.size() * 8};
    telemetry::SeriesWriter writer{page};
    TestChain plugins;
    Ref<const Chain> chain;

    explicit Metrics(std::string_view conf = "{}", std::string_view attr = {}, std::string_view metadata = {}) {
        if (!attr.empty()) plugins.node.plugin_attr = json::parse(attr);
        if (!metadata.empty()) plugins.metadata["prometheus"] = json::parse(metadata);
        chain = plugins.add("prometheus", conf).make();
    }
    void ask(const std::function<void(ExchangeFacts&)>& change = {}, std::string_view target = "/hello") {
        FakeExchange exchange("GET", target);
        exchange.own_services.own_series = &writer;
        exchange.change_facts = change;
        exchange.run(*chain);
        REQUIRE(exchange.finished);
    }
    std::string text(std::uint32_t now = 0) const {
        config::Errors errors;
        const config::MetricsAttr attr = config::read_metrics_attr(plugins.node.plugin_attr, errors);
        REQUIRE(errors.empty());
        admin::SeriesSum sum(attr, now);
        sum.add_page(page, true);
        std::string all;
        for (admin::MetricFamily& family : sum.families()) family.write(all);
        return all;
    }
    bool tells(std::string_view line) const { return text().find(line) != std::string::npos; }
};

constexpr std::string_view tail = R"(request_type="traditional_http",request_llm_model="",llm_model="")";

std::string status_line(std::string_view labels, std::string_view source, int count) {
    return "apisix_http_status{" + std::string(labels) + "," + std::string(tail) + ",response_source=\"" +
           std::string(source) + "\"} " + std::to_string(count) + "\n";
}

}  // namespace

TEST_CASE("prometheus: a request is counted by status (PM1)", "[plugins][prometheus]") {
    Metrics metrics;
    metrics.ask();
    CHECK(
        metrics.tells("# HELP apisix_http_status HTTP status codes per service in APISIX\n"
                      "# TYPE apisix_http_status counter\n"));
    CHECK(metrics.tells(status_line(R"(code="200",route="1",matched_uri="/hello",matched_host="",service="",)"
                                    R"(consumer="",node="127.0.0.1")",
                                    "upstream", 1)));
}

TEST_CASE("prometheus: bytes both ways (PM2)", "[plugins][prometheus]") {
    Metrics metrics;
    metrics.ask();
    metrics.ask();
    const std::string labels = R"(route="1",service="",consumer="",node="127.0.0.1",)" + std::string(tail);
    CHECK(metrics.tells("apisix_bandwidth{type=\"egress\"," + labels + "} 400\n"));
    CHECK(metrics.tells("apisix_bandwidth{type=\"ingress\"," + labels + "} 200\n"));
}

TEST_CASE("prometheus: durations as histograms (PM3)", "[plugins][prometheus]") {
    Metrics metrics;
    metrics.ask();
    const std::string labels = R"(route="1",service="",consumer="",node="127.0.0.1",)" + std::string(tail);
    const std::string request = "{type=\"request\"," + labels;
    CHECK(metrics.tells("apisix_http_latency_bucket" + request + ",le=\"10\"} 0\n"));
    CHECK(metrics.tells("apisix_http_latency_bucket" + request + ",le=\"20\"} 1\n"));
    CHECK(metrics.tells("apisix_http_latency_bucket" + request + ",le=\"+Inf\"} 1\n"));
    CHECK(metrics.tells("apisix_http_latency_sum" + request + "} 12.345\n"));
    CHECK(metrics.tells("apisix_http_latency_count" + request + "} 1\n"));
    CHECK(metrics.tells("apisix_http_latency_sum{type=\"upstream\"," + labels + "} 10\n"));
    CHECK(metrics.tells("apisix_http_latency_sum{type=\"apisix\"," + labels + "} 2.345\n"));
}

TEST_CASE("prometheus: names in place of ids (PM4)", "[plugins][prometheus]") {
    Metrics metrics(R"({"prefer_name":true})");
    metrics.ask([](ExchangeFacts& facts) { facts.route_name = "r"; });
    CHECK(metrics.tells("route=\"r\""));
    CHECK_FALSE(metrics.tells("route=\"1\""));
}

TEST_CASE("prometheus: an answer of the gateway's own has no node (PM5)", "[plugins][prometheus]") {
    Metrics metrics;
    metrics.plugins.add("key-auth", "{}");
    metrics.chain = metrics.plugins.make();
    metrics.ask();
    CHECK(metrics.tells(status_line(R"(code="401",route="1",matched_uri="/hello",matched_host="",service="",)"
                                    R"(consumer="",node="")",
                                    "apisix", 1)));
    CHECK_FALSE(metrics.tells("type=\"upstream\""));
}

TEST_CASE("prometheus: a label of one's own stands at the end (PM6)", "[plugins][prometheus]") {
    Metrics metrics("{}",
                    R"({"prometheus":{"metrics":{"http_status":{"extra_labels":[{"upstream_addr":"$arg_a"}]}}}})");
    metrics.ask({}, "/hello?a=1");
    metrics.ask({}, "/hello?a=2");
    metrics.ask({}, "/hello?a=2");
    metrics.ask({}, "/hello?a=%22%0a\\%ff");
    CHECK(metrics.tells("response_source=\"upstream\",upstream_addr=\"1\"} 1\n"));
    CHECK(metrics.tells("response_source=\"upstream\",upstream_addr=\"2\"} 2\n"));
    CHECK(metrics.tells("upstream_addr=\"\\\"\\n\\\\\xEF\xBF\xBD\"} 1\n"));
}

TEST_CASE("prometheus: a label without value joins series (PM7)", "[plugins][prometheus]") {
    Metrics metrics("{}", {}, R"({"disabled_labels":{"http_status":["node"]}})");
    metrics.ask();
    metrics.ask([](ExchangeFacts& facts) { facts.node = "127.0.0.2"; });
    CHECK(metrics.tells(status_line(R"(code="200",route="1",matched_uri="/hello",matched_host="",service="",)"
                                    R"(consumer="",node="")",
                                    "upstream", 2)));
    CHECK(metrics.tells("apisix_bandwidth{type=\"egress\",route=\"1\",service=\"\",consumer=\"\",node=\"127.0.0.2\""));
}

TEST_CASE("prometheus: labels that must not be left out (PM8)", "[plugins][prometheus]") {
    config::Errors errors;
    check_plugin_metadata("prometheus", json::parse(R"({"disabled_labels":{"http_status":["code"]}})"), errors);
    CHECK(
        std::string(errors.first())
            .find(
                "property \"disabled_labels\" validation failed: property \"http_status\" validation failed: failed to "
                "validate item 1: matches none of the enum values") != std::string::npos);
}

TEST_CASE("prometheus: a global rule steps aside for the route (PM9)", "[plugins][prometheus]") {
    Metrics metrics;
    const Ref<const Chain> global = metrics.plugins.make(Chain::Scope::global);
    FakeExchange exchange;
    exchange.own_services.own_series = &metrics.writer;
    exchange.run(*metrics.chain, {}, global.get());
    CHECK(metrics.tells("response_source=\"upstream\"} 1\n"));
}

TEST_CASE("prometheus: a failure of proxying is told as such (PM10)", "[plugins][prometheus]") {
    Metrics metrics;
    metrics.ask([](ExchangeFacts& facts) {
        facts.status = 502;
        facts.response_source = "nginx";
    });
    CHECK(metrics.tells(status_line(R"(code="502",route="1",matched_uri="/hello",matched_host="",service="",)"
                                    R"(consumer="",node="127.0.0.1")",
                                    "nginx", 1)));
}

// The whole of it, with four workers, is tests/integration/metrics_test.cpp.
TEST_CASE("prometheus: pages of several workers are added up (PM11)", "[plugins][prometheus]") {
    Metrics one, two;
    for (int i = 0; i < 3; ++i) one.ask();
    for (int i = 0; i < 4; ++i) two.ask();
    const config::MetricsAttr attr;
    admin::SeriesSum sum(attr, 0);
    sum.add_page(one.page, true);
    sum.add_page(two.page, false);  // a worker that has gone still counts
    std::string all;
    for (admin::MetricFamily& family : sum.families()) family.write(all);
    CHECK(all.find("response_source=\"upstream\"} 7\n") != std::string::npos);
}

TEST_CASE("prometheus: series that nobody touches disappear and come back", "[plugins][prometheus]") {
    Metrics metrics("{}", R"({"prometheus":{"metrics":{"http_status":{"expire":60}}}})");
    metrics.ask();
    const auto now = static_cast<std::uint32_t>(monotonic_ns() / 1'000'000'000);
    CHECK(metrics.text(now).find("apisix_http_status{") != std::string::npos);
    CHECK(metrics.text(now + 120).find("apisix_http_status{") == std::string::npos);
    CHECK(metrics.text(now + 120).find("apisix_bandwidth{") != std::string::npos);
}

TEST_CASE("prometheus: a series that one worker still touches stays whole", "[plugins][prometheus]") {
    Metrics old("{}", R"({"prometheus":{"metrics":{"http_status":{"expire":60}}}})");
    Metrics fresh("{}", R"({"prometheus":{"metrics":{"http_status":{"expire":60}}}})");
    old.ask();
    fresh.ask();
    const auto now = static_cast<std::uint32_t>(monotonic_ns() / 1'000'000'000);
    reinterpret_cast<telemetry::Series*>(fresh.page.data() + sizeof(telemetry::SeriesHead))->touch(now + 100);
    config::Errors errors;
    const config::MetricsAttr attr = config::read_metrics_attr(old.plugins.node.plugin_attr, errors);
    admin::SeriesSum sum(attr, now + 120);
    sum.add_page(old.page, true);
    sum.add_page(fresh.page, true);
    std::string all;
    for (admin::MetricFamily& family : sum.families()) family.write(all);
    CHECK(all.find("response_source=\"upstream\"} 2\n") != std::string::npos);
}

TEST_CASE("prometheus: what loggers had to give up is told by plugin, lines of files by their own name",
          "[plugins][prometheus]") {
    Metrics metrics;
    for (const char* const plugin : {"file-logger", "syslog"}) {
        std::string labels;
        telemetry::append_label(labels, plugin);
        telemetry::append_label(labels, "queue");
        telemetry::Series* series =
            metrics.writer.find_or_add({telemetry::SeriesKind::log_entries_dropped, 0, 1, labels});
        REQUIRE(series);
        telemetry::add(series->cell(0), 3);
    }
    CHECK(metrics.tells("\ngateway_file_logger_dropped_total 3\n"));
    CHECK(metrics.tells("\ngateway_log_entries_dropped_total{plugin=\"syslog\",reason=\"queue\"} 3\n"));
}

TEST_CASE("prometheus: a known case costs no allocation", "[plugins][prometheus]") {
    Metrics metrics;
    FakeExchange exchange;
    exchange.own_services.own_series = &metrics.writer;
    for (int i = 0; i < 3; ++i) REQUIRE(metrics.chain->run<Phase::log>(exchange).ready());
    const AllocCount count;
    for (int i = 0; i < 100; ++i) REQUIRE(metrics.chain->run<Phase::log>(exchange).ready());
    CHECK(count.count() == 0);
}

TEST_CASE("prometheus: without room for series requests go on", "[plugins][prometheus]") {
    Metrics metrics;
    telemetry::SeriesWriter full(metrics.page.subspan(0, 64));
    FakeExchange exchange;
    exchange.own_services.own_series = &full;
    exchange.run(*metrics.chain);
    CHECK(exchange.finished);
    CHECK(full.refused() == 3);
}

TEST_CASE("series cache: cases differ by every part, however many there are", "[plugins][prometheus]") {
    plugins::SeriesCache cache;
    const char pattern[] = "/a";
    const auto made = [&](std::uint64_t route, unsigned status, std::string_view node) {
        plugins::SeriesCase one;
        one.route = route;
        one.pattern = pattern;
        one.status = status;
        one.texts[1] = node;
        return one;
    };
    for (std::uint64_t route = 0; route < 3000; ++route) {
        for (const unsigned status : {200u, 404u}) {
            const auto one = made(route, status, "127.0.0.1");
            REQUIRE_FALSE(cache.find(one, one.hash()));
            cache.add(one, one.hash(), {reinterpret_cast<telemetry::Series*>(route * 1000 + status), nullptr, nullptr});
        }
    }
    for (std::uint64_t route = 0; route < 3000; ++route) {
        const auto one = made(route, 404, "127.0.0.1"), other = made(route, 404, "127.0.0.2");
        REQUIRE(cache.find(one, one.hash()));
        CHECK(cache.find(one, one.hash())->status == reinterpret_cast<telemetry::Series*>(route * 1000 + 404));
        CHECK_FALSE(cache.find(other, other.hash()));
    }
    for (std::uint64_t route = 10'000; route < 80'000; ++route) {
        const auto one = made(route, 200, "");
        cache.add(one, one.hash(), {});
    }
    CHECK(cache.size() <= plugins::SeriesCache::most);
}
