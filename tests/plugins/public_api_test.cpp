#include "libgateway/plugin/public_apis.hpp"
#include "tests/plugins/refusal.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

// Stands for a plugin that offers metrics.
const PublicApiRegistration metrics({"/test/metrics", http::Verb::get, [](Exchange& exchange) -> Step {
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
