#include "libgateway/telemetry/counters.hpp"

#include <memory>

#include "tests/support/catch.hpp"

using namespace gateway::telemetry;

TEST_CASE("counters: a response is counted by class and by reason", "[telemetry][counters]") {
    const auto page = std::make_unique<CounterPage>();
    count_response(*page, 200, EndReason::completed);
    count_response(*page, 204, EndReason::completed);
    count_response(*page, 499, EndReason::client_gone);
    count_response(*page, 0, EndReason::client_gone);
    count_response(*page, 999, EndReason::upstream_invalid);
    REQUIRE(get(page->responses_by_class[2]) == 2);
    REQUIRE(get(page->responses_by_class[4]) == 1);
    REQUIRE(get(page->responses_by_class[0]) == 2);
    REQUIRE(get(page->ended[static_cast<std::size_t>(EndReason::client_gone)]) == 2);
}

TEST_CASE("counters: the peak of a turn starts anew when it is asked for", "[telemetry][counters]") {
    const auto page = std::make_unique<CounterPage>();
    count_turn(*page, 500);
    count_turn(*page, 100);
    REQUIRE(get(page->turn_peak_ns) == 500);
    set(page->turn_peak_asked, 1);
    count_turn(*page, 70);
    count_turn(*page, 60);
    REQUIRE(get(page->turn_peak_ns) == 70);
    REQUIRE(get(page->longest_turn_ns) == 500);
    REQUIRE(get(page->loop_turns) == 4);
}

TEST_CASE("counters: only gauges are reset for a new worker", "[telemetry][counters]") {
    const auto page = std::make_unique<CounterPage>();
    add(page->connections_accepted, 3);
    add(page->connections_active, 3);
    subtract(page->connections_active);
    REQUIRE(get(page->connections_active) == 2);
    reset_gauges(*page);
    REQUIRE(get(page->connections_active) == 0);
    REQUIRE(get(page->connections_accepted) == 3);
}

TEST_CASE("reason: every code has a name of its own", "[telemetry][reason]") {
    for (std::size_t i = 0; i < reason_count; ++i) {
        INFO(i);
        REQUIRE_FALSE(reason_names[i].empty());
        for (std::size_t j = 0; j < i; ++j) REQUIRE(reason_names[i] != reason_names[j]);
    }
    REQUIRE(name_of(EndReason::client_gone) == "client_gone");
    REQUIRE(name_of(EndReason::upstream_timeout) == "upstream_timeout");
    REQUIRE(name_of(EndReason::internal) == "internal");
    REQUIRE(name_of(EndReason::count) == "unknown");
}
