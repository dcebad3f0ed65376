#include "libgateway/process/control_trial.hpp"

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::process;

TEST_CASE("trial: a rule is a class and a share", "[process][control_trial]") {
    const auto rule = parse_revert_rule("5xx>2.5%");
    REQUIRE(rule);
    CHECK(rule->status_class == 5);
    CHECK(rule->percent == 2.5);
    CHECK(parse_revert_rule("4xx>0%"));
    for (const char* bad :
         {"", "5xx", "5xx>5", "6xx>5%", "5xx>%", "5xx>100%", "5xx>-1%", "5xx>nan%", "5xx> 5%", "502>5%"}) {
        INFO(bad);
        CHECK_FALSE(parse_revert_rule(bad));
    }
}

TEST_CASE("trial: it says when it ends", "[process][control_trial]") {
    CHECK(text_of({12, 0, 1000, true, ""}) == "revision 12: reverts at 1970-01-01T00:00:01Z unless it is confirmed");
    CHECK(text_of({12, 0, 1000, true, "5xx>5%"}) ==
          "revision 12: reverts at 1970-01-01T00:00:01Z unless it is confirmed, reverts if 5xx>5%");
    CHECK(text_of({12, 0, 1000, false, "5xx>5%"}) == "revision 12: reverts if 5xx>5% until 1970-01-01T00:00:01Z");
}

TEST_CASE("trial: bad answers count by their share of the newest ones", "[process][control_trial]") {
    ResponseWatch watch;
    const RevertRule rule{5, 10};
    const auto answers = [](std::uint64_t good, std::uint64_t bad) { return Answers{0, 0, good, 0, 0, bad}; };
    CHECK_FALSE(watch.look(answers(1000, 500), rule));  // of before
    CHECK_FALSE(watch.look(answers(1000, 509), rule));  // too few to say anything
    CHECK(watch.look(answers(1000, 510), rule));
    CHECK_FALSE(watch.look(answers(1200, 511), rule));
    SECTION("what is older than the window does not count") {
        CHECK_FALSE(watch.look(answers(1300, 511), rule));
        CHECK_FALSE(watch.look(answers(1300, 520), rule));
        CHECK(watch.look(answers(1300, 530), rule));
    }
    SECTION("numbers that fell begin anew") {
        CHECK_FALSE(watch.look(answers(0, 100), rule));
        CHECK(watch.look(answers(0, 110), rule));
    }
    SECTION("forgotten") {
        watch.forget();
        CHECK_FALSE(watch.look(answers(1200, 900), rule));
    }
}
