#include "libgateway/shm/window.hpp"

#include "tests/support/catch.hpp"

using namespace gateway::shm;

namespace {

constexpr std::int64_t t0 = 1'800'328'447'000;

WindowCount fixed(Cell& cell, std::uint64_t limit, std::int64_t at, std::int64_t window = 60'000) {
    return take_fixed(cell, limit, window, 1, t0 + at);
}

}  // namespace

TEST_CASE("fixed window: begins with the first request and lasts its whole length", "[shm][window]") {
    Cell cell{};
    const auto first = fixed(cell, 2, 0);
    CHECK((first.admitted && first.remaining == 1 && first.reset_ms == 60'000));
    const auto second = fixed(cell, 2, 500);
    CHECK((second.admitted && second.remaining == 0 && second.reset_ms == 59'500));
    const auto third = fixed(cell, 2, 59'999);
    CHECK((!third.admitted && third.remaining == 0 && third.reset_ms == 1));
    CHECK(fixed(cell, 2, 60'000).admitted);
    CHECK(cell.expires_ms == t0 + 120'000);
}

TEST_CASE("fixed window: refused requests count, a higher limit in the same window sees them", "[shm][window]") {
    Cell cell{};
    for (int i = 0; i < 5; ++i) fixed(cell, 2, i);
    CHECK_FALSE(fixed(cell, 5, 10).admitted);
    CHECK(fixed(cell, 8, 11).remaining == 1);
}

TEST_CASE("fixed window: a clock set back does not hold a window open", "[shm][window]") {
    Cell cell{};
    CHECK(fixed(cell, 1, 0).admitted);
    CHECK_FALSE(fixed(cell, 1, -900).admitted);  // clocks of processes differ a little
    CHECK(fixed(cell, 1, -3'600'000).admitted);
}

TEST_CASE("fixed window: windows of any length and counts of any size", "[shm][window]") {
    Cell cell{};
    const auto count = take_fixed(cell, (1ull << 53) - 1, INT64_MAX, 1, t0);
    CHECK(count.admitted);
    CHECK(count.remaining == (1ull << 53) - 2);
    CHECK(take_fixed(cell, (1ull << 53) - 1, INT64_MAX, 1ull << 60, t0).admitted);
    CHECK(take_fixed(cell, (1ull << 53) - 1, INT64_MAX, 1, t0).admitted);
}

TEST_CASE("sliding window: the previous window counts with what is left of it (LC15)", "[shm][window]") {
    Cell cell{};
    constexpr std::int64_t window = 10'000, start = t0 / window * window;
    for (int i = 0; i < 10; ++i) REQUIRE(take_sliding(cell, 10, window, 1, start + 9'000).admitted);
    CHECK_FALSE(take_sliding(cell, 10, window, 1, start + 9'000).admitted);
    for (const std::uint64_t remaining : {2u, 1u, 0u}) {
        const auto count = take_sliding(cell, 10, window, 1, start + 13'000);
        CHECK((count.admitted && count.remaining == remaining && count.reset_ms == 7'000));
    }
    const auto refused = take_sliding(cell, 10, window, 1, start + 13'000);
    CHECK((!refused.admitted && refused.reset_ms == 0));
    const auto early = take_sliding(cell, 10, window, 1, start + 12'500);
    CHECK((!early.admitted && early.reset_ms == 500));  // 7.5 s left, 7 of 10 missing
    CHECK(take_sliding(cell, 10, window, 1, start + 14'000).admitted);
    CHECK(take_sliding(cell, 10, window, 1, start + 40'000).remaining == 9);
}

TEST_CASE("sliding window: a full current window is waited for, rounded up", "[shm][window]") {
    Cell cell{};
    CHECK(take_sliding(cell, 1, 1'000, 1, 5'000).admitted);
    CHECK(take_sliding(cell, 1, 1'000, 1, 5'333).reset_ms == 670);
}

TEST_CASE("sliding window: a late process cannot add to a window that others look back at", "[shm][window]") {
    Cell cell{};
    constexpr std::int64_t window = 1'000;
    REQUIRE(take_sliding(cell, 10, window, 1, 7'000).admitted);  // closes window 6
    const auto late = take_sliding(cell, 10, window, 1, 6'999);  // counts as the first moment of window 7
    CHECK((late.admitted && late.remaining == 8));
    CHECK(take_sliding(cell, 10, window, 1, 7'001).remaining == 7);
}

TEST_CASE("leaky bucket: one leaves each period, the burst waits", "[shm][window]") {
    Cell cell{};
    for (const double excess : {0., 1., 2., 3.}) {
        const Drip drip = take_leaky(cell, 2, 3, t0);
        CHECK((drip.admitted && drip.excess == Approx(excess)));
    }
    CHECK_FALSE(take_leaky(cell, 2, 3, t0).admitted);
    CHECK_FALSE(take_leaky(cell, 2, 3, t0 + 499).admitted);
    CHECK(take_leaky(cell, 2, 3, t0 + 500).excess == Approx(3));
    CHECK(take_leaky(cell, 2, 3, t0 + 100'000).excess == 0);
}

TEST_CASE("leaky bucket: requests at exactly the rate all pass (LR4)", "[shm][window]") {
    Cell cell{};
    for (int i = 0; i < 100; ++i) {
        const Drip drip = take_leaky(cell, 10, 0, t0 + i * 100);
        REQUIRE((drip.admitted && drip.excess < 0.0001));
    }
    CHECK_FALSE(take_leaky(cell, 10, 0, t0 + 9'950).admitted);
}

TEST_CASE("leaky bucket: a clock set back by much begins anew", "[shm][window]") {
    Cell cell{};
    CHECK(take_leaky(cell, 1, 0, t0).admitted);
    CHECK_FALSE(take_leaky(cell, 1, 0, t0 - 500).admitted);
    CHECK(take_leaky(cell, 1, 0, t0 - 60'000).admitted);
}
