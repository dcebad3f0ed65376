// ua-restriction, referer-restriction and uri-blocker beyond their worked examples.
#include "tests/plugins/refusal.hpp"
#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

constexpr std::string_view runaway = R"~((*NO_JIT)(a+)+$)~";

unsigned status_of(std::string_view plugin, std::string_view conf, std::string_view target, std::string_view field,
                   std::string_view value) {
    FakeExchange exchange("GET", target);
    exchange.with(field, value);
    const LogLines lines;
    return exchange.run(*chain_of(plugin, conf)).status;
}

}  // namespace

TEST_CASE("ua-restriction: a pattern that is none is refused with the engine's words (U8)",
          "[plugins][ua_restriction]") {
    CHECK(refusal("ua-restriction", R"({"denylist":["("]})") == "missing closing parenthesis at offset 1");
    CHECK(refusal("ua-restriction", R"({"allowlist":["a","["]})").find("missing terminating ]") != std::string::npos);
    CHECK(refusal("ua-restriction", R"({"allowlist":[""]})").find("string too short") != std::string::npos);
    CHECK(refusal("ua-restriction", R"({"allowlist":["a"],"denylist":["b"]})") ==
          "value should match only one schema, but matches both schemas 1 and 2");
}

TEST_CASE("ua-restriction: one of several agents is enough to be allowed", "[plugins][ua_restriction]") {
    FakeExchange exchange;
    exchange.with("User-Agent", "b").with("User-Agent", "a");
    CHECK(exchange.run(*chain_of("ua-restriction", R"({"allowlist":["a"]})")).status == 200);
}

TEST_CASE("ua-restriction: an expression that gives up lets nobody through", "[plugins][ua_restriction]") {
    const std::string agent = std::string(60, 'a') + "b";
    const std::string list = "[\"" + std::string(runaway) + "\"]";
    CHECK(status_of("ua-restriction", "{\"denylist\":" + list + "}", "/", "User-Agent", agent) == 403);
    CHECK(status_of("ua-restriction", "{\"allowlist\":" + list + "}", "/", "User-Agent", agent) == 403);
}

TEST_CASE("referer-restriction: the host is what a browser would call so", "[plugins][referer_restriction]") {
    const auto [referer, status] = GENERATE(table<std::string, unsigned>({
        {"https://yy.com", 200},
        {"//yy.com/x", 200},
        {"https://user:pw@yy.com/x", 200},
        {"https://yy.com@evil.com/", 403},
        {"https://yy.com:80@evil.com/", 403},
        {"https://evil.com/https://yy.com", 403},
        {"https://evil.com?//yy.com", 403},
        {"https://evil.com#@yy.com", 403},
        {"https://evil.com\\@yy.com", 200},
        {"https://evil.com\\.yy.com", 403},
        {"https://YY.com", 403},
        {"x y://yy.com", 403},
        {"yy.com", 403},
        {"https://", 403},
        {"https://[::1]:80/", 200},
        {"https://[::1", 403},
    }));
    INFO(referer);
    CHECK(status_of("referer-restriction", R"({"whitelist":["yy.com","*.yy.com","[::1]"]})", "/", "Referer", referer) ==
          status);
}

TEST_CASE("referer-restriction: a star alone means every host, not a missing one", "[plugins][referer_restriction]") {
    CHECK(status_of("referer-restriction", R"({"whitelist":["*"]})", "/", "Referer", "http://a") == 200);
    CHECK(status_of("referer-restriction", R"({"whitelist":["*"]})", "/", "Referer", "a") == 403);
    CHECK(status_of("referer-restriction", R"({"blacklist":["b"]})", "/", "X", "") == 403);
    CHECK(refusal("referer-restriction", R"({"whitelist":["a/b"]})") ==
          "property \"whitelist\" validation failed: failed to validate item 1: failed to match pattern "
          "\"^\\*$|^\\*?[0-9a-zA-Z-._\\[\\]:]+$\" with \"a/b\"");
}

TEST_CASE("uri-blocker: a pattern that is none is refused with the engine's words (UB7)", "[plugins][uri_blocker]") {
    CHECK(refusal("uri-blocker", R"({"block_rules":[".+("]})") == "missing closing parenthesis at offset 3");
    CHECK(refusal("uri-blocker", R"({})") == "property \"block_rules\" is required");
    CHECK(refusal("uri-blocker", R"({"block_rules":["a"],"rejected_code":199})") ==
          "property \"rejected_code\" validation failed: expected 199 to be at least 200");
}

TEST_CASE("uri-blocker: no rules block nothing, a rule that gives up blocks", "[plugins][uri_blocker]") {
    CHECK(status_of("uri-blocker", R"({"block_rules":[]})", "/x", "X", "") == 200);
    const std::string rules = "{\"block_rules\":[\"" + std::string(runaway) + "\"]}";
    CHECK(status_of("uri-blocker", rules, "/" + std::string(60, 'a') + "b", "X", "") == 403);
}

TEST_CASE("restrictions: judging allocates nothing", "[plugins][uri_blocker][ua_restriction]") {
    const auto chain = TestChain()
                           .add("uri-blocker", R"({"block_rules":["^/admin","\\.\\./"]})")
                           .add("ua-restriction", R"({"denylist":["bot"]})")
                           .add("referer-restriction", R"({"whitelist":["*.a.com"]})")
                           .make();
    const auto judge = [&chain](FakeExchange& exchange) {
        (void)chain->run<Phase::rewrite>(exchange);
        (void)chain->run<Phase::access>(exchange);
    };
    FakeExchange warm("GET", "/x?y"), exchange("GET", "/x?y");
    for (FakeExchange* each : {&warm, &exchange}) {
        each->with("User-Agent", "curl/8").with("Referer", "https://www.a.com/");
        each->arena().take(1);
    }
    judge(warm);
    const AllocCount count;
    judge(exchange);
    CHECK(count.count() == 0);
}
