// The worked examples of the specification, from tests/golden/plugins/<name>.json, by their ids.
#include <fstream>
#include <iterator>
#include <set>

#include "tests/plugins/refusal.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_consumers.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

json::Value read_vectors(const std::string& plugin) {
    std::ifstream in(std::string(GATEWAY_GOLDEN_DIR) + "/plugins/" + plugin + ".json");
    return json::parse(std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()));
}

std::string text(const json::Value& object, std::string_view key, std::string_view otherwise = {}) {
    const json::Value* member = object.find(key);
    return member ? member->string() : std::string(otherwise);
}

FieldList pairs(const json::Value* list) {
    FieldList out;
    if (!list) return out;
    for (const json::Value& pair : list->items()) out.emplace_back(pair.items()[0].string(), pair.items()[1].string());
    return out;
}

Script script_of(const json::Value& vector) {
    Script script;
    const json::Value* upstream = vector.find("upstream");
    if (!upstream) return script;
    if (const json::Value* status = upstream->find("status"))
        script.status = static_cast<unsigned>(*status->as_int64());
    const FieldList more = pairs(upstream->find("headers"));
    for (const auto& [name, value] : more) {
        if (name == "Content-Type") script.fields.clear();
    }
    script.fields.insert(script.fields.end(), more.begin(), more.end());
    if (const json::Value* chunks = upstream->find("chunks")) {
        script.chunks.clear();
        for (const json::Value& chunk : chunks->items()) script.chunks.push_back(chunk.string());
    }
    script.end_apart = upstream->find("end_apart") != nullptr;
    return script;
}

void check_fields(const json::Value* expected, const Seen& seen) {
    if (!expected) return;
    for (const json::Member& member : expected->members()) {
        INFO(member.key);
        CHECK(seen.field(member.key) == (member.value.is_null() ? "(none)" : member.value.string()));
    }
}

void check_upstream(const json::Value& vector, const FakeExchange& exchange) {
    if (!vector.find("sees") && !vector.find("sees_fields") && !vector.find("sees_body")) return;
    REQUIRE(exchange.upstream);
    if (vector.find("sees")) CHECK(exchange.upstream->line == text(vector, "sees"));
    if (vector.find("sees_body")) CHECK(exchange.upstream->body == text(vector, "sees_body"));
    if (vector.find("sees_host")) CHECK(exchange.upstream->host == text(vector, "sees_host"));
    check_fields(vector.find("sees_fields"), *exchange.upstream);
}

// {"jack": {"plugins": {…}, "custom_id": "…"}}
FakeConsumers consumers_of(const json::Value* list) {
    FakeConsumers consumers;
    if (!list) return consumers;
    for (const json::Member& one : list->members()) {
        consumers.add(one.key, json::write(*one.value.find("plugins")), {{}, text(one.value, "custom_id")});
    }
    return consumers;
}

// The plugin itself and what stands beside it on the route.
Ref<const Chain> chain_for(const std::string& plugin, const json::Value& vector) {
    TestChain chain;
    if (const json::Value* attributes = vector.find("attributes")) chain.node.plugin_attr = *attributes;
    if (const json::Value* metadata = vector.find("metadata")) chain.metadata[plugin] = *metadata;
    chain.add(plugin, json::write(*vector.find("conf")));
    if (const json::Value* beside = vector.find("beside")) {
        for (const json::Member& other : beside->members()) chain.add(other.key, json::write(other.value));
    }
    return chain.make();
}

// One request after the other, with the same memory and a clock that only `wait` moves.
void run_steps(const std::string& plugin, const json::Value& vector) {
    shm::Tables tables;
    const auto chain = chain_for(plugin, vector);
    std::int64_t now = vector.find("now") ? *vector.find("now")->as_int64() : FakeServices().now;
    std::size_t number = 0;
    for (const json::Value& step : vector.find("steps")->items()) {
        INFO("step " << ++number << " " << json::write(step));
        const std::string request = text(step, "request", "GET /hello");
        FakeExchange exchange("GET", request.substr(4));
        for (const auto& [name, value] : pairs(step.find("headers"))) exchange.with(name, value);
        exchange.set_client(text(step, "client", "127.0.0.1"));
        if (const json::Value* wait = step.find("wait")) now += *wait->as_int64();
        exchange.own_services.now = now;
        exchange.own_services.shared = &tables;
        Script script;
        if (const json::Value* asked = step.find("asked")) script.status = static_cast<unsigned>(*asked->as_int64());
        const Seen& answer = exchange.run(*chain, script);
        REQUIRE(exchange.finished);
        check_fields(step.find("fields"), answer);
        CHECK(answer.status == *step.find("status")->as_int64());
        if (step.find("body")) CHECK(answer.body == text(step, "body"));
        if (step.find("page")) CHECK(answer.page);
        if (const json::Value* slept = step.find("slept"))
            CHECK(exchange.own_services.slept.count() == *slept->as_int64());
    }
}

void prepare(FakeExchange& exchange, const json::Value& vector) {
    for (const auto& [name, value] : pairs(vector.find("headers"))) exchange.with(name, value);
    exchange.set_client(text(vector, "client", "127.0.0.1"));
    if (vector.find("request_body")) exchange.with_body(text(vector, "request_body"));
    if (const json::Value* now = vector.find("now")) exchange.own_services.now = *now->as_int64();
}

void run_vector(const std::string& plugin, const json::Value& vector) {
    const json::Value& conf = *vector.find("conf");
    if (const json::Value* credential = vector.find("credential")) {
        CHECK(credential_refusal(plugin, *credential) == text(vector, "error"));
        return;
    }
    if (vector.find("error")) {
        CHECK(refusal_of(plugin, conf) == text(vector, "error"));
        return;
    }
    REQUIRE(refusal_of(plugin, conf) == "");
    if (vector.find("steps")) return run_steps(plugin, vector);
    const std::string request = text(vector, "request", "GET /hello");
    const std::size_t blank = request.find(' ');
    const FakeConsumers consumers = consumers_of(vector.find("consumers"));
    FakeExchange exchange(request.substr(0, blank), request.substr(blank + 1));
    exchange.use(consumers);
    prepare(exchange, vector);
    const Seen& answer = exchange.run(*chain_for(plugin, vector), script_of(vector));
    REQUIRE(exchange.finished);
    check_upstream(vector, exchange);
    check_fields(vector.find("fields"), answer);
    if (const json::Value* status = vector.find("status")) CHECK(answer.status == *status->as_int64());
    if (vector.find("body")) CHECK(answer.body == text(vector, "body"));
    if (vector.find("page")) CHECK(answer.page);
    if (const json::Value* slept = vector.find("slept"))
        CHECK(exchange.own_services.slept.count() == *slept->as_int64());
}

}  // namespace

TEST_CASE("plugins: every worked example of the specification holds", "[plugins][vectors]") {
    const std::string plugin = GENERATE(
        "proxy-rewrite", "response-rewrite", "redirect", "fault-injection", "mocking", "echo", "ip-restriction",
        "request-id", "key-auth", "basic-auth", "multi-auth", "consumer-restriction", "limit-count", "limit-req",
        "limit-conn", "api-breaker", "jwt-auth", "hmac-auth", "cors", "ua-restriction", "referer-restriction", "csrf",
        "uri-blocker", "client-control", "real-ip", "request-validation", "gzip", "public-api", "http-logger",
        "file-logger", "tcp-logger", "syslog", "prometheus", "forward-auth", "proxy-mirror", "traffic-split");
    const LogLines lines;
    const json::Value vectors = read_vectors(plugin);
    for (const json::Value& vector : vectors.items()) {
        INFO(plugin << " " << text(vector, "id") << " " << json::write(vector));
        if (!vector.find("elsewhere")) run_vector(plugin, vector);
    }
}

TEST_CASE("plugins: no worked example is left out", "[plugins][vectors]") {
    const auto [plugin, prefix, count] =
        GENERATE(table<std::string, std::string, int>({{"proxy-rewrite", "PR", 16},
                                                       {"response-rewrite", "RW", 14},
                                                       {"redirect", "RD", 12},
                                                       {"fault-injection", "FI", 9},
                                                       {"mocking", "MK", 8},
                                                       {"echo", "E", 6},
                                                       {"ip-restriction", "I", 9},
                                                       {"request-id", "RI", 9},
                                                       {"key-auth", "K", 13},
                                                       {"basic-auth", "B", 12},
                                                       {"multi-auth", "MA", 8},
                                                       {"consumer-restriction", "R", 9},
                                                       {"limit-count", "LC", 24},
                                                       {"limit-req", "LR", 8},
                                                       {"limit-conn", "LN", 9},
                                                       {"api-breaker", "A", 9},
                                                       {"jwt-auth", "J", 18},
                                                       {"hmac-auth", "H", 14},
                                                       {"cors", "C", 12},
                                                       {"ua-restriction", "U", 8},
                                                       {"referer-restriction", "RF", 6},
                                                       {"csrf", "CS", 9},
                                                       {"uri-blocker", "UB", 7},
                                                       {"client-control", "CC", 6},
                                                       {"real-ip", "RP", 8},
                                                       {"request-validation", "V", 10},
                                                       {"gzip", "G", 9},
                                                       {"public-api", "P", 6},
                                                       {"forward-auth", "F", 12},
                                                       {"proxy-mirror", "PM", 7},
                                                       {"traffic-split", "TS", 9},
                                                       {"http-logger", "HL", 12},
                                                       {"file-logger", "FL", 8},
                                                       {"tcp-logger", "TU", 6},
                                                       {"syslog", "SY", 6},
                                                       {"prometheus", "PM", 11}}));
    std::set<std::string> ids, expected;
    const json::Value vectors = read_vectors(plugin);
    for (const json::Value& vector : vectors.items()) {
        ids.insert(text(vector, "id"));
        const std::string file = text(vector, "elsewhere");
        if (file.empty()) continue;
        std::string source;
        for (const char* const folder : {"/tests/plugins/", "/tests/integration/"}) {
            std::ifstream in(std::string(GATEWAY_SOURCE_DIR) + folder + file + ".cpp");
            source.append(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
        }
        INFO(text(vector, "id") << " should be in " << file);
        CHECK(source.find("(" + text(vector, "id") + ")") != std::string::npos);
    }
    for (int i = 1; i <= count; ++i) expected.insert(prefix + std::to_string(i));
    CHECK(ids == expected);
}
