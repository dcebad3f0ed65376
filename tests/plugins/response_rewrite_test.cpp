#include "tests/plugins/refusal.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

std::string bytes(std::string_view hex) {
    std::string out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        out += static_cast<char>(hex_value(hex[i]) * 16 + hex_value(hex[i + 1]));
    }
    return out;
}

// "hello hello"
const std::string gzipped = bytes("1f8b0800000000000203cb48cdc9c957c800910040a62d010b000000");
const std::string brotlied = bytes("1b0a000024406a9045eaf09c0e");
constexpr std::string_view filter_all = R"~({"filters":[{"regex":"hello","scope":"global","replace":"test"}]})~";

Script coded(std::string_view coding, std::vector<std::string> chunks) {
    return {200,
            {{"Content-Encoding", std::string(coding)}, {"Content-Length", "28"}, {"ETag", "\"x\""}},
            std::move(chunks)};
}

}  // namespace

TEST_CASE("response-rewrite: filters see gzip and brotli bodies decoded (RW9)", "[plugins][response_rewrite]") {
    const auto [coding, body] =
        GENERATE(table<std::string, std::string>({{"gzip", gzipped}, {"x-gzip", gzipped}, {"br", brotlied}}));
    FakeExchange exchange;
    const Seen& answer =
        exchange.run(*chain_of("response-rewrite", filter_all), coded(coding, {body.substr(0, 9), body.substr(9)}));
    CHECK(answer.body == "test test");
    CHECK(answer.field("Content-Encoding") == "(none)");
    CHECK(answer.field("Content-Length") == "(none)");
    CHECK(answer.field("ETag") == "(none)");
}

TEST_CASE("response-rewrite: gzip members in a row are one body", "[plugins][response_rewrite]") {
    FakeExchange exchange;
    CHECK(exchange.run(*chain_of("response-rewrite", filter_all), coded("gzip", {gzipped + gzipped})).body ==
          "test testtest test");
}

TEST_CASE("response-rewrite: a body in another coding is left alone with its fields", "[plugins][response_rewrite]") {
    FakeExchange exchange;
    const LogLines lines;
    const Seen& answer = exchange.run(*chain_of("response-rewrite", filter_all), coded("zstd", {"hello"}));
    CHECK(answer.body == "hello");
    CHECK(answer.field("Content-Encoding") == "zstd");
    CHECK(answer.field("ETag") == "\"x\"");
    CHECK(lines.all().size() == 1);
}

TEST_CASE("response-rewrite: a broken or unfinished compressed body is cut off, never passed on",
          "[plugins][response_rewrite]") {
    const std::string body = GENERATE(std::string("no gzip"), gzipped.substr(0, 15));
    FakeExchange exchange;
    const LogLines lines;
    const Seen& answer = exchange.run(*chain_of("response-rewrite", filter_all), coded("gzip", {body}));
    CHECK(answer.cut);
    CHECK(answer.body.empty());
}

TEST_CASE("response-rewrite: what a compressed body stands for is cut at the limit", "[plugins][response_rewrite]") {
    FakeExchange exchange;
    const auto chain =
        chain_of("response-rewrite", R"~({"filters":[{"regex":"h","replace":"H"}],"max_resp_body_size":28})~");
    CHECK(chain->response_body_needed() == 28);
    const auto small =
        chain_of("response-rewrite", R"~({"filters":[{"regex":"h","replace":"H"}],"max_resp_body_size":7})~");
    Script whole = coded("gzip", {gzipped});
    BodyChunk chunk{gzipped, true, exchange.arena()};
    exchange.response.fields.add("Content-Encoding", "gzip");
    exchange.response.status = 200;
    (void)small->run<Phase::header_filter>(exchange);
    (void)small->run<Phase::body_filter>(exchange, chunk);
    CHECK(chunk.bytes == "Hello h");
}

TEST_CASE("response-rewrite: a body larger than the limit ends there", "[plugins][response_rewrite]") {
    FakeExchange exchange;
    const auto chain = chain_of(
        "response-rewrite", R"~({"filters":[{"regex":"l","scope":"global","replace":"LL"}],"max_resp_body_size":4})~");
    CHECK(exchange.run(*chain, {200, {}, {"he", "llo", " again", "!"}}).body == "heLLLL");
}

TEST_CASE("response-rewrite: a new body replaces all pieces once", "[plugins][response_rewrite]") {
    FakeExchange exchange;
    const auto chain = chain_of("response-rewrite", R"~({"body":"new"})~");
    CHECK(chain->response_body_needed() == 0);
    CHECK(exchange.run(*chain, {200, {}, {"a", "b", "c"}, true}).body == "new");
}

TEST_CASE("response-rewrite: options of filters", "[plugins][response_rewrite]") {
    const auto [conf, body] = GENERATE(table<std::string, std::string>({
        {R"~({"filters":[{"regex":"HELLO","options":"i","replace":"x"}]})~", "x\nworld"},
        {R"~({"filters":[{"regex":"^world","options":"m","replace":"x"}]})~", "hello\nx"},
        {R"~({"filters":[{"regex":"o.w","options":"s","replace":"-"}]})~", "hell-orld"},
        {R"~({"filters":[{"regex":"h e l","options":"x","replace":"-"}]})~", "-lo\nworld"},
        {R"~({"filters":[{"regex":"^","scope":"global","replace":">"}]})~", ">hello\nworld"},
        {R"~({"filters":[{"regex":"(h)(e)","replace":"$2$1$0$$"}]})~", "ehhe$llo\nworld"},
        {R"~({"filters":[{"regex":"(h)","replace":"${1}0$10"}]})~", "h0h0ello\nworld"},
        {R"~({"filters":[{"regex":"hello","replace":"world"},{"regex":"world","scope":"global","replace":"x"}]})~",
         "x\nx"},
    }));
    FakeExchange exchange;
    CHECK(exchange.run(*chain_of("response-rewrite", conf), {200, {}, {"hello\nworld"}}).body == body);
}

TEST_CASE("response-rewrite: an expression that gives up ends the answer", "[plugins][response_rewrite]") {
    FakeExchange exchange;
    const LogLines lines;
    const auto chain = chain_of("response-rewrite", R"~({"filters":[{"regex":"(*NO_JIT)(a+)+$","replace":"x"}]})~");
    CHECK(exchange.run(*chain, {200, {}, {std::string(60, 'a') + "b"}}).cut);
    CHECK_FALSE(lines.all().empty());
}

TEST_CASE("response-rewrite: answers of the gateway's own are rewritten too", "[plugins][response_rewrite]") {
    FakeExchange exchange;
    const LogLines lines;
    const auto chain = TestChain()
                           .add("fault-injection", R"~({"abort":{"http_status":403,"body":"no"}})~")
                           .add("response-rewrite", R"~({"status_code":200,"body":"yes"})~")
                           .make();
    const Seen& answer = exchange.run(*chain);
    CHECK(answer.status == 200);
    CHECK(answer.body == "yes");
}

TEST_CASE("response-rewrite: fields are added, then set, then removed; values are templates that cannot break out",
          "[plugins][response_rewrite]") {
    FakeExchange exchange("GET", "/hello?a=1%0d%0aX-Evil:%201");
    const Seen& answer = exchange.run(
        *chain_of(
            "response-rewrite",
            R"~({"headers":{"add":["X-A: $arg_a"],"set":{"X-S":"v","X-Empty":"","Content-Length":"3"},"remove":["X-R"]}})~"),
        {200,
         {{"X-S", "1"}, {"X-S", "2"}, {"X-Empty", "1"}, {"X-R", "1"}, {"Content-Length", "12"}},
         {"hello world\n"}});
    CHECK(answer.field("X-A") == "1%0D%0AX-Evil: 1");
    CHECK(answer.field("X-Evil") == "(none)");
    CHECK(answer.field("X-S") == "v");
    CHECK(answer.field("X-Empty") == "(none)");
    CHECK(answer.field("X-R") == "(none)");
    CHECK(answer.field("Content-Length") == "12");
}

TEST_CASE("response-rewrite: what cannot be configured", "[plugins][response_rewrite]") {
    CHECK(refusal("response-rewrite", R"~({"body":"x","filters":[{"regex":"a","replace":"b"}]})~") ==
          "failed to validate dependent schema for \"body\": value wasn't supposed to match schema");
    CHECK(refusal("response-rewrite", R"~({"filters":[{"regex":"(","replace":"b"}]})~")
              .rfind("regex \"(\" validation failed: ", 0) == 0);
    CHECK(refusal("response-rewrite", R"~({"filters":[{"regex":"a","replace":"b","options":"q"}]})~") ==
          "regex \"a\" validation failed: unknown flag \"q\"");
    CHECK(refusal("response-rewrite", R"~({"filters":[{"regex":"a"}]})~") ==
          "property \"filters\" validation failed: failed to validate item 1: property \"replace\" is required");
    CHECK(refusal("response-rewrite", R"~({"filters":[{"regex":"a","replace":"$x"}]})~")
              .find("invalid capturing variable name") != std::string::npos);
    CHECK(refusal("response-rewrite", R"~({"filters":[{"regex":"a","replace":"b","scope":"all"}]})~")
              .find("matches none of the enum values") != std::string::npos);
    CHECK(refusal("response-rewrite", R"~({"filters":[]})~") ==
          "property \"filters\" validation failed: expect array to have at least 1 items");
    CHECK(refusal("response-rewrite", R"~({"max_resp_body_size":0})~") ==
          "property \"max_resp_body_size\" validation failed: expected 0 to be at least 1");
    CHECK(refusal("response-rewrite", R"~({"headers":{"X":[1]}})~") == "invalid type as header value");
    CHECK(refusal("response-rewrite", R"~({"headers":{"":"x"}})~") == "invalid field length in header");
    CHECK(refusal("response-rewrite", R"~({"headers":{"add":["X-A"]}})~") ==
          "property \"headers\" validation failed: property \"add\" validation failed: failed to validate item 1: "
          "failed to "
          "match pattern \"^[^:]+:[^:]*[^/]$\" with \"X-A\"");
    CHECK(refusal("response-rewrite", R"~({"headers":{"set":{"A":"b"},"other":1}})~") ==
          "property \"headers\" validation failed: additional properties forbidden, found other");
    CHECK(refusal("response-rewrite", R"~({"headers":{}})~") ==
          "property \"headers\" validation failed: expect object to have at least 1 properties");
    CHECK(refusal("response-rewrite", "{}") == "");
}
