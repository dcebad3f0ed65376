#include "libgateway/expr/template.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/expr/fake_request.hpp"

using namespace gateway;
using namespace gateway::expr;

TEST_CASE("template: variables are put in, others left out", "[expr][template]") {
    test::FakeRequest request;
    request.query = "n=jack&flag";
    request.headers = {{"X-Env", "pre"}};
    request.others = {{"host", "a.com"}, {"1", "never"}};
    const auto [text, expanded, resolved] = GENERATE(table<std::string, std::string, unsigned>({
        {"plain", "plain", 0},
        {"", "", 0},
        {"$host", "a.com", 1},
        {"http://$host/x", "http://a.com/x", 1},
        {"${host}s and ${ arg_n }", "a.coms and jack", 2},
        {"$http_x_env-$arg_n", "pre-jack", 2},
        {"[$arg_none]", "[]", 0},
        {"${arg_none ?? nobody}!", "nobody!", 0},
        {"${arg_n ?? nobody}", "jack", 1},
        {"\\$host $host", "\\$host a.com", 1},
        {"$ $$ 5$ ${", "$ $$ 5$ ${", 0},
        {"${}", "${}", 0},
        {"$arg_flag", "true", 1},
        {"$1", "", 0},
    }));
    CAPTURE(text);
    Arena arena;
    const Template compiled(text);
    const Expansion out = compiled.expand(request, arena);
    CHECK(out.text == expanded);
    CHECK(out.resolved == resolved);
}

TEST_CASE("template: numbers are captures where there are some", "[expr][template]") {
    const test::FakeRequest request;
    Arena arena;
    const std::string_view captures[] = {"whole", "one", ""};
    const Expansion out = Template("$0-${1}-$2-$3").expand(request, arena, captures);
    CHECK(out.text == "whole-one--");
    CHECK(out.resolved == 3);
}

TEST_CASE("template: a constant one is known as such", "[expr][template]") {
    CHECK(Template("abc").constant());
    CHECK_FALSE(Template("a$host").constant());
    CHECK(Template("$post_arg.a").needs_body());
    CHECK_FALSE(Template("$host").needs_body());
}

TEST_CASE("template: lists are joined", "[expr][template]") {
    test::FakeRequest request;
    request.query = "query=%7Ba%20b%7D";
    Arena arena;
    CHECK(Template("<$graphql_root_fields>").expand(request, arena).text == "<a,b>");
}
