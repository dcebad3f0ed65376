#include <regex>
#include <set>

#include "libplugins/request_id/make_id.hpp"
#include "tests/plugins/refusal.hpp"
#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

bool matches(const std::string& text, const char* pattern) {
    return std::regex_match(text, std::regex(pattern));
}
constexpr const char* uuid_v4 = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
constexpr const char* uuid_v7 = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

}  // namespace

TEST_CASE("request-id: client and upstream get the same new id (RI1)", "[plugins][request_id]") {
    FakeExchange exchange;
    const Seen& answer = exchange.run(*chain_of("request-id", "{}"));
    const std::string id = answer.field("X-Request-Id");
    CHECK(matches(id, uuid_v4));
    CHECK(exchange.upstream->field("X-Request-Id") == id);
    expr::VariableValue value;
    REQUIRE(exchange.read(expr::compile_variable("apisix_request_id"), value));
    CHECK(value.text == id);
}

TEST_CASE("request-id: an empty field counts as none (RI3)", "[plugins][request_id]") {
    FakeExchange exchange;
    exchange.with("X-Request-Id", "");
    CHECK(matches(exchange.run(*chain_of("request-id", "{}")).field("X-Request-Id"), uuid_v4));
    CHECK(matches(exchange.upstream->field("X-Request-Id"), uuid_v4));
}

TEST_CASE("request-id: the client need not be told (RI4)", "[plugins][request_id]") {
    FakeExchange exchange;
    CHECK(exchange.run(*chain_of("request-id", R"({"include_in_response":false})")).field("X-Request-Id") == "(none)");
    CHECK(matches(exchange.upstream->field("X-Request-Id"), uuid_v4));
}

TEST_CASE("request-id: nanoid in a field of another name (RI5)", "[plugins][request_id]") {
    FakeExchange exchange;
    CHECK(matches(exchange.run(*chain_of("request-id", R"({"header_name":"Rid","algorithm":"nanoid"})")).field("Rid"),
                  "[A-Za-z0-9_-]{21}"));
}

TEST_CASE("request-id: range_id draws from its alphabet (RI6)", "[plugins][request_id]") {
    FakeExchange exchange;
    const auto chain =
        chain_of("request-id", R"({"algorithm":"range_id","range_id":{"length":8,"char_set":"abcdef"}})");
    CHECK(matches(exchange.run(*chain).field("X-Request-Id"), "[a-f]{8}"));
    FakeExchange usual;
    CHECK(matches(usual.run(*chain_of("request-id", R"({"algorithm":"range_id"})")).field("X-Request-Id"),
                  "[A-Za-z0-9]{16}"));
}

TEST_CASE("request-id: uuidv7 grows with every id (RI7)", "[plugins][request_id]") {
    const auto chain = chain_of("request-id", R"({"algorithm":"uuidv7"})");
    std::string last;
    for (int i = 0; i < 100; ++i) {
        FakeExchange exchange;
        exchange.own_services.now -= i % 3;  // also when the clock steps back
        const std::string id = exchange.run(*chain).field("X-Request-Id");
        REQUIRE(matches(id, uuid_v7));
        REQUIRE(last < id);
        last = id;
    }
}

TEST_CASE("request-id: a global rule and a route have ids of their own (RI8)", "[plugins][request_id]") {
    FakeExchange exchange;
    const auto global = TestChain().add("request-id", R"({"header_name":"A"})").make(Chain::Scope::global);
    const Seen& answer = exchange.run(*chain_of("request-id", "{}"), {}, global.get());
    CHECK(matches(answer.field("A"), uuid_v4));
    CHECK(matches(answer.field("X-Request-Id"), uuid_v4));
    CHECK(answer.field("A") != answer.field("X-Request-Id"));
}

TEST_CASE("request-id: an id in the upstream's answer is kept, an empty one is not", "[plugins][request_id]") {
    FakeExchange kept, replaced;
    CHECK(kept.run(*chain_of("request-id", "{}"), {200, {{"X-Request-Id", "theirs"}}, {}}).field("X-Request-Id") ==
          "theirs");
    CHECK(matches(replaced.run(*chain_of("request-id", "{}"), {200, {{"X-Request-Id", ""}}, {}}).field("X-Request-Id"),
                  uuid_v4));
}

TEST_CASE("request-id: header_filter without rewrite adds nothing", "[plugins][request_id]") {
    FakeExchange exchange;
    (void)chain_of("request-id", "{}")->run<Phase::header_filter>(exchange);
    CHECK(exchange.response.fields.empty());
}

TEST_CASE("request-id: uuidv7 goes on when a millisecond is full", "[plugins][request_id]") {
    FakeServices services;
    services.now += 1'000'000;
    Arena arena;
    std::string last;
    for (int i = 0; i < 5000; ++i) {
        const std::string id(plugins::make_uuidv7(services, arena));
        REQUIRE(last < id);
        last = id;
    }
}

TEST_CASE("request-id: ksuid is 27 base-62 characters that begin with the time", "[plugins][request_id]") {
    FakeServices services;
    Arena arena;
    const std::string early(plugins::make_ksuid(services, arena));
    services.now += 60'000;
    const std::string late(plugins::make_ksuid(services, arena));
    CHECK(matches(early, "[0-9A-Za-z]{27}"));
    CHECK(early < late);
    class Zero : public FakeServices {
    public:
        void secure_random(void* to, std::size_t size) noexcept override {
            std::fill_n(static_cast<char*>(to), size, '\0');
        }
    } zero;
    zero.now = 1'400'000'000'000;
    CHECK(plugins::make_ksuid(zero, arena) == std::string(27, '0'));
    zero.now += 1000;  // 2^128 in base 62
    CHECK(plugins::make_ksuid(zero, arena) == "000007n42DGM5Tflk9n8mt7Fhc8");
}

TEST_CASE("request-id: making ids allocates nothing outside the arena", "[plugins][request_id]") {
    const auto algorithm = GENERATE("uuid", "uuidv7", "nanoid", "ksuid", "range_id");
    const auto chain = chain_of("request-id", json::write(json::Value::object({{"algorithm", algorithm}})));
    FakeExchange exchange;
    exchange.arena().take(1);
    const AllocCount count;
    (void)chain->run<Phase::rewrite>(exchange);
    (void)chain->run<Phase::header_filter>(exchange);
    CHECK(count.count() == 0);
}

TEST_CASE("request-id: what cannot be configured", "[plugins][request_id]") {
    CHECK(
        refusal("request-id", R"({"range_id":{"length":5}})") ==
        "property \"range_id\" validation failed: property \"length\" validation failed: expected 5 to be at least 6");
    CHECK(refusal("request-id", R"({"range_id":{"char_set":"abc"}})")
              .find("string too short, expected at least 6, got 3") != std::string::npos);
    CHECK(refusal("request-id", R"({"header_name":"a b"})") == "invalid field character in header");
    CHECK(refusal("request-id", R"({"include_in_response":1})").find("wrong type: expected boolean, got number") !=
          std::string::npos);
}
