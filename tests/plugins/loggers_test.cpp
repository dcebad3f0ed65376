// Worked examples of the loggers: a collector on a free port, a worker's loop, requests without sockets.
#include <netinet/in.h>
#include <sys/socket.h>

#include <fstream>

#include "tests/plugins/refusal.hpp"
#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/delivery_rig.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"
#include "tests/support/scripted_upstream.hpp"
#include "tests/support/temp_dir.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

// `%` stands for the port.
std::string with_port(std::string text, std::uint16_t port) {
    for (std::size_t at; (at = text.find('%')) != std::string::npos;) text.replace(at, 1, std::to_string(port));
    return text;
}

struct Logged {
    DeliveryRig rig;
    LogLines lines;
    TestChain plugins;
    Ref<const Chain> chain;

    // Nothing may be left under way: what waits is counted for all loggers of a kind together.
    ~Logged() {
        rig.dispatch.drain();
        static_cast<void>(rig.until([&] { return !rig.dispatch.busy(); }, milliseconds(10000)));
    }
    void configure(std::string_view plugin, const std::string& conf) { chain = plugins.add(plugin, conf).make(); }
    void ask(std::string_view target = "/hello", const std::function<void(FakeExchange&)>& change = {},
             std::string_view method = "GET", const Script& script = {}) {
        FakeExchange exchange(method, target);
        exchange.own_services.own_dispatch = &rig.dispatch;
        if (change) change(exchange);
        exchange.run(*chain, script);
        REQUIRE(exchange.finished);
    }
    bool said(std::string_view text) const {
        for (const std::string& line : lines.all()) {
            if (line.find(text) != std::string::npos) return true;
        }
        return false;
    }
    std::size_t count(std::string_view text) const {
        std::size_t found = 0;
        for (const std::string& line : lines.all()) found += line.find(text) != std::string::npos ? 1 : 0;
        return found;
    }
};

struct HttpCollector : Logged {
    ScriptedUpstream collector;
    explicit HttpCollector(const std::string& members, std::string_view metadata = {}) {
        if (!metadata.empty()) plugins.metadata = json::parse(metadata);
        const std::string comma = members.empty() ? "" : ",";
        configure("http-logger",
                  with_port(R"({"uri":"http://127.0.0.1:%/logs?to=1")" + comma + members + "}", collector.port()));
    }
    json::Value body(std::size_t index = 0) {
        REQUIRE(rig.until([&] { return collector.request_count() > index; }));
        return json::parse(collector.requests()[index].body);
    }
};

std::string text_at(const json::Value& value, std::initializer_list<std::string_view> path) {
    const json::Value* at = &value;
    for (const std::string_view name : path) at = at ? at->find(name) : nullptr;
    return !at ? "(none)" : at->is_string() ? at->string() : json::write(*at);
}

// Everything one TCP guest sends.
struct TcpCollector : Logged {
    std::mutex mutex;
    std::vector<std::string> texts;
    ScriptedUpstream collector{ScriptedUpstream::Raw{}, [this](Connection& guest) {
                                   const std::string text = guest.read_to_end();
                                   const std::lock_guard lock(mutex);
                                   texts.push_back(text);
                               }};
    std::string text(std::size_t index = 0) {
        REQUIRE(rig.until([&] {
            const std::lock_guard lock(mutex);
            return texts.size() > index;
        }));
        const std::lock_guard lock(mutex);
        return texts[index];
    }
};

class UdpPort {
public:
    UdpPort() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        REQUIRE(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
        REQUIRE(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
        port = ntohs(address.sin_port);
    }
    // The next datagram, if it is there.
    bool take(std::string& text) {
        text.resize(70'000);
        const ssize_t got = ::recv(socket_.get(), text.data(), text.size(), MSG_DONTWAIT);
        text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
        return got >= 0;
    }
    std::uint16_t port = 0;

private:
    UniqueFd socket_;
};

std::vector<std::string> lines_of(const std::filesystem::path& path) {
    std::vector<std::string> all;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
}

struct FileStory : Logged {
    TempDir folder;
    void start(const std::string& members, std::string_view metadata = {}) {
        if (!metadata.empty()) plugins.metadata = json::parse(metadata);
        configure("file-logger", members);
    }
    std::vector<std::string> written(std::size_t count, const char* name = "a.log") {
        rig.dispatch.log_thread().flush();
        REQUIRE(rig.until([&] { return lines_of(folder / name).size() >= count; }));
        return lines_of(folder / name);
    }
    std::string path(const char* name = "a.log") const { return R"("path":")" + (folder / name).string() + '"'; }
};

std::uint16_t closed_port() {
    std::uint16_t port = 0;
    listen_on_free_port(port);
    return port;
}

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
    CHECK(text_at(entry, {"start_time"}) == "1800328447000");
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
    // "hello hello hello hello\n" by gzip -9n.
    static constexpr unsigned char packed[] = {0x1f, 0x8b, 0x08, 0,    0,    0,    0,    0,    0x02, 0x03,
                                               0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x27, 0xb8,
                                               0,    0x00, 0x88, 0x59, 0x0b, 0x18, 0x00, 0x00, 0x00};
    const std::string bytes(reinterpret_cast<const char*>(packed), 20);
    HttpCollector story(R"("batch_max_size":1,"include_resp_body":true)");
    story.ask("/hello", {}, "GET", {200, {{"Content-Encoding", "gzip"}}, {"no gzip at all"}});
    CHECK(text_at(story.body(0), {"response", "body"}) == "no gzip at all");
}

TEST_CASE("loggers: what is no UTF-8 is told as U+FFFD", "[plugins][http_logger]") {
    HttpCollector story(R"("batch_max_size":1,"log_format":{"a":"$http_x_a"})");
    story.ask("/hello", [](FakeExchange& exchange) { exchange.with("X-A", "\xff\"\\\xc3\xa4\x01"); });
    CHECK(text_at(story.body(), {"a"}) == "\xEF\xBF\xBD\"\\\xc3\xa4\x01");
}

TEST_CASE("http-logger: a batch that is not full leaves after the pause (HL7)", "[plugins][http_logger]") {
    HttpCollector story(R"("inactive_timeout":1)");
    story.ask();
    CHECK_FALSE(story.rig.until([&] { return story.collector.request_count() > 0; }, milliseconds(700)));
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
    const auto [answer, line] = GENERATE(table<std::string, std::string>(
        {{"garbage\r\n\r\n", "no HTTP answer"}, {"", "connection closed before an answer"}}));
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

TEST_CASE("tcp-logger: one object, then the end (TU1)", "[plugins][tcp_logger]") {
    TcpCollector story;
    story.configure("tcp-logger",
                    with_port(R"({"host":"127.0.0.1","port":%,"batch_max_size":1})", story.collector.port()));
    story.ask();
    CHECK(text_at(json::parse(story.text()), {"route_id"}) == "1");
}

TEST_CASE("tcp-logger: an array of two (TU2)", "[plugins][tcp_logger]") {
    TcpCollector story;
    story.configure("tcp-logger",
                    with_port(R"({"host":"127.0.0.1","port":%,"batch_max_size":2})", story.collector.port()));
    story.ask();
    story.ask();
    CHECK(json::parse(story.text()).items().size() == 2);
}

TEST_CASE("tcp-logger: nobody there (TU3)", "[plugins][tcp_logger]") {
    Logged story;
    const std::uint16_t port = closed_port();
    story.configure(
        "tcp-logger",
        with_port(R"({"host":"127.0.0.1","port":%,"batch_max_size":1,"max_retry_count":1,"retry_delay":0})", port));
    story.ask();
    REQUIRE(story.rig.until([&] { return story.said("dropping the entries"); }));
    CHECK(story.count("Batch Processor[tcp logger] failed to process entries: failed to connect to TCP server: "
                      "host[127.0.0.1] port[" +
                      std::to_string(port) + "] err: connection refused") == 2);
}

TEST_CASE("udp-logger: one datagram (TU4)", "[plugins][udp_logger]") {
    UdpPort port;
    Logged story;
    story.configure("udp-logger", with_port(R"({"host":"127.0.0.1","port":%,"batch_max_size":1})", port.port));
    story.ask();
    std::string text;
    REQUIRE(story.rig.until([&] { return port.take(text); }));
    CHECK(text_at(json::parse(text), {"route_id"}) == "1");
    story.ask("/" + std::string(70'000, 'a'));
    CHECK(story.rig.until([&] { return story.said("message larger than a datagram"); }));
}

TEST_CASE("udp-logger: a port is a number that exists (TU6)", "[plugins][udp_logger]") {
    CHECK(refusal("udp-logger", R"({"host":"h","port":-1})") ==
          "property \"port\" validation failed: expected -1 to be at least 0");
    CHECK(refusal("udp-logger", R"({"host":"h"})") == "property \"port\" is required");
}

TEST_CASE("syslog: one line of RFC 5424 (SY1)", "[plugins][syslog]") {
    TcpCollector story;
    story.configure("syslog", with_port(R"({"host":"127.0.0.1","port":%,"flush_limit":1,"batch_max_size":1})",
                                        story.collector.port()));
    story.ask();
    REQUIRE(story.rig.until([&] { return !story.rig.dispatch.busy(); }));
    story.chain = nullptr;
    story.plugins = TestChain();
    const std::string text = story.text();
    const std::string begin =
        "<46>1 2027-01-19T03:14:07.000Z localhost apisix " + std::to_string(::getpid()) + " - - {";
    CHECK(text.substr(0, begin.size()) == begin);
    CHECK(text.ends_with("}\n"));
}

TEST_CASE("syslog: a batch is sent at once (SY2)", "[plugins][syslog]") {
    TcpCollector story;
    story.configure("syslog", with_port(R"({"host":"127.0.0.1","port":%,"flush_limit":1,"batch_max_size":3})",
                                        story.collector.port()));
    for (int i = 0; i < 3; ++i) story.ask();
    REQUIRE(story.rig.until([&] { return !story.rig.dispatch.busy(); }));
    story.chain = nullptr;
    story.plugins = TestChain();
    const std::string text = story.text();
    CHECK(std::count(text.begin(), text.end(), '\n') == 3);
}

TEST_CASE("syslog: datagrams (SY3)", "[plugins][syslog]") {
    UdpPort port;
    Logged story;
    story.configure(
        "syslog",
        with_port(R"({"host":"127.0.0.1","port":%,"sock_type":"udp","flush_limit":1,"batch_max_size":2})", port.port));
    story.ask();
    story.ask();
    std::string first, second;
    REQUIRE(story.rig.until([&] { return port.take(first); }));
    REQUIRE(story.rig.until([&] { return port.take(second); }));
    CHECK(first.substr(0, 5) == "<46>1");
    CHECK(std::count(second.begin(), second.end(), '\n') == 1);
}

TEST_CASE("syslog: a server that is away costs entries, not requests (SY4)", "[plugins][syslog]") {
    Logged story;
    story.configure("syslog",
                    with_port(R"({"host":"127.0.0.1","port":%,"drop_limit":100,"batch_max_size":1})", closed_port()));
    for (int i = 0; i < 5; ++i) story.ask();
    CHECK(story.rig.until([&] { return story.said("entries dropped, more than drop_limit[100] bytes wait"); }));
}

TEST_CASE("file-logger: a line for each request (FL1)", "[plugins][file_logger]") {
    FileStory story;
    story.start("{" + story.path() + "}");
    for (int i = 0; i < 3; ++i) story.ask();
    const auto lines = story.written(3);
    REQUIRE(lines.size() == 3);
    CHECK(text_at(json::parse(lines[2]), {"response", "status"}) == "200");
}

TEST_CASE("file-logger: numbers are numbers (FL2)", "[plugins][file_logger]") {
    FileStory story;
    story.start("{" + story.path() + R"(,"log_format":{"s":"$status","p":"$remote_port","m":"$upstream_status"}})");
    story.ask("/hello", [](FakeExchange& exchange) { exchange.variables["upstream_status"] = "502, 200"; });
    CHECK(story.written(1).at(0) == R"({"s":200,"p":"0","m":"502, 200","route_id":"1"})");
}

TEST_CASE("file-logger: only what matches (FL3)", "[plugins][file_logger]") {
    FileStory story;
    story.start("{" + story.path() + R"(,"match":[[["arg_name","==","jack"]]],"log_format":{"a":"$arg_name"}})");
    story.ask("/hello?name=rose");
    story.ask("/hello?name=jack");
    const auto lines = story.written(1);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0] == R"({"a":"jack","route_id":"1"})");
    CHECK(refusal("file-logger", R"({"path":"/p","match":[[["a","?","b"]]]})") ==
          "failed to validate the 'match' expression: invalid operator '?'");
}

TEST_CASE("file-logger: the path of the metadata (FL4)", "[plugins][file_logger]") {
    FileStory story;
    story.start("{}", "{" + story.path() + "}");
    story.ask();
    CHECK(story.written(1).size() == 1);
}

TEST_CASE("file-logger: no path at all (FL5)", "[plugins][file_logger]") {
    FileStory story;
    try {
        story.start("{}");
        FAIL("it was built");
    } catch (const config::Error& error) {
        CHECK(std::string(error.what()) == "property \"path\" is not set in either the plugin conf or the metadata");
    }
}

TEST_CASE("file-logger: a file that was renamed is made anew (FL6)", "[plugins][file_logger]") {
    FileStory story;
    story.start("{" + story.path() + "}");
    story.ask();
    REQUIRE(story.written(1).size() == 1);
    std::filesystem::rename(story.folder / "a.log", story.folder / "b.log");
    story.rig.dispatch.reopen_files();
    story.ask();
    CHECK(story.written(1).size() == 1);
    CHECK(lines_of(story.folder / "b.log").size() == 1);
}

TEST_CASE("file-logger: a path that cannot be opened is said once a second, requests go on (FL8)",
          "[plugins][file_logger]") {
    FileStory story;
    story.start(R"({"path":"/nowhere/at/all/a.log"})");
    for (int i = 0; i < 5; ++i) story.ask();
    CHECK(story.count("failed to open file: /nowhere/at/all/a.log, error info: No such file or directory") == 1);
}

TEST_CASE("file-logger: a warm line costs no allocation", "[plugins][file_logger]") {
    FileStory story;
    story.start("{" + story.path() + "}");
    FakeExchange exchange;
    exchange.own_services.own_dispatch = &story.rig.dispatch;
    const auto log = [&] { return story.chain->run<Phase::log>(exchange).ready(); };
    for (int i = 0; i < 3; ++i) REQUIRE(log());
    exchange.arena().reset();
    const AllocCount count;
    REQUIRE(log());
    CHECK(count.count() == 0);
}
