// Worked examples of http-logger, and what all loggers have in common.
#include "libplugins/common/json_text.hpp"
#include "tests/plugins/refusal.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/logger_story.hpp"
#include "tests/support/scripted_upstream.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

struct HttpCollector : Logged {
    ScriptedUpstream collector;
    explicit HttpCollector(const std::string& members, std::string_view metadata = {}) {
        if (!metadata.empty()) plugins.metadata["http-logger"] = json::parse(metadata);
        const std::string comma = members.empty() ? "" : ",";
        configure("http-logger",
                  with_port(R"({"uri":"http://127.0.0.1:%/logs?to=1")" + comma + members + "}", collector.port()));
    }
    json::Value body(std::size_t index = 0) {
        REQUIRE(rig.until([&] { return collector.request_count() > index; }));
        return json::parse(collector.requests()[index].body);
    }
};

}  // namespace

TEST_CASE("http-logger: the default entry (HL1)", "[plugins][http_logger]") {
    HttpCollector story(R"("batch_max_size":1)");
    story.ask("/hello?a=1&a=2&b&c=x%20y", [](FakeExchange& exchange) {
        exchange.with("X-Twice", "1").with("X-Twice", "2");
        exchange.variables["server_port"] = "9080";
        exchange.variables["upstream_addr"] = "127.0.0.1:1980";
    });
    const json::Value entry = story.body();
    const Message request = story.collector.requests().at(0);
    CHECK(request.method() == "POST");
    CHECK(request.target() == "/logs?to=1");
    CHECK(request.field("content-type") == "application/json");
    REQUIRE(entry.is_object());
    CHECK(text_at(entry, {"request", "querystring"}) == R"({"a":["1","2"],"b":true,"c":"x y"})");
    CHECK(text_at(entry, {"request", "url"}) == "http://localhost:9080/hello?a=1&a=2&b&c=x%20y");
    CHECK(text_at(entry, {"request", "uri"}) == "/hello?a=1&a=2&b&c=x%20y");
    CHECK(text_at(entry, {"request", "method"}) == "GET");
    CHECK(text_at(entry, {"request", "headers"}) == R"({"host":"localhost","x-twice":["1","2"]})");
    CHECK(text_at(entry, {"request", "size"}) == "100");
    CHECK(text_at(entry, {"response", "status"}) == "200");
    CHECK(text_at(entry, {"response", "headers"}) == R"({"content-type":"text/plain"})");
    CHECK(text_at(entry, {"response", "size"}) == "200");
    CHECK(text_at(entry, {"server", "version"}) == GATEWAY_VERSION);
    CHECK(text_at(entry, {"upstream"}) == "127.0.0.1:1980");
    CHECK(text_at(entry, {"service_id"}) == "");
    CHECK(text_at(entry, {"route_id"}) == "1");
    CHECK(text_at(entry, {"consumer"}) == "(none)");
    CHECK(text_at(entry, {"client_ip"}) == "127.0.0.1");
    CHECK(text_at(entry, {"start_time"}) == "1800328446988");
    CHECK(text_at(entry, {"latency"}) == "12.345");
    CHECK(text_at(entry, {"upstream_latency"}) == "10.000");
    CHECK(text_at(entry, {"apisix_latency"}) == "2.345");
    CHECK(text_at(entry, {"request", "body"}) == "(none)");
}

TEST_CASE("http-logger: two entries make an array (HL2)", "[plugins][http_logger]") {
    HttpCollector story(R"("batch_max_size":2)");
    story.ask("/one");
    story.ask("/two");
    const json::Value list = story.body();
    REQUIRE(list.items().size() == 2);
    CHECK(text_at(list.items()[0], {"request", "uri"}) == "/one");
    CHECK(text_at(list.items()[1], {"request", "uri"}) == "/two");
}

TEST_CASE("http-logger: entries as lines (HL3)", "[plugins][http_logger]") {
    HttpCollector story(R"("batch_max_size":3,"concat_method":"new_line","log_format":{"u":"$uri"})");
    for (const char* target : {"/1", "/2", "/3"}) story.ask(target);
    REQUIRE(story.rig.until([&] { return story.collector.request_count() == 1; }));
    const Message request = story.collector.requests().at(0);
    CHECK(request.field("content-type") == "text/plain");
    CHECK(request.body ==
          "{\"u\":\"/1\",\"route_id\":\"1\"}\n{\"u\":\"/2\",\"route_id\":\"1\"}\n{\"u\":\"/3\",\"route_id\":\"1\"}");
}

TEST_CASE("http-logger: an entry of one's own (HL4)", "[plugins][http_logger]") {
    HttpCollector story(
        R"("batch_max_size":1,"log_format":{"host":"$host","x":{"ip":"$remote_addr"},"lit":"v","gone":"$arg_none"})");
    story.ask();
    CHECK(json::write(story.body()) == R"({"host":"localhost","x":{"ip":"127.0.0.1"},"lit":"v","route_id":"1"})");
}

TEST_CASE("loggers: an entry nested too deep ends there", "[plugins][http_logger]") {
    HttpCollector story(R"("batch_max_size":1,"log_format":{"1":{"2":{"3":{"4":{"5":"$uri","6":{"7":"$uri"}}}}}})");
    story.ask();
    CHECK(json::write(story.body()) == R"({"1":{"2":{"3":{"4":{"5":"/hello","6":{}}}}},"route_id":"1"})");
    CHECK(story.said("deeper than 5 levels"));
}

TEST_CASE("http-logger: the request's body, cut (HL5)", "[plugins][http_logger]") {
    HttpCollector story(R"("batch_max_size":1,"include_req_body":true,"max_req_body_bytes":4)");
    const auto body = [](FakeExchange& exchange) {
        exchange.request_body = "abcdef";
        exchange.body_buffered = true;
    };
    story.ask("/hello", body, "POST");
    CHECK(text_at(story.body(), {"request", "body"}) == "abcd");
}

TEST_CASE("http-logger: the answer's body where an expression holds (HL6)", "[plugins][http_logger]") {
    HttpCollector story(
        R"("batch_max_size":1,"include_resp_body":true,"include_resp_body_expr":[["arg_log","==","1"]])");
    const Script pieces{200, {{"Content-Type", "text/plain"}}, {"hel", "lo"}, true};
    story.ask("/hello?log=1", {}, "GET", pieces);
    CHECK(text_at(story.body(0), {"response", "body"}) == "hello");
    story.ask("/hello", {}, "GET", pieces);
    CHECK(text_at(story.body(1), {"response", "body"}) == "(none)");
}

TEST_CASE("loggers: a compressed answer is told in clear, a cut one too", "[plugins][http_logger]") {
    // "The quick brown fox jumps over the lazy dog.\n" by gzip -9n.
    static constexpr unsigned char packed[] = {
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x0b, 0xc9, 0x48, 0x55, 0x28, 0x2c,
        0xcd, 0x4c, 0xce, 0x56, 0x48, 0x2a, 0xca, 0x2f, 0xcf, 0x53, 0x48, 0xcb, 0xaf, 0x50, 0xc8, 0x2a,
        0xcd, 0x2d, 0x28, 0x56, 0xc8, 0x2f, 0x4b, 0x2d, 0x52, 0x28, 0x01, 0x4a, 0xe7, 0x24, 0x56, 0x55,
        0x2a, 0xa4, 0xe4, 0xa7, 0xeb, 0x71, 0x01, 0x00, 0x6a, 0xcc, 0x50, 0xeb, 0x2d, 0x00, 0x00, 0x00};
    const std::string bytes(reinterpret_cast<const char*>(packed), sizeof packed);
    const auto told = [](const std::string& limit, const std::string& body) {
        HttpCollector story(R"("batch_max_size":1,"include_resp_body":true,"max_resp_body_bytes":)" + limit);
        story.ask("/hello", {}, "GET", {200, {{"Content-Encoding", "gzip"}}, {body}});
        return text_at(story.body(), {"response", "body"});
    };
    CHECK(told("100", bytes) == "The quick brown fox jumps over the lazy dog.\n");
    CHECK(told("30", bytes) == "The quick brown fox");
    CHECK(told("100", "no gzip at all") == "no gzip at all");
}

TEST_CASE("loggers: what is no UTF-8 is told as U+FFFD", "[plugins][http_logger]") {
    HttpCollector story(R"("batch_max_size":1,"log_format":{"a":"$http_x_a"})");
    story.ask("/hello", [](FakeExchange& exchange) { exchange.with("X-A", "\xff\"\\\xc3\xa4\x01"); });
    CHECK(text_at(story.body(), {"a"}) == "\xEF\xBF\xBD\"\\\xc3\xa4\x01");
}

TEST_CASE("loggers: every byte that JSON escapes is escaped, wherever it stands", "[plugins][http_logger]") {
    for (int byte = 0; byte < 0x80; ++byte) {
        for (const std::size_t before : {0u, 3u, 7u, 8u, 13u}) {
            const std::string text = std::string(before, 'a') + static_cast<char>(byte) + "bcdefghijk";
            std::string out;
            plugins::append_json_string(out, text);
            INFO(byte << " behind " << before);
            CHECK(json::parse(out).string() == text);
        }
    }
}

TEST_CASE("http-logger: a batch that is not full leaves after the pause (HL7)", "[plugins][http_logger]") {
    HttpCollector story(R"("inactive_timeout":1)");
    story.ask();
    CHECK_FALSE(story.rig.until([&] { return story.collector.request_count() > 0; }, milliseconds(700) / patience));
    CHECK(story.body().items().size() == 1);
}

TEST_CASE("http-logger: tries again, then gives up (HL8)", "[plugins][http_logger]") {
    HttpCollector story(R"("batch_max_size":1,"max_retry_count":2,"retry_delay":0,"auth_header":"Basic c2VjcmV0")");
    story.collector.script(ScriptedUpstream::answers(500, "broken\nhere"));
    story.ask();
    REQUIRE(story.rig.until([&] { return story.said("exceeded the max_retry_count"); }));
    CHECK(story.collector.request_count() == 3);
    CHECK(story.collector.requests().at(2).field("authorization") == "Basic c2VjcmV0");
    CHECK(story.count("Batch Processor[http logger] failed to process entries: server returned status code[500] "
                      "host[127.0.0.1] port[" +
                      std::to_string(story.collector.port()) + "] body[broken here]") == 3);
    CHECK(story.count("Batch Processor[http logger] exceeded the max_retry_count[2] dropping the entries") == 1);
    CHECK_FALSE(story.said("c2VjcmV0"));
}

TEST_CASE("http-logger: the format of the metadata (HL9)", "[plugins][http_logger]") {
    HttpCollector story(R"("batch_max_size":1)", R"({"log_format":{"a":"$uri"}})");
    story.ask();
    CHECK(json::write(story.body()) == R"({"a":"/hello","route_id":"1"})");
}

TEST_CASE("http-logger: more than may wait is discarded and counted (HL10)", "[plugins][http_logger]") {
    HttpCollector story(R"("batch_max_size":1)", R"({"max_pending_entries":10})");
    story.collector.script(ScriptedUpstream::stalls());
    for (int i = 0; i < 100; ++i) story.ask();
    REQUIRE(story.rig.until([&] { return story.collector.accepted() > 0; }));
    for (int i = 0; i < 10; ++i) story.ask();
    CHECK(story.count("max pending entries limit exceeded. discarding entry. total_pushed_entries: ") == 1);
    CHECK(story.said("max_pending_entries: 10 discarded_entries: 1"));
    CHECK(story.rig.until([&] { return story.count("dropping the entries") == 10; }, milliseconds(12000)));
}

TEST_CASE("http-logger: further members never replace one (HL11)", "[plugins][http_logger]") {
    HttpCollector story(R"("batch_max_size":1,"log_format_extra":{"tenant":"$http_x_tenant","route_id":"z"})");
    story.ask("/hello", [](FakeExchange& exchange) { exchange.with("X-Tenant", "t1"); });
    const json::Value entry = story.body();
    CHECK(text_at(entry, {"tenant"}) == "t1");
    CHECK(text_at(entry, {"route_id"}) == "1");
    CHECK(text_at(entry, {"request", "method"}) == "GET");
}

TEST_CASE("http-logger: collectors that talk nonsense, hang up or are away are one line each",
          "[plugins][http_logger]") {
    const auto both = GENERATE(table<std::string, std::string>(
        {{"garbage\r\n\r\n", "the answer is not HTTP"}, {"", "connection closed before the answer ended"}}));
    const std::string answer = std::get<0>(both), line = std::get<1>(both);
    HttpCollector story(R"("batch_max_size":1)");
    story.collector.script(ScriptedUpstream::sends_and_closes(answer));
    story.ask();
    CHECK(story.rig.until([&] { return story.said(line); }));
    CHECK(story.rig.until([&] { return !story.rig.dispatch.busy(); }));
}

TEST_CASE("http-logger: the connection is used again, a dead one is replaced", "[plugins][http_logger]") {
    HttpCollector story(R"("batch_max_size":1)");
    for (std::size_t i = 0; i < 3; ++i) {
        story.ask();
        static_cast<void>(story.body(i));
        REQUIRE(story.rig.until([&] { return !story.rig.dispatch.busy(); }));
    }
    CHECK(story.collector.accepted() == 1);
    story.collector.script([](Connection& guest, const Message&) {
        guest.send(make_response(200, "ok"));
        guest.close();
    });
    for (std::size_t i = 3; i < 6; ++i) {
        story.ask();
        static_cast<void>(story.body(i));
        REQUIRE(story.rig.until([&] { return !story.rig.dispatch.busy(); }));
    }
    CHECK(story.count("failed") == 0);
}

TEST_CASE("loggers: what waits leaves when the worker drains", "[plugins][http_logger]") {
    HttpCollector story("");
    story.ask();
    story.rig.dispatch.drain();
    CHECK(story.body().items().size() == 1);
    CHECK(story.rig.until([&] { return !story.rig.dispatch.busy(); }));
}

TEST_CASE("loggers: entries survive the logger that wrote them", "[plugins][http_logger]") {
    HttpCollector story(R"("inactive_timeout":1)");
    story.ask();
    story.chain = nullptr;
    story.plugins = TestChain();
    CHECK(story.body().items().size() == 1);
}

TEST_CASE("loggers: bodies that nobody keeps cost no lane", "[plugins][http_logger]") {
    HttpCollector plain(R"("batch_max_size":1)"), keeping(R"("include_resp_body":true,"include_req_body":true)");
    CHECK_FALSE(plain.chain->has(Phase::body_filter));
    CHECK_FALSE(plain.chain->has(Phase::access));
    CHECK(keeping.chain->has(Phase::body_filter));
    CHECK(keeping.chain->has(Phase::access));
}

TEST_CASE("loggers: expressions are checked", "[plugins][http_logger]") {
    CHECK(refusal("http-logger", R"({"uri":"http://h","include_req_body_expr":[["a","?","b"]]})") ==
          "failed to validate the 'include_req_body_expr' expression: invalid operator '?'");
    CHECK(refusal("http-logger", R"({"uri":"http://h","include_resp_body_expr":[]})") ==
          "property \"include_resp_body_expr\" validation failed: expect array to have at least 1 items");
    CHECK(refusal("http-logger", R"({"uri":"http://h/a\r\nX: y"})") == "uri: blanks or control characters in the path");
    CHECK(refusal("http-logger", R"({"uri":"http://h","auth_header":"a\r\nX: y"})") ==
          "auth_header: control characters");
}
