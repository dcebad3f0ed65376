#include "tests/plugins/refusal.hpp"
#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"

#include "libplugins/common/decompress.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

std::string plain(std::string_view compressed, bool cut = false) {
    Arena arena;
    const auto text = plugins::decompress(plugins::Coding::gzip, compressed, std::size_t{1} << 24, cut, arena);
    return text ? std::string(*text) : "(not gzip)";
}

Script html(std::vector<std::string> chunks, FieldList more = {}) {
    Script script{200, {{"Content-Type", "text/html"}}, std::move(chunks)};
    script.fields.insert(script.fields.end(), more.begin(), more.end());
    return script;
}

Seen ask(std::string_view conf, const Script& script, std::string_view accept = "gzip") {
    FakeExchange exchange;
    exchange.with("Accept-Encoding", accept);
    return exchange.run(*chain_of("gzip", conf), script);
}

}  // namespace

TEST_CASE("gzip: a body in pieces comes out whole, after all other filters", "[plugins][gzip]") {
    FakeExchange exchange;
    exchange.with("Accept-Encoding", "br, gzip");
    const std::string large(300000, 'x');
    const Seen& answer =
        exchange.run(*TestChain().add("gzip", "{}").add("echo", R"({"before_body":"<","after_body":">"})").make(),
                     html({"a", "", large, "z"}));
    CHECK(answer.field("Content-Encoding") == "gzip");
    CHECK(plain(answer.body) == "<a" + large + "z>");
    CHECK(answer.body.size() < 3000);
}

TEST_CASE("gzip: what a stream sent so far can be read at once", "[plugins][gzip]") {
    const auto chain = chain_of("gzip", R"({"types":["text/event-stream"]})");
    FakeExchange exchange;
    exchange.with("Accept-Encoding", "gzip");
    exchange.response.status = 200;
    exchange.response.fields.add("Content-Type", "text/event-stream");
    (void)chain->run<Phase::header_filter>(exchange);
    std::string sent;
    for (const std::string event : {"data: 1\n\n", "data: 2\n\n"}) {
        Arena scratch;
        BodyChunk chunk{event, false, scratch};
        (void)chain->run<Phase::delayed_body_filter>(exchange, chunk);
        sent += chunk.bytes;
        const std::string seen = plain(sent, true);
        CHECK(seen.substr(seen.size() - std::min(seen.size(), event.size())) == event);
    }
    (void)chain->run<Phase::log>(exchange);
}

TEST_CASE("gzip: the request says whether it takes gzip", "[plugins][gzip]") {
    const auto [accept, taken] = GENERATE(table<std::string, bool>({{"gzip", true},
                                                                    {"br , GZIP;q=0.5", true},
                                                                    {"gzip;q=0", false},
                                                                    {"gzip; q=0.000", false},
                                                                    {"gzip;q=0.001", true},
                                                                    {"xgzip", false},
                                                                    {"*", false},
                                                                    {"", false}}));
    INFO(accept);
    const Seen answer = ask(R"({"vary":true})", html({"x"}), accept);
    CHECK((answer.field("Content-Encoding") == "gzip") == taken);
    CHECK(answer.field("Vary") == "Accept-Encoding");
}

TEST_CASE("gzip: tags become weak, the date stays, the length goes", "[plugins][gzip]") {
    const FieldList fields{{"ETag", "\"a\""}, {"Last-Modified", "then"}, {"Content-Length", "30"}};
    const Seen answer = ask("{}", html({std::string(30, 'x')}, fields));
    CHECK(answer.field("ETag") == "W/\"a\"");
    CHECK(answer.field("Last-Modified") == "then");
    CHECK(answer.field("Content-Length") == "(none)");
    CHECK(ask("{}", html({"x"}, {{"ETag", "W/\"b\""}})).field("ETag") == "W/\"b\"");
}

TEST_CASE("gzip: only some statuses are compressed, and no answer to HEAD", "[plugins][gzip]") {
    const auto [status, compressed] = GENERATE(
        table<unsigned, bool>({{200, true}, {403, true}, {404, true}, {201, false}, {206, false}, {500, false}}));
    Script script = html({"x"});
    script.status = status;
    CHECK((ask("{}", script).field("Content-Encoding") == "gzip") == compressed);
    FakeExchange head("HEAD");
    head.with("Accept-Encoding", "gzip");
    CHECK(head.run(*chain_of("gzip", "{}"), html({""})).field("Content-Encoding") == "(none)");
}

TEST_CASE("gzip: a request of HTTP/1.0 is asked for by its version (G6)", "[plugins][gzip]") {
    const auto coding = [](std::string_view conf) {
        FakeExchange exchange;
        exchange.request.version = 10;
        exchange.with("Accept-Encoding", "gzip");
        return exchange.run(*chain_of("gzip", conf), html({"x"})).field("Content-Encoding");
    };
    CHECK(coding("{}") == "(none)");
    CHECK(coding(R"({"http_version":1.0})") == "gzip");
}

TEST_CASE("gzip: compressors are used again", "[plugins][gzip]") {
    const auto chain = chain_of("gzip", "{}");
    const std::string body(1000, 'x');
    for (int round = 0; round < 2; ++round) {
        FakeExchange exchange;
        exchange.with("Accept-Encoding", "gzip");
        exchange.response.status = 200;
        exchange.response.fields.add("Content-Type", "text/html");
        exchange.arena().take(1);
        Arena scratch(65536);
        scratch.take(1);
        const AllocCount count;
        (void)chain->run<Phase::header_filter>(exchange);
        BodyChunk chunk{body, true, scratch};
        (void)chain->run<Phase::delayed_body_filter>(exchange, chunk);
        const auto used = count.count();
        CHECK(plain(chunk.bytes) == body);
        if (round == 1) CHECK(used == 0);
    }
}

TEST_CASE("gzip: what cannot be configured", "[plugins][gzip]") {
    CHECK(refusal("gzip", R"({"types":"text/html"})") ==
          "property \"types\" validation failed: object matches none of the required");
    CHECK(refusal("gzip", R"({"types":[]})") != "");
    CHECK(refusal("gzip", R"({"http_version":2})") ==
          "property \"http_version\" validation failed: matches none of the enum values");
    CHECK(refusal("gzip", R"({"buffers":{"size":0}})") ==
          "property \"buffers\" validation failed: property \"size\" validation failed: expected 0 to be at least 1");
}

TEST_CASE("gzip: plugins that come later see and change a plain answer", "[plugins][gzip]") {
    FakeExchange exchange;
    exchange.with("Accept-Encoding", "gzip");
    const Seen& answer =
        exchange.run(*TestChain()
                          .add("gzip", "{}")
                          .add("response-rewrite", R"({"filters":[{"regex":"hello","replace":"bye"}]})")
                          .make(),
                     html({"hello world"}));
    CHECK(answer.field("Content-Encoding") == "gzip");
    CHECK(plain(answer.body) == "bye world");
}
