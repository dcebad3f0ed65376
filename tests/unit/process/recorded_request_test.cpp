#include "libgateway/process/recorded_request.hpp"

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::process;

namespace {

// A line of the log as a request, with everything that it views.
struct Recorded {
    explicit Recorded(std::string_view text, std::string_view format = "", RouteNeeds needs = {true, true, true})
        : names(format), line(*LogLine::parse(text, names, unreadable)), request(line, {}, needs, why) {}
    LogNames names;
    std::string unreadable, why;
    LogLine line;
    RecordedRequest request;

    std::string variable(std::string_view name) const {
        expr::VariableValue value;
        return request.read(expr::compile_variable(name), value) ? std::string(value.plain()) : "unset";
    }
};

constexpr const char* whole =
    R"({"request":"POST /a%20b?c=d HTTP/1.1","http_host":"Shop.example:80","remote_addr":"10.0.0.7",)"
    R"("http_x_tenant":"t1","http_cookie":"","consumer_name":"jack","status":200})";

}  // namespace

TEST_CASE("recorded request: a request line, a host and a client are enough for a match",
          "[process][recorded_request]") {
    const Recorded recorded(whole);
    REQUIRE(recorded.why.empty());
    const route::MatchInput input = recorded.request.input();
    REQUIRE(input.path == "/a b");
    REQUIRE(input.host == "shop.example");
    REQUIRE(input.raw_host == "Shop.example:80");
    REQUIRE(input.method == route::method_bit("POST"));
    REQUIRE(recorded.request.consumer() == "jack");
    REQUIRE(recorded.request.text() == "POST Shop.example:80/a%20b?c=d");
}

TEST_CASE("recorded request: a logged field that is empty was unset, one that is not logged is missing",
          "[process][recorded_request]") {
    const Recorded recorded(whole);
    REQUIRE(recorded.variable("http_x_tenant") == "t1");
    REQUIRE(recorded.variable("cookie_session") == "unset");
    REQUIRE(recorded.variable("arg_c") == "d");
    REQUIRE(recorded.variable("http_host") == "Shop.example:80");
    REQUIRE(recorded.request.missing().empty());
    REQUIRE(recorded.variable("http_x_other") == "unset");
    REQUIRE(recorded.request.missing() == "http_x_other");
}

TEST_CASE("recorded request: cookies are found in the logged field or under their own names",
          "[process][recorded_request]") {
    const Recorded field(R"({"request":"GET / HTTP/1.1","host":"h","remote_addr":"::1","http_cookie":"a=1; b=2"})");
    REQUIRE(field.variable("cookie_b") == "2");
    const Recorded own(R"({"request":"GET / HTTP/1.1","host":"h","remote_addr":"::1","cookie_b":"3"})");
    REQUIRE(own.variable("cookie_b") == "3");
    REQUIRE(own.variable("cookie_c") == "unset");
    REQUIRE(own.request.missing() == "cookie_c");
}

TEST_CASE("recorded request: the format tells which member holds which variable", "[process][recorded_request]") {
    constexpr const char* format =
        R"({"m": "$request_method", "u": "${request_uri}", "h": "$http_host", "s": $status, "from": "$remote_addr",)"
        R"( "both": "$scheme://$host"})";
    const Recorded recorded(R"({"m":"GET","u":"/x?y=1","h":"a.b","s":200,"from":"10.1.1.1"})", format);
    REQUIRE(recorded.why.empty());
    REQUIRE(recorded.request.text() == "GET a.b/x?y=1");
    REQUIRE(recorded.variable("status") == "200");
    REQUIRE(recorded.variable("scheme") == "unset");
}

TEST_CASE("recorded request: a member that holds another variable is not taken for the one of its name",
          "[process][recorded_request]") {
    constexpr const char* format =
        R"({"request_uri": "$request_uri", "request_method": "$request_method", "http_host": "$http_host",)"
        R"( "remote_addr": "$http_x_forwarded_for", "status": "$upstream_status", "scheme": "$scheme://$host"})";
    const Recorded recorded(R"({"request_uri":"/a","request_method":"GET","http_host":"h","remote_addr":"10.9.9.9",)"
                            R"("status":"502","scheme":"https://h","server_port":"81"})",
                            format);
    REQUIRE(recorded.why == "it has no remote_addr");
    REQUIRE(recorded.variable("status") == "unset");
    REQUIRE(recorded.variable("scheme") == "unset");
    REQUIRE(recorded.variable("server_port") == "81");
}

TEST_CASE("recorded request: lines of logger plugins do not follow the format of the access log",
          "[process][recorded_request]") {
    const Recorded recorded(R"({"client_ip":"10.1.1.1","request":{"method":"PUT","uri":"/a","headers":{"host":"h"}}})",
                            R"({"m": "$request_method", "remote_addr": "$realip_remote_addr"})");
    REQUIRE(recorded.why.empty());
    REQUIRE(recorded.request.text() == "PUT h/a");
    REQUIRE(recorded.variable("remote_addr") == "10.1.1.1");
}

TEST_CASE("recorded request: a path that was decoded is not decoded again", "[process][recorded_request]") {
    const auto [line, path] = GENERATE(table<std::string, std::string>({
        {R"({"request_method":"GET","request_uri":"/a%20b c?x=%20","host":"h","remote_addr":"::1"})", "/a%20b c"},
        {R"({"request_method":"GET","uri":"/a?b","args":"x","host":"h","remote_addr":"::1"})", "/a?b"},
        {R"({"request_method":"GET","real_request_uri":"/a%20b","host":"h","remote_addr":"::1"})", "/a b"},
    }));
    const Recorded recorded(line);
    INFO(line << " " << recorded.why);
    REQUIRE(recorded.why.empty());
    REQUIRE(recorded.request.input().path == path);
}

TEST_CASE("recorded request: without a query in the log its arguments are missing", "[process][recorded_request]") {
    const Recorded recorded(R"({"request_method":"GET","uri":"/a","host":"h","remote_addr":"::1"})");
    REQUIRE(recorded.variable("arg_x") == "unset");
    REQUIRE(recorded.request.missing() == "arg_x");
}

TEST_CASE("recorded request: entries of logger plugins hold all header fields", "[process][recorded_request]") {
    const Recorded recorded(
        R"({"request":{"method":"PUT","uri":"/l?a=b","url":"https://shop:443/l?a=b","headers":{"host":"shop","x-a":["1","2"]}},)"
        R"("client_ip":"10.0.0.8","consumer":{"username":"jack"},"response":{"status":200}})");
    REQUIRE(recorded.why.empty());
    REQUIRE(recorded.request.text() == "PUT shop/l?a=b");
    REQUIRE(recorded.request.consumer() == "jack");
    REQUIRE(recorded.variable("http_x_a") == "1, 2");
    REQUIRE(recorded.variable("http_x_none") == "unset");
    REQUIRE(recorded.variable("scheme") == "https");
    REQUIRE(recorded.request.missing().empty());
}

TEST_CASE("recorded request: what is lacking or wrong is told", "[process][recorded_request]") {
    const auto [line, why] = GENERATE(table<std::string, std::string>({
        {R"({"request_method":"GET"})", "it has no request_uri, real_request_uri, request or uri"},
        {R"({"request_uri":"/"})", "it has no request_method or request"},
        {R"({"request":"GET / HTTP/1.1"})", "it has no http_host or host"},
        {R"({"request":"GET / HTTP/1.1","host":"h"})", "it has no remote_addr"},
        {R"({"request":"GET /\ufffd HTTP/1.1","host":"h","remote_addr":"::1"})",
         "its path holds bytes that the log could not keep"},
        {R"({"request":"GET /%zz HTTP/1.1","host":"h","remote_addr":"::1"})",
         "URL: answered 400: invalid percent escape"},
        {R"({"request":"OPTIONS * HTTP/1.1","host":"h","remote_addr":"::1"})",
         "URL: expected /path or http://host/path"},
        {R"({"request":"GET / HTTP/1.1","host":"h","remote_addr":"unix:"})", "--from: expected an IP address"},
    }));
    REQUIRE(Recorded(line).why == why);
}

TEST_CASE("recorded request: what no route asks for may be lacking", "[process][recorded_request]") {
    const Recorded recorded(R"({"uri":"/a"})", "", {});
    REQUIRE(recorded.why.empty());
    REQUIRE(recorded.request.input().path == "/a");
}

TEST_CASE("recorded request: a line that is no object is not readable", "[process][recorded_request]") {
    std::string why;
    REQUIRE_FALSE(LogLine::parse("10.0.0.1 - - [now] GET /", {}, why));
    REQUIRE(why.substr(0, 8) == "no JSON:");
    REQUIRE_FALSE(LogLine::parse("[1]", {}, why));
    REQUIRE(why == "no JSON object");
}
