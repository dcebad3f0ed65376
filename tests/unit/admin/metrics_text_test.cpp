#include "libgateway/admin/metrics_text.hpp"

#include "libgateway/config/metrics_attr.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::admin;

TEST_CASE("metrics text: families are sorted by labels and tell help and type", "[admin][metrics_text]") {
    MetricFamily family("m_total", "What it is", MetricType::counter);
    family.add("b=\"1\"", std::uint64_t{2});
    family.add("a=\"2\"", std::uint64_t{1});
    std::string text;
    family.write(text);
    CHECK(text == "# HELP m_total What it is\n# TYPE m_total counter\nm_total{a=\"2\"} 1\nm_total{b=\"1\"} 2\n");
    MetricFamily empty("nothing", "", MetricType::gauge);
    text.clear();
    empty.write(text);
    CHECK(text.empty());
}

TEST_CASE("metrics text: histograms add up, bounds have no padding", "[admin][metrics_text]") {
    MetricFamily family("h", "Help", MetricType::histogram);
    const std::vector<std::uint64_t> bounds{1000, 2500}, counts{1, 2, 3};
    family.add_histogram("", bounds, counts, 12'500, 1000);
    family.add_histogram("a=\"1\"", bounds, counts, 0, 1000);
    std::string text;
    family.write(text);
    CHECK(text ==
          "# HELP h Help\n# TYPE h histogram\n"
          "h_bucket{le=\"1\"} 1\nh_bucket{le=\"2.5\"} 3\nh_bucket{le=\"+Inf\"} 6\nh_sum 12.5\nh_count 6\n"
          "h_bucket{a=\"1\",le=\"1\"} 1\nh_bucket{a=\"1\",le=\"2.5\"} 3\nh_bucket{a=\"1\",le=\"+Inf\"} 6\n"
          "h_sum{a=\"1\"} 0\nh_count{a=\"1\"} 6\n");
}

TEST_CASE("metrics text: label values are escaped and valid", "[admin][metrics_text]") {
    const std::vector<std::pair<std::string_view, std::string_view>> labels{{"a", "x\"\\\ny"}, {"b", "\xff\xc3\xa4"}};
    CHECK(label_text(labels) == "a=\"x\\\"\\\\\\ny\",b=\"\xEF\xBF\xBD\xc3\xa4\"");
    CHECK(metric_number(3) == "3");
    CHECK(metric_number(0.25) == "0.25");
}

TEST_CASE("metrics attributes: defaults, and what is refused", "[config][metrics_attr]") {
    const auto read = [](std::string_view text, std::string& problem) {
        config::Errors errors;
        const config::MetricsAttr attr = config::read_metrics_attr(json::parse(text), errors);
        problem = errors.first();
        return attr;
    };
    std::string problem;
    const config::MetricsAttr attr = read(R"({"other":{}})", problem);
    CHECK(problem.empty());
    CHECK(attr.export_addr.port == 9091);
    CHECK(attr.bounds().front() == 1000);
    CHECK(attr.bounds().size() == 15);
    read(R"({"prometheus":{"default_buckets":[2,1]}})", problem);
    CHECK(problem.find("expected rising numbers") != std::string::npos);
    read(R"({"prometheus":{"metrics":{"http_status":{"extra_labels":[{"le":"$a"}]}}}})", problem);
    CHECK(problem.find("no name of a label") != std::string::npos);
    read(R"({"prometheus":{"metrics":{"http_status":{"extra_labels":[{"a":"b"}]}}}})", problem);
    CHECK(problem.find("expected \"$variable\"") != std::string::npos);
}
