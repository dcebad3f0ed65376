// What auth plugins have in common: who is attached, what the upstream is told, what is kept from it.
#include <cstdlib>

#include "tests/plugins/refusal.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_consumers.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

FakeConsumers people() {
    FakeConsumers consumers;
    consumers.add("jack", R"({"key-auth":{"key":"k"}})", {"gold", ""});
    consumers.add_credential("jack", "c1", R"({"key-auth":{"key":"k2"}})");
    consumers.add("anon", "{}");
    return consumers;
}

}  // namespace

TEST_CASE("auth: forged fields do not reach the upstream (O15)", "[plugins][auth]") {
    const FakeConsumers consumers = people();
    const auto [key, credential] = GENERATE(table<std::string, std::string>({{"k", "(none)"}, {"k2", "c1"}}));
    FakeExchange exchange;
    exchange.use(consumers);
    exchange.with("X-Consumer-Username", "root").with("x-consumer-username", "root2").with("apikey", key);
    exchange.with("X-Credential-Identifier", "root").with("X-Consumer-Custom-ID", "root");
    exchange.run(*chain_of("key-auth", "{}"));
    REQUIRE(exchange.upstream);
    CHECK(exchange.upstream->field("x-consumer-username") == "jack");
    CHECK(exchange.upstream->field("x-credential-identifier") == credential);
    CHECK(exchange.upstream->field("x-consumer-custom-id") == "(none)");
}

TEST_CASE("auth: variables tell the consumer and its group", "[plugins][auth]") {
    const FakeConsumers consumers = people();
    FakeExchange exchange;
    exchange.use(consumers);
    expr::VariableValue value;
    CHECK_FALSE(exchange.read(expr::compile_variable("consumer_name"), value));
    exchange.with("apikey", "k");
    exchange.run(*chain_of("key-auth", "{}"));
    REQUIRE(exchange.read(expr::compile_variable("consumer_name"), value));
    CHECK(value.text == "jack");
    REQUIRE(exchange.read(expr::compile_variable("consumer_group_id"), value));
    CHECK(value.text == "gold");
}

TEST_CASE("auth: the anonymous consumer leaves no credential behind", "[plugins][auth]") {
    const FakeConsumers consumers = people();
    FakeExchange exchange("GET", "/a?x=1&apikey=wrong&y=%20");
    exchange.use(consumers);
    exchange.with("apikey", "wrong");
    exchange.run(*chain_of("key-auth", R"({"anonymous_consumer":"anon","hide_credentials":true})"));
    REQUIRE(exchange.upstream);
    CHECK(exchange.upstream->line == "GET /a?x=1&y=%20");
    CHECK(exchange.upstream->field("apikey") == "(none)");
    CHECK(exchange.upstream->field("x-consumer-username") == "anon");
}

TEST_CASE("auth: an empty field is a wrong key, not a missing one", "[plugins][auth]") {
    const FakeConsumers consumers = people();
    const LogLines lines;
    FakeExchange exchange("GET", "/a?apikey=k");
    exchange.use(consumers);
    exchange.with("apikey", "");
    CHECK(exchange.run(*chain_of("key-auth", "{}")).body == "{\"message\":\"Invalid API key in request\"}\n");
    FakeExchange bare("GET", "/a?apikey");
    bare.use(consumers);
    CHECK(bare.run(*chain_of("key-auth", "{}")).body == "{\"message\":\"Invalid API key in request\"}\n");
}

TEST_CASE("auth: of two auth plugins on a route both must succeed, the last one's consumer counts", "[plugins][auth]") {
    FakeConsumers consumers = people();
    consumers.add("rose", R"({"basic-auth":{"username":"foo","password":"bar"}})");
    const auto chain = TestChain().add("key-auth", "{}").add("basic-auth", "{}").make();
    const LogLines lines;
    FakeExchange half;
    half.use(consumers);
    half.with("Authorization", "Basic Zm9vOmJhcg==");
    CHECK(half.run(*chain).status == 401);
    FakeExchange both;
    both.use(consumers);
    both.with("Authorization", "Basic Zm9vOmJhcg==").with("apikey", "k");
    both.run(*chain);
    REQUIRE(both.upstream);
    CHECK(both.upstream->field("x-consumer-username") == "jack");
}

TEST_CASE("auth: a credential that cannot be built admits nobody, with one line in the log", "[plugins][auth]") {
    FakeConsumers consumers;
    consumers.add("foo", R"({"basic-auth":{"username":"foo","password":"$env://GATEWAY_TEST_NOT_SET"}})");
    const LogLines lines;
    for (int round = 0; round < 2; ++round) {
        FakeExchange exchange;
        exchange.use(consumers);
        exchange.with("Authorization", "Basic Zm9vOiRlbnY6Ly9HQVRFV0FZX1RFU1RfTk9UX1NFVA==");
        CHECK(exchange.run(*chain_of("basic-auth", "{}")).status == 401);
    }
    std::size_t reported = 0;
    for (const std::string& line : lines.all()) reported += line.find("is left out") != std::string::npos;
    CHECK(reported == 1);
}

TEST_CASE("auth: a secret that comes out empty admits nobody", "[plugins][auth][fail_closed]") {
    ::setenv("GATEWAY_TEST_EMPTY", "", 1);
    FakeConsumers consumers;
    consumers.add("foo", R"({"basic-auth":{"username":"foo","password":"$env://GATEWAY_TEST_EMPTY"}})");
    consumers.add("bar", R"({"key-auth":{"key":"$env://GATEWAY_TEST_EMPTY"}})");
    consumers.add("baz", R"({"key-auth":{"key":""}})");
    const LogLines lines;
    FakeExchange basic;
    basic.use(consumers);
    basic.with("Authorization", "Basic Zm9vOg==");
    CHECK(basic.run(*chain_of("basic-auth", "{}")).status == 401);
    FakeExchange field;
    field.use(consumers);
    field.with("apikey", "");
    CHECK(field.run(*chain_of("key-auth", "{}")).status == 401);
    FakeExchange query("GET", "/a?apikey=");
    query.use(consumers);
    CHECK(query.run(*chain_of("key-auth", "{}")).status == 401);
}

TEST_CASE("auth: an auth plugin that fails inside ends the request", "[plugins][auth][fail_closed]") {
    unsigned seen = 0;
    for (const PluginType& type : plugin_registry().types()) {
        if (!type.is_auth) continue;
        INFO(type.name);
        CHECK(type.on_error == OnError::closed);
        ++seen;
    }
    CHECK(seen >= 5);
}

TEST_CASE("auth: multi-auth that has nothing left to try lets nobody in", "[plugins][auth][fail_closed]") {
    const FakeConsumers consumers = people();
    const LogLines lines;
    const auto status = [&](std::string_view conf) {
        FakeExchange exchange;
        exchange.use(consumers);
        exchange.with("apikey", "k");
        return exchange.run(*chain_of("multi-auth", conf)).status;
    };
    CHECK(status(R"({"auth_plugins":[{},{"key-auth":{}}]})") == 200);
    CHECK(status(R"({"auth_plugins":[{"basic-auth":{}},{}]})") == 401);
    CHECK(status(R"({"auth_plugins":[{},{}]})") == 401);
}

TEST_CASE("auth: each child of multi-auth tells the log why it failed", "[plugins][auth]") {
    const FakeConsumers consumers = people();
    const LogLines lines;
    FakeExchange exchange;
    exchange.use(consumers);
    exchange.run(*chain_of("multi-auth", R"({"auth_plugins":[{"basic-auth":{}},{"key-auth":{}}]})"));
    const std::vector<std::string> all = lines.all();
    REQUIRE(all.size() == 3);
    CHECK(all[0] ==
          "warn: basic-auth failed to authenticate the request, code: 401. error: "
          "{\"message\":\"Missing authorization in request\"}");
    CHECK(all[2] == "warn: multi-auth exits with http status code 401");
}
