#include "libgateway/telemetry/log_linear.hpp"

#include "tests/support/catch.hpp"

using namespace gateway::telemetry;

TEMPLATE_TEST_CASE("log-linear: buckets follow each other without gap or overlap", "[telemetry][log_linear]",
                   (LogLinear<3, 39>), (LogLinear<2, 21>), (LogLinear<0, 5>)) {
    REQUIRE(TestType::bucket_of(0) == 0);
    for (std::size_t bucket = 0; bucket + 1 < TestType::size; ++bucket) {
        const std::uint64_t end = TestType::end_of(bucket);
        INFO(bucket);
        REQUIRE(TestType::bucket_of(end - 1) == bucket);
        REQUIRE(TestType::bucket_of(end) == bucket + 1);
    }
    REQUIRE(TestType::bucket_of(~std::uint64_t{0}) == TestType::size - 1);
}

TEST_CASE("log-linear: a bucket is an eighth of its values wide at most", "[telemetry][log_linear]") {
    using Eighths = LogLinear<3, 39>;
    for (std::size_t bucket = 1; bucket < Eighths::size; ++bucket) {
        const std::uint64_t begin = Eighths::end_of(bucket - 1), width = Eighths::end_of(bucket) - begin;
        INFO(bucket);
        REQUIRE(width <= std::max<std::uint64_t>(begin / 8, 1));
    }
}
