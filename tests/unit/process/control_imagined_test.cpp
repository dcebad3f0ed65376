#include "libgateway/process/control_imagined.hpp"

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::process;

namespace {

json::Value arguments(std::string_view text) {
    return json::parse(text);
}

std::string read(const ImaginedRequest& request, std::string_view name) {
    expr::VariableValue value;
    return request.read(expr::compile_variable(name), value) ? std::string(value.plain()) : "absent";
}

}  // namespace

TEST_CASE("imagined request: a url gives host, path and query", "[process][control_imagined]") {
    const ImaginedRequest request(arguments(R"({"method":"GET","url":"http://Shop.Example:8080/a/./b?x=1&y=a%20b#f"})"),
                                  {});
    REQUIRE(request.path() == "/a/b");
    REQUIRE(request.host() == "shop.example");
    REQUIRE(request.input().raw_host == "Shop.Example:8080");
    REQUIRE(read(request, "arg_y") == "a b");
    REQUIRE(read(request, "args") == "x=1&y=a%20b");
    REQUIRE(read(request, "http_host") == "Shop.Example:8080");
    REQUIRE(read(request, "scheme") == "http");
}

TEST_CASE("imagined request: headers, cookies and the client", "[process][control_imagined]") {
    const ImaginedRequest request(
        arguments(
            R"({"method":"POST","url":"/a","headers":["Host: a.b","X-One: 1","x-one: 2","Cookie: a=b; c=d"],"from":"10.1.2.3"})"),
        {});
    REQUIRE(request.host() == "a.b");
    REQUIRE(read(request, "http_x_one") == "1, 2");
    REQUIRE(read(request, "cookie_c") == "d");
    REQUIRE(read(request, "remote_addr") == "10.1.2.3");
    REQUIRE(read(request, "http_absent") == "absent");
    REQUIRE(read(request, "request_body") == "absent");
    REQUIRE(request.input().client == *expr::parse_address("10.1.2.3"));
}

TEST_CASE("imagined request: without a host it is the one of no host", "[process][control_imagined]") {
    const ImaginedRequest request(arguments(R"({"method":"GET","url":"/"})"), {});
    REQUIRE(request.host() == "_");
    REQUIRE(read(request, "http_host") == "absent");
}

TEST_CASE("imagined request: what is none is refused by name", "[process][control_imagined]") {
    const auto [text, name] =
        GENERATE(table<std::string, std::string>({{R"({"url":"/"})", "METHOD"},
                                                  {R"({"method":"G T","url":"/"})", "METHOD"},
                                                  {R"({"method":"GET"})", "URL"},
                                                  {R"({"method":"GET","url":"shop/a"})", "URL"},
                                                  {R"({"method":"GET","url":"ftp://a/"})", "URL"},
                                                  {R"({"method":"GET","url":"http://a b/"})", "URL"},
                                                  {R"({"method":"GET","url":"/a%00"})", "URL"},
                                                  {R"({"method":"GET","url":"/","headers":["novalue"]})", "-H"},
                                                  {R"({"method":"GET","url":"/","headers":[1]})", "-H"},
                                                  {R"({"method":"GET","url":"/","from":"somewhere"})", "--from"}}));
    REQUIRE_THROWS_WITH(ImaginedRequest(arguments(text), {}), Catch::Matchers::StartsWith(name));
}
