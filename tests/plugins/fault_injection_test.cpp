#include "tests/plugins/refusal.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;

TEST_CASE("fault-injection: comes before redirect (FI7)", "[plugins][fault_injection]") {
    FakeExchange exchange;
    const LogLines lines;
    const auto chain = TestChain()
                           .add("redirect", R"({"uri":"/elsewhere"})")
                           .add("fault-injection", R"({"abort":{"http_status":405,"body":"Fault Injection!\n"}})")
                           .make();
    const Seen& answer = exchange.run(*chain);
    CHECK(answer.status == 405);
    CHECK(answer.body == "Fault Injection!\n");
    CHECK(answer.field("Location") == "(none)");
}

TEST_CASE("fault-injection: a share of requests is hit", "[plugins][fault_injection]") {
    const auto chain = chain_of("fault-injection", R"({"abort":{"http_status":503,"percentage":30}})");
    int hit = 0;
    const LogLines lines;
    for (std::uint64_t chance = 0; chance < 100; ++chance) {
        FakeExchange exchange;
        exchange.own_services.next_random = chance;
        hit += exchange.run(*chain).status == 503;
    }
    CHECK(hit == 30);
}

TEST_CASE("fault-injection: waits first, then answers; fractions of a second count", "[plugins][fault_injection]") {
    FakeExchange exchange;
    const LogLines lines;
    const Seen& answer =
        exchange.run(*chain_of("fault-injection", R"({"delay":{"duration":0.25},"abort":{"http_status":418}})"));
    CHECK(exchange.own_services.slept == Milliseconds(250));
    CHECK(answer.status == 418);
    CHECK(answer.page);
}

TEST_CASE("fault-injection: conditions are judged before the delay", "[plugins][fault_injection]") {
    const auto chain = chain_of(
        "fault-injection", R"({"delay":{"duration":1},"abort":{"http_status":403,"vars":[[["arg_a","==","1"]]]}})");
    FakeExchange exchange("GET", "/hello?a=1");
    const LogLines lines;
    Step step = chain->run<Phase::rewrite>(exchange);
    REQUIRE_FALSE(step.ready());
    exchange.args = "a=2";
    Verdict verdict = Verdict::next;
    spawn([](Step taken, Verdict& out) -> Task<void> {
        Task<Verdict> pending = std::move(taken).wait();
        out = co_await pending;
    }(std::move(step), verdict));
    while (exchange.own_services.wake()) continue;
    CHECK(verdict == Verdict::respond);
}

TEST_CASE("fault-injection: a header that comes out empty is left out", "[plugins][fault_injection]") {
    FakeExchange exchange;
    const Seen& answer = exchange.run(*chain_of(
        "fault-injection", R"({"abort":{"http_status":200,"headers":{"X-A":"$arg_none","X-B":"","X-N":1}}})"));
    CHECK(answer.field("X-A") == "(none)");
    CHECK(answer.field("X-B") == "(none)");
    CHECK(answer.field("X-N") == "1");
}

TEST_CASE("fault-injection: what cannot be configured", "[plugins][fault_injection]") {
    CHECK(refusal("fault-injection", R"({"abort":{}})") ==
          "property \"abort\" validation failed: property \"http_status\" is required");
    CHECK(refusal("fault-injection", R"({"abort":{"http_status":100}})") ==
          "property \"abort\" validation failed: property \"http_status\" validation failed: expected 100 to be at "
          "least 200");
    CHECK(refusal("fault-injection", R"({"delay":{"duration":-1}})").find("expected -1 to be at least 0") !=
          std::string::npos);
    CHECK(refusal("fault-injection", R"({"delay":{"duration":1,"percentage":101}})")
              .find("expected 101 to be at most 100") != std::string::npos);
    CHECK(refusal("fault-injection", R"({"abort":{"http_status":403,"headers":{}}})")
              .find("expect object to have at least 1 properties") != std::string::npos);
    CHECK(refusal("fault-injection", R"({"abort":{"http_status":403,"headers":{"A B":"1"}}})") ==
          "invalid field character in header");
    CHECK(refusal("fault-injection", R"({"abort":{"http_status":403,"headers":{"A":[]}}})") ==
          "invalid type as header value");
}
