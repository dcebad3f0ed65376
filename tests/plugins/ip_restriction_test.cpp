#include "tests/plugins/refusal.hpp"
#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;

TEST_CASE("ip-restriction: families are kept apart, mapped addresses count as IPv4", "[plugins][ip_restriction]") {
    const auto [conf, client, status] = GENERATE(table<std::string, std::string, unsigned>({
        {R"({"whitelist":["10.0.0.0/8","2001:db8::/32"]})", "10.255.0.1", 200},
        {R"({"whitelist":["10.0.0.0/8","2001:db8::/32"]})", "2001:db8::1", 200},
        {R"({"whitelist":["10.0.0.0/8","2001:db8::/32"]})", "::ffff:10.1.1.1", 200},
        {R"({"whitelist":["10.0.0.0/8","2001:db8::/32"]})", "11.0.0.1", 403},
        {R"({"blacklist":["0.0.0.0/0"]})", "9.9.9.9", 403},
        {R"({"blacklist":["0.0.0.0/0"]})", "2001:db8::1", 200},
        {R"({"blacklist":["::/0"]})", "2001:db8::1", 403},
        {R"({"blacklist":["::/0"]})", "9.9.9.9", 200},
        {R"({"blacklist":["1.2.3.4"]})", "1.2.3.5", 200},
    }));
    FakeExchange exchange;
    exchange.set_client(client);
    const LogLines lines;
    INFO(conf << " " << client);
    CHECK(exchange.run(*chain_of("ip-restriction", conf)).status == status);
}

TEST_CASE("ip-restriction: its message is escaped as JSON", "[plugins][ip_restriction]") {
    FakeExchange exchange;
    const LogLines lines;
    const Seen& answer =
        exchange.run(*chain_of("ip-restriction", R"({"whitelist":["1.1.1.1"],"message":"say \"no\""})"));
    CHECK(answer.body == "{\"message\":\"say \\\"no\\\"\"}\n");
    CHECK(lines.all() == std::vector<std::string>{"warn: ip-restriction exits with http status code 403"});
}

TEST_CASE("ip-restriction: is a plugin that fails closed", "[plugins][ip_restriction]") {
    CHECK(plugin_registry().find("ip-restriction")->on_error == OnError::closed);
}

TEST_CASE("ip-restriction: judging allocates nothing", "[plugins][ip_restriction]") {
    const auto chain = chain_of("ip-restriction", R"({"blacklist":["10.0.0.0/8"]})");
    FakeExchange exchange;
    const AllocCount count;
    (void)chain->run<Phase::access>(exchange);
    CHECK(count.count() == 0);
}

TEST_CASE("ip-restriction: what cannot be configured", "[plugins][ip_restriction]") {
    CHECK(refusal("ip-restriction", R"({"whitelist":[]})") ==
          "property \"whitelist\" validation failed: expect array to have at least 1 items");
    CHECK(refusal("ip-restriction", R"({"whitelist":["1.1.1.1","host"]})") ==
          "property \"whitelist\" validation failed: failed to validate item 2: object matches none of the required");
    CHECK(refusal("ip-restriction", R"({"blacklist":["1:2:3"]})") == "invalid ip address: 1:2:3");
    CHECK(refusal("ip-restriction", R"({"whitelist":["1.1.1.1"],"message":""})").find("string too short") !=
          std::string::npos);
}
