#include "tests/plugins/refusal.hpp"
#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_consumers.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;

TEST_CASE("consumer-restriction: judges the service of the route (R8)", "[plugins][consumer_restriction]") {
    FakeExchange exchange;
    exchange.variables["service_id"] = "s2";
    const LogLines lines;
    const Seen& answer = exchange.run(
        *chain_of("consumer-restriction", R"({"type":"service_id","whitelist":["s1"],"rejected_code":401})"));
    CHECK(answer.status == 401);
    CHECK(answer.body == "{\"message\":\"The service_id is forbidden.\"}\n");
}

TEST_CASE("consumer-restriction: logging in and judging allocates nothing once warm",
          "[plugins][consumer_restriction]") {
    const FakeConsumers consumers =
        FakeConsumers().add("jack", R"({"key-auth":{"key":"k"}})", {"gold", "c-1"}).add("rose", "{}");
    const auto chain = TestChain()
                           .add("key-auth", "{}")
                           .add("consumer-restriction", R"({"type":"consumer_group_id","whitelist":["gold"]})")
                           .make();
    FakeExchange exchange;
    exchange.use(consumers);
    exchange.with("apikey", "k");
    (void)chain->run<Phase::rewrite>(exchange);
    const AllocCount count;
    (void)chain->run<Phase::access>(exchange);
    CHECK(count.count() == 0);
    CHECK(exchange.run(*chain).status == 200);
}
