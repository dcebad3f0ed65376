// The worked examples of the specification, from tests/golden/plugins/<name>.json, by their ids.
#include <fstream>
#include <iterator>
#include <set>

#include "tests/plugins/refusal.hpp"
#include "tests/support/catch.hpp"
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

// The plugin of the vector and those `with` it.
Ref<const Chain> chain_for(const std::string& plugin, const json::Value& vector) {
    TestChain chain;
    if (const json::Value* metadata = vector.find("metadata")) chain.metadata[plugin] = *metadata;
    chain.add(plugin, json::write(*vector.find("conf")));
    const json::Value* others = vector.find("with");
    for (const json::Member& other : others ? others->members() : json::Value::Object()) {
        chain.add(other.key, json::write(other.value));
    }
    return chain.make();
}

void prepare(FakeExchange& exchange, const json::Value& vector) {
    for (const auto& [name, value] : pairs(vector.find("headers"))) exchange.with(name, value);
    exchange.set_client(text(vector, "client", "127.0.0.1"));
    if (vector.find("request_body")) exchange.with_body(text(vector, "request_body"));
    if (const json::Value* now = vector.find("now")) exchange.own_services.now = *now->as_int64() * 1000;
}

void run_vector(const std::string& plugin, const json::Value& vector) {
    const json::Value& conf = *vector.find("conf");
    if (vector.find("error")) {
        CHECK(refusal_of(plugin, conf) == text(vector, "error"));
        return;
    }
    REQUIRE(refusal_of(plugin, conf) == "");
    const std::string request = text(vector, "request", "GET /hello");
    const std::size_t blank = request.find(' ');
    FakeExchange exchange(request.substr(0, blank), request.substr(blank + 1));
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
    const std::string plugin =
        GENERATE("proxy-rewrite", "response-rewrite", "redirect", "fault-injection", "mocking", "echo",
                 "ip-restriction", "request-id", "cors", "ua-restriction", "referer-restriction", "csrf", "uri-blocker",
                 "client-control", "real-ip", "request-validation", "gzip", "public-api");
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
                                                       {"cors", "C", 12},
                                                       {"ua-restriction", "U", 8},
                                                       {"referer-restriction", "RF", 6},
                                                       {"csrf", "CS", 9},
                                                       {"uri-blocker", "UB", 7},
                                                       {"client-control", "CC", 6},
                                                       {"real-ip", "RP", 8},
                                                       {"request-validation", "V", 10},
                                                       {"gzip", "G", 9},
                                                       {"public-api", "P", 6}}));
    std::set<std::string> ids, expected;
    const json::Value vectors = read_vectors(plugin);
    for (const json::Value& vector : vectors.items()) {
        ids.insert(text(vector, "id"));
        const std::string file = text(vector, "elsewhere");
        if (file.empty()) continue;
        const std::string folder = file.starts_with("e2e_") ? "/tests/integration/" : "/tests/plugins/";
        const std::string stem = file.starts_with("e2e_") ? file.substr(4) : file;
        std::ifstream in(std::string(GATEWAY_SOURCE_DIR) + folder + stem + ".cpp");
        const std::string source{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
        INFO(text(vector, "id") << " should be in " << file);
        CHECK(source.find("(" + text(vector, "id") + ")") != std::string::npos);
    }
    for (int i = 1; i <= count; ++i) expected.insert(prefix + std::to_string(i));
    CHECK(ids == expected);
}
