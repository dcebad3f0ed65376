#include "tests/plugins/refusal.hpp"
#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

constexpr std::string_view conf = R"({"key":"edd1c9f034335f136f87ad84b625c8f1"})";

// The token of a Set-Cookie field.
std::string token_of(const Seen& answer) {
    const std::string cookie = answer.field("Set-Cookie");
    const std::size_t from = cookie.find('=') + 1;
    return cookie.substr(from, cookie.find(';') - from);
}

Seen post(const std::string& token, std::int64_t now = 1800328447) {
    FakeExchange exchange("POST");
    exchange.own_services.now = now * 1000;
    exchange.with("apisix-csrf-token", token).with("Cookie", "a=b; apisix-csrf-token=" + token);
    const LogLines lines;
    return exchange.run(*chain_of("csrf", conf));
}

}  // namespace

TEST_CASE("csrf: every answer brings a token that the next request may use (CS1)", "[plugins][csrf]") {
    FakeExchange exchange;
    const Seen& answer = exchange.run(*chain_of("csrf", conf), {200, {{"Set-Cookie", "own=1"}}, {"x"}});
    CHECK(answer.status == 200);
    const std::string cookies = answer.field("Set-Cookie");
    CHECK(cookies.rfind("own=1, apisix-csrf-token=", 0) == 0);
    CHECK(cookies.find(";path=/;SameSite=Lax;Expires=Tue, 19-Jan-27 05:14:07 GMT") != std::string::npos);
    FakeExchange plain;
    const std::string token = token_of(plain.run(*chain_of("csrf", conf)));
    CHECK(post(token).status == 200);
    CHECK(post(token, 1800328447 + 7200).status == 200);
    CHECK(post(token, 1800328447 + 7201).status == 401);
}

TEST_CASE("csrf: a refusal brings a token too (CS2)", "[plugins][csrf]") {
    FakeExchange exchange("POST");
    const LogLines lines;
    const Seen& answer = exchange.run(*chain_of("csrf", conf));
    CHECK(answer.status == 401);
    CHECK(answer.body == "{\"error_msg\":\"no csrf token in headers\"}\n");
    CHECK(answer.field("Set-Cookie").rfind("apisix-csrf-token=", 0) == 0);
}

TEST_CASE("csrf: tokens that are no tokens are refused", "[plugins][csrf]") {
    // In turn: no base64; not JSON; no object; without sign; expires no whole number; sign no string.
    const std::string token = GENERATE(
        "%%%%", "eHh4", "WzFd", "eyJyYW5kb20iOjEsImV4cGlyZXMiOjE4MDAzMjg0NDd9",
        "eyJyYW5kb20iOjEsImV4cGlyZXMiOjEuNSwic2lnbiI6ImEifQ==", "eyJyYW5kb20iOjEsImV4cGlyZXMiOjEsInNpZ24iOjF9", "e30=");
    INFO(token);
    const Seen answer = post(token);
    CHECK(answer.status == 401);
    CHECK(answer.body == "{\"error_msg\":\"Failed to verify the csrf token signature\"}\n");
}

TEST_CASE("csrf: methods that change nothing pass without a token", "[plugins][csrf]") {
    const std::string method = GENERATE("GET", "HEAD", "OPTIONS");
    FakeExchange exchange(method);
    CHECK(exchange.run(*chain_of("csrf", conf)).status == 200);
}

TEST_CASE("csrf: checking and making tokens allocates nothing", "[plugins][csrf]") {
    const auto chain = chain_of("csrf", conf);
    FakeExchange first;
    const std::string token = token_of(first.run(*chain));
    FakeExchange exchange("POST");
    exchange.with("apisix-csrf-token", token).with("Cookie", "apisix-csrf-token=" + token);
    exchange.arena().take(1);
    const AllocCount count;
    const Step checked = chain->run<Phase::access>(exchange);
    (void)chain->run<Phase::header_filter>(exchange);
    CHECK(count.count() == 0);
    CHECK(checked.verdict() == Verdict::next);
}

TEST_CASE("csrf: what cannot be configured", "[plugins][csrf]") {
    CHECK(refusal("csrf", "{}") == "property \"key\" is required");
    CHECK(refusal("csrf", R"({"key":"k","name":"a b"})") == "invalid field character in header");
    CHECK(plugin_registry().find("csrf")->on_error == OnError::closed);
}
