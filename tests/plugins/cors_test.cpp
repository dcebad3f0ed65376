#include "tests/plugins/refusal.hpp"
#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

std::string origin_for(const std::string& conf, std::string_view origin) {
    FakeExchange exchange;
    exchange.with("Origin", origin);
    return exchange.run(*chain_of("cors", conf)).field("Access-Control-Allow-Origin");
}

}  // namespace

TEST_CASE("cors: the fields of the upstream go where ours come, and stay where none come", "[plugins][cors]") {
    const Script script{200, {{"Access-Control-Allow-Origin", "*"}, {"Access-Control-Allow-Headers", "u"}}, {"x"}};
    FakeExchange inside, outside;
    inside.with("Origin", "http://a.com");
    outside.with("Origin", "http://b.com");
    const auto chain = chain_of("cors", R"({"allow_origins":"http://a.com","allow_headers":"**"})");
    CHECK(inside.run(*chain, script).field("Access-Control-Allow-Origin") == "http://a.com");
    CHECK(inside.answer.field("Access-Control-Allow-Headers") == "(none)");
    CHECK(outside.run(*chain, script).field("Access-Control-Allow-Origin") == "*");
    CHECK(outside.answer.field("Access-Control-Allow-Headers") == "u");
}

TEST_CASE("cors: the origin is the one that arrived", "[plugins][cors]") {
    FakeExchange exchange;
    exchange.with("Origin", "http://a.com");
    exchange.run(*TestChain()
                      .add("cors", R"({"allow_origins":"**"})")
                      .add("proxy-rewrite", R"({"headers":{"set":{"Origin":"http://b.com"}}})")
                      .make());
    CHECK(exchange.answer.field("Access-Control-Allow-Origin") == "http://a.com");
    CHECK(exchange.upstream->field("Origin") == "http://b.com");
}

TEST_CASE("cors: origins are compared whole and by case", "[plugins][cors]") {
    const std::string list = R"({"allow_origins":"http://a.com,http://b.com"})";
    CHECK(origin_for(list, "http://a.com") == "http://a.com");
    CHECK(origin_for(list, "http://a.com.evil") == "(none)");
    CHECK(origin_for(list, "http://A.com") == "(none)");
    CHECK(origin_for(list, "http://a.com,http://b.com") == "(none)");
    CHECK(origin_for(R"({"allow_origins":"null"})", "null") == "null");
}

TEST_CASE("cors: sets of the metadata come first, and alone where all others would be let in", "[plugins][cors]") {
    const auto answered = [](std::string_view conf, std::string_view origin) {
        TestChain chain;
        chain.metadata["cors"] = json::parse(R"({"allow_origins":{"m":"http://m.com","all":"*","bad":3}})");
        FakeExchange exchange;
        if (!origin.empty()) exchange.with("Origin", origin);
        return exchange.run(*chain.add("cors", conf).make()).field("Access-Control-Allow-Origin");
    };
    CHECK(answered(R"({"allow_origins_by_metadata":["bad","m"]})", "http://m.com") == "http://m.com");
    CHECK(answered(R"({"allow_origins_by_metadata":["m"]})", "http://x.com") == "(none)");
    CHECK(answered(R"({"allow_origins_by_metadata":["m"]})", "") == "(none)");
    CHECK(answered(R"({"allow_origins_by_metadata":["all"]})", "http://x.com") == "http://x.com");
    CHECK(answered(R"({"allow_origins_by_metadata":["none"],"allow_origins":"http://y.com"})", "http://y.com") ==
          "http://y.com");
}

TEST_CASE("cors: the metadata is sets of origins by name (C9)", "[plugins][cors]") {
    const auto refusal_of_metadata = [](std::string_view metadata) {
        config::Errors errors;
        check_plugin_metadata("cors", json::parse(metadata), errors);
        return std::string(errors.first());
    };
    CHECK(refusal_of_metadata(R"({"allow_origins":{"k1":"http://m1.com,http://m2.com","any":"*"}})") == "");
    CHECK(refusal_of_metadata("{}") == "");
    CHECK(refusal_of_metadata(R"({"allow_origins":{"k1":"m1.com"}})")
              .rfind("invalid configuration: property \"allow_origins\" validation failed: "
                     "failed to validate additional property k1: failed to match pattern ",
                     0) == 0);
    CHECK(refusal_of_metadata(R"({"allow_origins":["a"]})") ==
          "invalid configuration: property \"allow_origins\" validation failed: "
          "wrong type: expected object, got table");
}

TEST_CASE("cors: a setting without text sends no field", "[plugins][cors]") {
    FakeExchange exchange;
    const Script script{200, {{"Access-Control-Allow-Methods", "PUT"}}, {"x"}};
    const Seen& answer = exchange.run(*chain_of("cors", R"({"allow_methods":"","allow_headers":""})"), script);
    CHECK(answer.field("Access-Control-Allow-Origin") == "*");
    CHECK(answer.field("Access-Control-Allow-Methods") == "(none)");
    CHECK(answer.field("Access-Control-Allow-Headers") == "(none)");
}

TEST_CASE("cors: what cannot be configured", "[plugins][cors]") {
    CHECK(refusal("cors", R"({"allow_origins":"http://a.com,"})").find("failed to match pattern") != std::string::npos);
    CHECK(refusal("cors", R"({"allow_origins":"a.com"})").find("failed to match pattern") != std::string::npos);
    CHECK(refusal("cors", R"({"allow_origins_by_regex":["("]})") == "missing closing parenthesis at offset 1");
    CHECK(refusal("cors", R"({"allow_origins_by_regex":[]})").find("at least 1 items") != std::string::npos);
    CHECK(refusal("cors", R"({"allow_credential":true,"allow_origins":"http://a.com","allow_methods":"GET",
                              "allow_headers":"x","timing_allow_origins":"*"})") ==
          "you can not set '*' for other option when 'allow_credential' is true");
}

TEST_CASE("cors: answering allocates nothing", "[plugins][cors]") {
    const auto chain = chain_of("cors", R"({"allow_origins":"**","allow_methods":"**","allow_headers":"**"})");
    FakeExchange exchange("OPTIONS");
    exchange.with("Origin", "http://a.com").with("Access-Control-Request-Headers", "x");
    exchange.arena().take(1);
    const AllocCount count;
    (void)chain->run<Phase::rewrite>(exchange);
    (void)chain->run<Phase::header_filter>(exchange);
    CHECK(count.count() == 0);
}
