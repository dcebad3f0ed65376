#include "libgateway/plugin/instance.hpp"
#include "libgateway/plugin/shared_groups.hpp"
#include "tests/plugins/refusal.hpp"
#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

// A machine with shared memory of its own, and objects on it that carry limit-count.
struct Machine {
    shm::Tables tables;
    Ref<const Chain> chain_on(std::string_view where, std::string_view conf, const json::Value* metadata = nullptr) {
        const json::Value config = json::parse(conf);
        BuildScope scope{where};
        scope.metadata = metadata;
        return Chain::make({make_instance(*plugin_registry().find("limit-count"), config, scope)});
    }
    Seen ask(const Chain& chain, const FieldList& fields = {}) {
        FakeExchange exchange;
        exchange.own_services.shared = &tables;
        for (const auto& [name, value] : fields) exchange.with(name, value);
        return exchange.run(chain);
    }
};

}  // namespace

TEST_CASE("limit-count: routes of one group share a counter, others do not (LC8)", "[plugins][limit_count]") {
    Machine machine;
    const LogLines lines;
    const std::string conf = R"({"count":2,"time_window":60,"group":"g1"})";
    const auto one = machine.chain_on("routes/1", conf), other = machine.chain_on("routes/2", conf);
    CHECK(machine.ask(*one).status == 200);
    CHECK(machine.ask(*other).status == 200);
    CHECK(machine.ask(*one).status == 503);
    const std::string alone = R"({"count":1,"time_window":60})";
    CHECK(machine.ask(*machine.chain_on("routes/1", alone)).status == 200);
    CHECK(machine.ask(*machine.chain_on("routes/2", alone)).status == 200);
}

TEST_CASE("limit-count: a rule that is no limit fails the call before any other is counted", "[plugins][limit_count]") {
    Machine machine;
    const LogLines lines;
    const auto chain = machine.chain_on("routes/1", R"({"rules":[
        {"count":1,"time_window":60,"key":"${http_user}"},
        {"count":"${http_n}","time_window":60,"key":"${http_user}b"}]})");
    CHECK(machine.ask(*chain, {{"user", "jack"}, {"n", "x"}}).status == 500);
    CHECK(machine.ask(*chain, {{"user", "jack"}, {"n", "5"}}).status == 200);
    CHECK(machine.ask(*chain, {{"user", "jack"}, {"n", "5"}}).status == 503);
}

TEST_CASE("limit-count: entries of one group must be equal but for _meta (LC9)", "[plugins][limit_count]") {
    const auto object = [](const std::string& entry) {
        return json::parse(R"({"plugins":{"request-id":{},"limit-count":)" + entry + "}}");
    };
    SharedGroups groups;
    CHECK(groups.add(object(R"({"count":2,"time_window":60,"group":"g1"})")).text.empty());
    CHECK(groups.add(object(R"({"time_window":60,"group":"g1","count":2,"_meta":{"priority":1}})")).text.empty());
    CHECK(groups.add(object(R"({"count":3,"time_window":60,"group":"g2"})")).text.empty());
    CHECK(groups.add(object(R"({"count":3,"time_window":60})")).text.empty());
    const auto mismatch = groups.add(object(R"({"count":3,"time_window":60,"group":"g1"})"));
    CHECK(mismatch.plugin == "limit-count");
    CHECK(mismatch.text == "failed to check the configuration of plugin limit-count err: group conf mismatched");
    CHECK_FALSE(SharedGroups::concerns(object(R"({"count":3,"time_window":60})")));
    CHECK_FALSE(SharedGroups::concerns(json::parse(R"({"plugins":1})")));
    CHECK(SharedGroups::may_concern(R"({"plugins":{"limit-count":{}}})"));
    CHECK_FALSE(SharedGroups::may_concern(R"({"plugins":{"limit-conn":{}}})"));
}

TEST_CASE("limit-count: a group may change when nobody else is in it", "[plugins][limit_count]") {
    const auto object = [](std::string_view group, int count) {
        return json::parse(R"({"plugins":{"limit-count":{"time_window":60,"group":")" + std::string(group) +
                           R"(","count":)" + std::to_string(count) + "}}}");
    };
    SharedGroups base;
    CHECK(base.add(object("shared", 1)).text.empty());
    CHECK(base.add(object("shared", 1)).text.empty());
    CHECK(base.add(object("own", 1)).text.empty());
    SharedGroups changed = SharedGroups::over(base);
    changed.remove(object("own", 1));
    CHECK(changed.add(object("own", 2)).text.empty());
    changed.remove(object("shared", 1));
    CHECK_FALSE(changed.add(object("shared", 2)).text.empty());
    // What was tried changed nothing.
    CHECK(base.add(object("shared", 1)).text.empty());
    CHECK_FALSE(base.add(object("own", 2)).text.empty());
    base.remove(object("own", 2));
    base.remove(object("own", 1));
    CHECK(base.add(object("own", 3)).text.empty());
}

TEST_CASE("limit-count: policy redis-sentinel needs sentinels and a name", "[plugins][limit_count]") {
    const auto refused = [](const std::string& more) {
        return refusal("limit-count", R"({"count":2,"time_window":60,"policy":"redis-sentinel")" + more + "}");
    };
    const std::string name = R"(,"redis_master_name":"m")", one = R"({"host":"h1","port":26379})";
    CHECK(refused(name + R"(,"redis_sentinels":[)" + one + R"(],"redis_role":"slave")").empty());
    CHECK(refused(name) == "else clause did not match");
    CHECK(refused(R"(,"redis_sentinels":[)" + one + "]") == "else clause did not match");
    const auto entry = [&](const std::string& text) { return refused(name + R"(,"redis_sentinels":[)" + text + "]"); };
    const std::string of = "property \"redis_sentinels\" validation failed: ";
    CHECK(entry("") == of + "expect array to have at least 1 items");
    const std::string item = of + "failed to validate item 1: ";
    CHECK(entry(R"({"host":"h1"})") == item + "property \"port\" is required");
    CHECK(entry(R"({"host":"h","port":1})") ==
          item + "property \"host\" validation failed: string too short, expected at least 2, got 1");
    CHECK(entry(R"({"host":"h1","port":65536})") ==
          item + "property \"port\" validation failed: expected 65536 to be at most 65535");
    CHECK(entry(R"({"host":"h1","port":1,"tls":true})") == item + "additional properties forbidden, found tls");
    CHECK(refused(name + R"(,"redis_sentinels":[)" + one + R"(],"redis_role":"any")") ==
          "property \"redis_role\" validation failed: matches none of the enum values");
    CHECK(refusal("limit-req", R"({"rate":1,"burst":0,"key":"remote_addr","policy":"redis-sentinel"})") ==
          "property \"policy\" validation failed: matches none of the enum values");
}

TEST_CASE("limit-count: the counter belongs to the object and the version of its entry", "[plugins][limit_count]") {
    Machine machine;
    const LogLines lines;
    const auto first = machine.chain_on("services/7", R"({"count":1,"time_window":60})");
    CHECK(machine.ask(*first).status == 200);
    const auto reloaded = machine.chain_on("services/7", R"({"time_window":60,"count":1})");
    CHECK(machine.ask(*reloaded).status == 503);
    const auto changed = machine.chain_on("services/7", R"({"time_window":60,"count":1,"rejected_code":429})");
    CHECK(machine.ask(*changed).status == 200);
}

TEST_CASE("limit-count: on a consumer all its routes share the counter (LC21)", "[plugins][limit_count]") {
    Machine machine;
    const LogLines lines;
    const auto on_jack = machine.chain_on("consumers/jack", R"({"count":1,"time_window":60,"key":"consumer_name"})");
    const auto on_rose = machine.chain_on("consumers/rose", R"({"count":1,"time_window":60,"key":"consumer_name"})");
    CHECK(machine.ask(*on_jack).status == 200);
    CHECK(machine.ask(*on_jack).status == 503);
    CHECK(machine.ask(*on_rose).status == 200);
}

TEST_CASE("limit-count: metadata names the fields (LC20)", "[plugins][limit_count]") {
    Machine machine;
    const json::Value metadata = json::parse(R"({"limit_header":"RL-Limit"})");
    const Seen answer = machine.ask(*machine.chain_on("routes/1", R"({"count":2,"time_window":60})", &metadata));
    CHECK(answer.field("RL-Limit") == "2");
    CHECK(answer.field("X-RateLimit-Limit") == "(none)");
    CHECK(answer.field("X-RateLimit-Remaining") == "1");
}

TEST_CASE("limit-count: its fields replace those of the upstream", "[plugins][limit_count]") {
    shm::Tables tables;
    FakeExchange exchange;
    exchange.own_services.shared = &tables;
    Script script;
    script.fields.emplace_back("x-ratelimit-limit", "999");
    script.fields.emplace_back("X-RateLimit-Limit", "998");
    const Seen& answer = exchange.run(*chain_of("limit-count", R"({"count":2,"time_window":60})"), script);
    CHECK(answer.field("X-RateLimit-Limit") == "2");
}

TEST_CASE("limit-count: two policies of windows of one route do not mix", "[plugins][limit_count]") {
    Machine machine;
    const LogLines lines;
    const auto chain =
        machine.chain_on("routes/1", R"({"count":1,"time_window":"${http_tw ?? 60}","window_type":"sliding"})");
    CHECK(machine.ask(*chain).status == 200);
    CHECK(machine.ask(*chain).status == 503);
    CHECK(machine.ask(*chain, {{"tw", "30"}}).status == 200);
}

TEST_CASE("limit-count: without shared memory requests fail or pass as configured", "[plugins][limit_count]") {
    const LogLines lines;
    FakeExchange exchange, degraded;
    exchange.own_services.shared = degraded.own_services.shared = nullptr;
    const Seen& refused = exchange.run(*chain_of("limit-count", R"({"count":2,"time_window":60})"));
    CHECK(refused.status == 500);
    CHECK(refused.body == "{\"error_msg\":\"failed to limit count\"}\n");
    const Seen& passed =
        degraded.run(*chain_of("limit-count", R"({"count":2,"time_window":60,"allow_degradation":true})"));
    CHECK(passed.status == 200);
    CHECK(passed.field("X-RateLimit-Limit") == "(none)");
}

TEST_CASE("limit-count: variable rate_limiting_info tells the last decision", "[plugins][limit_count]") {
    shm::Tables tables;
    FakeExchange exchange;
    exchange.own_services.shared = &tables;
    const expr::Variable info = expr::compile_variable("rate_limiting_info");
    exchange.run(*chain_of("limit-count", R"({"count":2,"time_window":60,"key":"a \"b\"","key_type":"constant"})"));
    expr::VariableValue value;
    REQUIRE(exchange.read(info, value));
    CHECK(value.text == R"({"rate_limiting_key":"a \"b\"","rate_limiting_limit":2,"rate_limiting_remaining":1,)"
                        R"("rate_limiting_reset":60})");
}

TEST_CASE("limit-count: counting allocates nothing, and it fails closed", "[plugins][limit_count]") {
    CHECK(plugin_registry().find("limit-count")->on_error == OnError::closed);
    shm::Tables tables;
    const auto chain = chain_of("limit-count", R"({"count":1000,"time_window":60})");
    FakeExchange exchange;
    exchange.own_services.shared = &tables;
    (void)exchange.arena().take(1);
    const AllocCount count;
    CHECK(chain->run<Phase::access>(exchange).verdict() == Verdict::next);
    exchange.keep_promises();
    CHECK(count.count() == 0);
    CHECK(exchange.response.fields.get("X-RateLimit-Remaining") == "999");
}
