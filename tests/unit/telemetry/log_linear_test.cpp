#include "libgateway/telemetry/histogram.hpp"

#include <memory>

#include "tests/support/catch.hpp"

using namespace gateway::telemetry;

TEST_CASE("histogram: buckets follow each other without gap or overlap", "[telemetry][histogram]") {
    REQUIRE(Histogram::bucket_of(0) == 0);
    for (std::size_t bucket = 0; bucket + 1 < Histogram::size; ++bucket) {
        const std::uint64_t last = Histogram::upper_bound(bucket);
        INFO(bucket);
        REQUIRE(Histogram::bucket_of(last) == bucket);
        REQUIRE(Histogram::bucket_of(last + 1) == bucket + 1);
    }
    REQUIRE(Histogram::bucket_of(~std::uint64_t{0}) == Histogram::size - 1);
}

TEST_CASE("histogram: a quantile is never below the value and at most an eighth above", "[telemetry][histogram]") {
    const auto histogram = std::make_unique<Histogram>();
    for (std::uint64_t value = 1; value <= 1000; ++value) histogram->record(value);
    HistogramSum sum;
    sum.add(*histogram);
    REQUIRE(sum.count() == 1000);
    REQUIRE(sum.sum() == 500500);
    for (const double share : {0.5, 0.9, 0.99}) {
        const double exact = share * 1000;
        INFO(share);
        REQUIRE(static_cast<double>(sum.quantile(share)) >= exact);
        REQUIRE(static_cast<double>(sum.quantile(share)) <= exact * 1.125 + 1);
    }
    REQUIRE(sum.quantile(1.0) >= 1000);
}

TEST_CASE("histogram: an empty one has no quantile", "[telemetry][histogram]") {
    const HistogramSum sum;
    REQUIRE(sum.quantile(0.99) == 0);
}
