#include "libgateway/expr/expression.hpp"

#include "libgateway/expr/regex.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/log_lines.hpp"
#include "tests/unit/expr/fake_request.hpp"

using namespace gateway;
using namespace gateway::expr;

namespace {

bool holds(std::string_view rule, const test::FakeRequest& request) {
    return Expression(json::parse(rule)).evaluate(request);
}

test::FakeRequest make_request() {
    test::FakeRequest request;
    request.method = "POST";
    request.query = "n=jack&five=5.0&blank=%205%20&hex=0x10&big=12345678901234567890123&flag&empty=&a=1";
    request.headers = {{"Content-Type", "application/json"}, {"X-Env", "pre12"}};
    request.body = R"({"num":5,"text":"5","yes":true,"list":["a","b\u0063",3,{"x":1}],"obj":{"a":"b"}})";
    return request;
}

}  // namespace

TEST_CASE("expression: operators on present variables", "[expr][expression]") {
    const auto [rule, expected] = GENERATE(table<std::string, bool>({
        {R"([["arg_n","==","jack"]])", true},
        {R"([["arg_n","==","Jack"]])", false},
        {R"([["arg_five","==",5]])", true},
        {R"([["arg_five","==","5"]])", false},
        {R"([["arg_blank","==",5]])", true},
        {R"([["arg_blank","==","5"]])", false},
        {R"([["arg_hex","==",16]])", true},
        {R"([["arg_big","==",12345678901234567890123]])", true},
        {R"([["arg_big","==",12345678901234567890124]])", false},
        {R"([["arg_big","<",12345678901234567890124]])", true},
        {R"([["arg_flag","==",true]])", true},
        {R"([["arg_flag","==","true"]])", false},
        {R"([["arg_n","==",true]])", false},
        {R"([["arg_n","==",["jack"]]])", false},
        {R"([["arg_n","~=","jill"]])", true},
        {R"([["arg_n","~=","jack"]])", false},
        {R"([["arg_n","~=",5]])", true},
        {R"([["arg_five","~=",5]])", false},
        {R"([["arg_five",">",4.99]])", true},
        {R"([["arg_five",">",5]])", false},
        {R"([["arg_five",">=",5]])", true},
        {R"([["arg_five","<",5]])", false},
        {R"([["arg_five","<=","5"]])", true},
        {R"([["arg_five","<","9x"]])", false},
        {R"([["arg_n",">",1]])", false},
        {R"([["arg_n","in",["jill","jack"]]])", true},
        {R"([["arg_five","in",[5]]])", false},
        {R"([["arg_n","in","jack"]])", false},
        {R"([["arg_n","IN",["jack"]]])", true},
        {R"([["arg_n","~~","^ja"]])", true},
        {R"([["arg_n","~~","^JA"]])", false},
        {R"([["arg_n","~*","^JA"]])", true},
        {R"([["http_x_env","~~","[0-9]+$"]])", true},
        {R"([["arg_n","has","jack"]])", false},
        {R"([["remote_addr","ipmatch","127.0.0.0/8"]])", true},
        {R"([["remote_addr","ipmatch",["10.0.0.1","::1"]]])", false},
        {R"([["arg_n","ipmatch","127.0.0.1"]])", false},
        {R"([["post_arg.num","==",5]])", true},
        {R"([["post_arg.num","==","5"]])", false},
        {R"([["post_arg.text","==",5]])", true},
        {R"([["post_arg.num","in",[4,5.0]]])", true},
        {R"([["post_arg.text","in",[5]]])", false},
        {R"([["post_arg.yes","==",true]])", true},
        {R"([["post_arg.list","has","bc"]])", true},
        {R"([["post_arg.list","has",3]])", true},
        {R"([["post_arg.list","has","3"]])", false},
        {R"([["post_arg.obj","has","b"]])", false},
        {R"([["post_arg.list[*].x","has",1]])", true},
        {R"([["post_arg.num","~~","^5$"]])", true},
    }));
    CAPTURE(rule);
    CHECK(holds(rule, make_request()) == expected);
}

TEST_CASE("expression: absent variables", "[expr][expression]") {
    const auto [rule, expected] = GENERATE(table<std::string, bool>({
        {R"([["arg_x","==","a"]])", false},
        {R"([["arg_x","==",null]])", true},
        {R"([["arg_n","==",null]])", false},
        {R"([["arg_empty","==",""]])", true},
        {R"([["arg_x","==",""]])", false},
        {R"([["arg_x","~=","a"]])", true},
        {R"([["arg_x","~=",null]])", false},
        {R"([["arg_x",">=",0]])", false},
        {R"([["arg_x","in",["a",null]]])", false},
        {R"([["arg_x","~~",".*"]])", false},
        {R"([["arg_x","has","a"]])", false},
        {R"([["arg_x","ipmatch","::/0"]])", false},
        {R"([["arg_x","!","==","a"]])", true},
        {R"([["arg_x","!","~~","a"]])", true},
        {R"([["no_such","==",null]])", true},
        {R"([["arg_x","!","in",["a"]]])", true},
    }));
    CAPTURE(rule);
    CHECK(holds(rule, make_request()) == expected);
}

TEST_CASE("expression: conditions combine", "[expr][expression]") {
    const std::string yes = R"(["arg_a","==","1"])", no = R"(["arg_a","==","2"])";
    const auto [form, expected] = GENERATE(table<std::string, bool>({
        {"[]", true},
        {"[Y,Y]", true},
        {"[Y,N]", false},
        {R"(["AND",Y,Y])", true},
        {R"(["and",Y,N])", false},
        {R"(["OR",N,Y])", true},
        {R"(["or",N,N])", false},
        {R"(["!AND",Y,N])", true},
        {R"(["!and",Y,Y])", false},
        {R"(["!OR",N,N])", true},
        {R"(["!or",N,Y])", false},
        {R"([["OR",N,["AND",Y,Y]],Y])", true},
        {R"([[Y,N]])", false},
        {R"([[Y,Y],Y])", true},
    }));
    std::string rule;
    for (char c : form) rule += c == 'Y' ? yes : c == 'N' && rule.back() != 'A' ? no : std::string(1, c);
    CAPTURE(rule);
    CHECK(holds(rule, make_request()) == expected);
}

TEST_CASE("expression: two elements mean equality with lower-case text", "[expr][expression]") {
    CHECK(holds(R"([["arg_n","jack"]])", make_request()));
    CHECK(holds(R"([["arg_n","JACK"]])", make_request()));
    test::FakeRequest request;
    request.query = "n=JACK";
    CHECK_FALSE(holds(R"([["arg_n","JACK"]])", request));
}

TEST_CASE("expression: AND and OR stop at the first answer", "[expr][expression]") {
    const auto [rule, reads] = GENERATE(table<std::string, std::size_t>({
        {R"([["arg_a","==","2"],["arg_n","==","jack"]])", 1},
        {R"(["OR",["arg_a","==","1"],["arg_n","==","jack"]])", 1},
        {R"([["arg_a","==","1"],["arg_n","==","jack"]])", 2},
    }));
    const test::FakeRequest request = [] {
        test::FakeRequest made;
        made.query = "a=1&n=jack";
        return made;
    }();
    holds(rule, request);
    CHECK(request.reads == reads);
}

TEST_CASE("expression: load errors have the texts of the specification", "[expr][expression]") {
    const auto [rule, text] = GENERATE(table<std::string, std::string>({
        {R"(["arg_a","==","1"])", "rule should be wrapped inside brackets"},
        {R"("arg_a")", "rule should be wrapped inside brackets"},
        {R"([1])", "rule should be wrapped inside brackets"},
        {"null", "missing argument rule"},
        {R"(["AND",["arg_a","==","1"]])", "rule too short"},
        {R"(["OR"])", "rule too short"},
        {"[[]]", "rule too short"},
        {R"([["arg_a"]])", "invalid expression"},
        {R"([["arg_a","==",1],"x"])", "invalid expression"},
        {R"([[5,"==",1]])", "invalid expression"},
        {R"([["a","!","==",1,2]])", "invalid expression"},
        {R"([["arg_a","not","==","1"]])", "bad 'not' expression"},
        {R"([["arg_a","LIKE","1"]])", "invalid operator 'like'"},
        {R"([["arg_a",5,"1"]])", "invalid operator '5'"},
        {R"([["arg_a","~~","(b"]])", "invalid regex '(b': missing closing parenthesis at offset 2"},
        {R"([["arg_a","~*",["b"]]])", "invalid regex '[\"b\"]': a string is expected"},
        {R"([["arg_a","ipmatch",""]])", "invalid ip address"},
        {R"([["arg_a","ipmatch",[]]])", "invalid ip address"},
        {R"([["arg_a","ipmatch",5]])", "invalid ip address"},
        {R"([["arg_a","ipmatch",["10.0.0.0/8","10.0.0.0/99"]]])", "invalid ip address: 10.0.0.0/99"},
    }));
    CAPTURE(rule);
    CHECK_THROWS_WITH(Expression(json::parse(rule)), text);
    CHECK_THROWS_AS(Expression(json::parse(rule)), ExpressionError);
}

TEST_CASE("expression: nesting is bounded", "[expr][expression]") {
    const std::string deep = std::string(500, '[') + R"("a","==","b")" + std::string(500, ']');
    CHECK_THROWS_AS(Expression(json::parse(deep)), ExpressionError);
}

TEST_CASE("expression: a regular expression that gives up is false", "[expr][expression]") {
    test::FakeRequest request;
    request.query = "n=" + std::string(64, 'a') + "b";
    const std::uint64_t before = match_limit_hits();
    const test::LogLines log;
    CHECK_FALSE(holds(R"([["arg_n","~~","^(a+)+$"]])", request));
    CHECK(match_limit_hits() == before + 1);
    CHECK(log.all() ==
          std::vector<std::string>{
              "error: an expression counts as false, a search in it took too long: AND(arg_n ~~ ^(a+)+$)"});
}

TEST_CASE("expression: a search that gives up makes all of it false, under a negation too", "[expr][expression]") {
    test::FakeRequest request;
    request.query = "n=" + std::string(64, 'a') + "b";
    const test::LogLines log;
    CHECK_FALSE(holds(R"([["arg_n","!","~~","^(a+)+$"]])", request));
    CHECK_FALSE(holds(R"(["!OR",["arg_n","~~","^(a+)+$"],["arg_x","==","1"]])", request));
    CHECK(log.all().size() == 2);
    CHECK(Expression(json::parse(R"([["arg_n","!","~~","^(a+)+$"]])")).first_failure(request) ==
          ": a search took too long");
}

TEST_CASE("expression: tells the first condition that fails", "[expr][expression]") {
    const auto [rule, text] = GENERATE(table<std::string, std::string>({
        {R"([["arg_a","==","1"],["arg_n","==","jill"]])", "[1]: arg_n == jill"},
        {R"([["arg_a","!","in",["1",2]]])", "[0]: arg_a ! in [\"1\",2]"},
        {R"(["OR",["arg_a",">",5],["arg_a","~~","x"]])", ": OR(arg_a > 5, arg_a ~~ x)"},
        {R"([["arg_a","==","1"],["!AND",["arg_a","==","1"],["arg_n","==","jack"]]])",
         "[1]: !AND(arg_a == 1, arg_n == jack)"},
        {R"([["arg_a","==","1"]])", ""},
        {"[]", ""},
    }));
    CAPTURE(rule);
    CHECK(Expression(json::parse(rule)).first_failure(make_request()) == text);
}

TEST_CASE("expression: is split into the operands of its outermost AND", "[expr][expression]") {
    const Expression expression(json::parse(R"([["arg_a","==","1"],["AND",["arg_b","==",2],["arg_c","d"]]])"));
    CHECK(expression.conjuncts() == std::vector<std::string>{R"(arg_a == "1")", "arg_b == 2", R"(arg_c == "d")"});
    CHECK(Expression(json::parse("[]")).conjuncts().empty());
    CHECK(Expression(json::parse("[]")).always());
}

TEST_CASE("expression: knows whether it may need the body", "[expr][expression]") {
    CHECK(Expression(json::parse(R"(["OR",["arg_a","==","1"],["post_arg.x","==","1"]])")).needs_body());
    CHECK_FALSE(Expression(json::parse(R"([["arg_a","==","1"]])")).needs_body());
}
