#include "tests/plugins/refusal.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;

TEST_CASE("real-ip: address and port are those of the client from then on (RP2)", "[plugins][real_ip]") {
    FakeExchange exchange;
    exchange.with("XFF", "1.1.1.1:7090").with("X-Real-IP", "127.0.0.1").with("X-Forwarded-For", "127.0.0.1");
    exchange.forwarded_for = {};
    const Seen& answer = exchange.run(*TestChain()
                                           .add("real-ip", R"({"source":"http_xff"})")
                                           .add("ip-restriction", R"({"whitelist":["1.1.1.1"]})")
                                           .add("echo", R"({"body":"x","headers":{"A":"$remote_addr:$remote_port"}})")
                                           .make());
    CHECK(answer.status == 200);
    CHECK(exchange.client_port == 7090);
    CHECK(exchange.client_text == "1.1.1.1");
    CHECK(exchange.upstream->field("X-Real-IP") == "1.1.1.1");
    CHECK(exchange.upstream->field("X-Forwarded-For") == "1.1.1.1");
}

TEST_CASE("real-ip: the list that the client sent stays in front of it", "[plugins][real_ip]") {
    FakeExchange exchange;
    exchange.with("XFF", "2001:DB8::1").with("X-Forwarded-For", "9.9.9.9, 8.8.8.8");
    exchange.run(*chain_of("real-ip", R"({"source":"http_xff"})"));
    CHECK(exchange.upstream->field("X-Forwarded-For") == "9.9.9.9, 8.8.8.8, 2001:db8::1");
    CHECK(exchange.client_text == "2001:db8::1");
}

TEST_CASE("real-ip: what is no address changes nothing and is told", "[plugins][real_ip]") {
    const auto [value, line] = GENERATE(table<std::string, std::string>({
        {"", "warn: missing real address"},
        {"host", "warn: bad address: host"},
        {"1.1.1.1:0", "warn: bad port: 0"},
        {"1.1.1.1:x", "warn: bad port: x"},
        {"[::1", "warn: bad address: [::1"},
        {"[::1]80", "warn: bad address: [::1]80"},
    }));
    FakeExchange exchange;
    exchange.with("XFF", value);
    const LogLines lines;
    exchange.run(*chain_of("real-ip", R"({"source":"http_xff"})"));
    CHECK(exchange.client_text == "127.0.0.1");
    CHECK(lines.all() == std::vector<std::string>{line});
}

TEST_CASE("real-ip: the walk ends at what nobody vouches for", "[plugins][real_ip]") {
    const auto [list, client] = GENERATE(table<std::string, std::string>({
        {"9.9.9.9, 3.3.3.1, 3.3.3.2", "9.9.9.9"},
        {"3.3.3.9, 3.3.3.1", "3.3.3.9"},
        {"9.9.9.9, rubbish, 3.3.3.2", "127.0.0.1"},
        {"8.8.8.8,3.3.3.2:80", "8.8.8.8"},
    }));
    FakeExchange exchange;
    exchange.with("X-Forwarded-For", list);
    const LogLines lines;
    exchange.run(*chain_of("real-ip", R"({"source":"http_x_forwarded_for","recursive":true,
                                          "trusted_addresses":["127.0.0.1","3.3.3.0/24"]})"));
    INFO(list);
    CHECK(exchange.client_text == client);
}

TEST_CASE("real-ip: arguments are a source too", "[plugins][real_ip]") {
    FakeExchange exchange("GET", "/?ip=7.7.7.7");
    exchange.run(*chain_of("real-ip", R"({"source":"arg_ip"})"));
    CHECK(exchange.client_text == "7.7.7.7");
    CHECK(refusal("real-ip", "{}") == "property \"source\" is required");
    CHECK(refusal("real-ip", R"({"source":"x","trusted_addresses":["a"]})") == "invalid ip address: a");
}
