#include "libgateway/route/shadow.hpp"

#include <algorithm>
#include <set>
#include <string>

#include "tests/support/catch.hpp"
#include "tests/unit/route/rules.hpp"

using namespace gateway;
using namespace gateway::route;
using test::make_rule;

namespace {

using Rules = std::vector<Ref<const RouteRule>>;

std::set<std::string> shadowed(RouterKind kind, const Rules& rules) {
    std::set<std::string> out;
    for (const Shadowed& found : find_conflicts(kind, rules).shadowed) out.insert(found.route->id);
    return out;
}
std::set<std::string> ties(RouterKind kind, const Rules& rules) {
    std::set<std::string> out;
    for (const Tie& tie : find_conflicts(kind, rules).ties) out.insert(tie.winner->id + "-" + tie.loser->id);
    return out;
}
Ref<RouteRule> with_methods(Ref<RouteRule> rule, std::initializer_list<std::string_view> methods) {
    for (std::string_view method : methods) rule->methods |= method_bit(method);
    return rule;
}
Ref<RouteRule> with_vars(Ref<RouteRule> rule, std::string_view vars) {
    rule->vars = test::make_vars(vars);
    return rule;
}
Ref<RouteRule> with_addresses(Ref<RouteRule> rule, std::initializer_list<std::string_view> networks) {
    rule->addresses = test::make_addresses(networks);
    return rule;
}
using Names = std::set<std::string>;
const auto uri = RouterKind::uri;

}  // namespace

TEST_CASE("shadow: the same pattern later or lower is never reached", "[route][shadow]") {
    CHECK(shadowed(uri, {make_rule("1", 1, {"/a"}), make_rule("2", 2, {"/a"})}) == Names{"2"});
    CHECK(shadowed(uri, {make_rule("1", 1, {"/a"}), make_rule("2", 2, {"/a"}, {}, 5)}) == Names{"1"});
    CHECK(shadowed(uri, {make_rule("1", 1, {"/a/*"}, {}, 1), make_rule("2", 2, {"/a/*/b"})}) == Names{"2"});
    CHECK(shadowed(uri, {make_rule("1", 1, {"/a/*"}), make_rule("2", 2, {"/a/*/b"})}).empty());
    CHECK(shadowed(uri, {make_rule("1", 1, {"/*"}, {}, 9), make_rule("2", 2, {"/a"}), make_rule("3", 3, {"/a/*"})})
              .empty());
}

TEST_CASE("shadow: every pattern of a route must be taken", "[route][shadow]") {
    CHECK(shadowed(uri, {make_rule("1", 1, {"/a"}), make_rule("2", 2, {"/a", "/b"})}).empty());
    CHECK(shadowed(uri, {make_rule("1", 1, {"/a"}), make_rule("3", 3, {"/b"}), make_rule("2", 4, {"/a", "/b"})}) ==
          Names{"2"});
}

TEST_CASE("shadow: conditions must cover", "[route][shadow]") {
    const auto get = with_methods(make_rule("get", 1, {"/a"}), {"GET"}),
               post = with_methods(make_rule("post", 2, {"/a"}), {"POST"});
    CHECK(shadowed(uri, {get, make_rule("2", 3, {"/a"})}).empty());
    CHECK(shadowed(uri, {get, with_methods(make_rule("2", 3, {"/a"}), {"GET"})}) == Names{"2"});
    CHECK(shadowed(uri, {get, post, with_methods(make_rule("2", 3, {"/a"}), {"GET", "POST"})}) == Names{"2"});
    CHECK(shadowed(uri, {get, post, make_rule("2", 3, {"/a"})}).empty());

    const auto ten = with_addresses(make_rule("ten", 1, {"/a"}), {"10.0.0.0/8"});
    CHECK(shadowed(uri, {ten, with_addresses(make_rule("2", 2, {"/a"}), {"10.1.0.0/16"})}) == Names{"2"});
    CHECK(shadowed(uri, {ten, with_addresses(make_rule("2", 2, {"/a"}), {"10.1.0.0/16", "::1"})}).empty());
    CHECK(shadowed(uri, {ten, make_rule("2", 2, {"/a"})}).empty());

    const auto jack = with_vars(make_rule("jack", 1, {"/a"}), R"([["arg_n","==","jack"]])");
    CHECK(shadowed(uri, {jack, with_vars(make_rule("2", 2, {"/a"}),
                                         R"([["arg_x","==","1"],["arg_n","==","jack"]])")}) == Names{"2"});
    CHECK(shadowed(uri, {jack, with_vars(make_rule("2", 2, {"/a"}), R"([["arg_n","==","jill"]])")}).empty());
    CHECK(shadowed(uri, {jack, make_rule("2", 2, {"/a"})}).empty());
}

TEST_CASE("shadow: hosts must cover", "[route][shadow]") {
    const auto pair = [](std::vector<std::string> first, std::vector<std::string> second) {
        return Rules{make_rule("1", 1, {"/a"}, std::move(first)), make_rule("2", 2, {"/a"}, std::move(second))};
    };
    CHECK(shadowed(uri, pair({}, {"a.com"})) == Names{"2"});
    CHECK(shadowed(uri, pair({"*"}, {"a.com"})) == Names{"2"});
    CHECK(shadowed(uri, pair({"*"}, {})) == Names{"2"});
    CHECK(shadowed(uri, pair({"*.com"}, {"a.com", "*.b.com"})) == Names{"2"});
    CHECK(shadowed(uri, pair({"*a.com"}, {"*.a.com", "a.com", "*ba.com"})) == Names{"2"});
    CHECK(shadowed(uri, pair({"*.a.com"}, {"a.com"})).empty());
    CHECK(shadowed(uri, pair({"*.a.com"}, {"*a.com"})).empty());
    CHECK(shadowed(uri, pair({"a.com"}, {})).empty());
    CHECK(shadowed(uri, pair({"a.com:80"}, {"a.com"})).empty());
    CHECK(shadowed(uri, pair({"a.com:80"}, {"a.com:80"})) == Names{"2"});
    CHECK(shadowed(RouterKind::host_uri, pair({}, {"a.com"})).empty());
    CHECK(shadowed(RouterKind::host_uri, pair({"*.com"}, {"a.com"})).empty());
    CHECK(shadowed(RouterKind::host_uri, pair({"a.com"}, {"a.com"})) == Names{"2"});
}

TEST_CASE("shadow: in the host router the group of all hosts hides routes without hosts", "[route][shadow]") {
    const Rules rules{make_rule("1", 1, {"/a/b"}), make_rule("2", 2, {"/a/*"}), make_rule("3", 3, {"/c"}),
                      make_rule("star", 4, {"/a/*"}, {"*"})};
    CHECK(shadowed(RouterKind::host_uri, rules) == Names{"1", "2"});
    CHECK(shadowed(uri, rules) == Names{"star"});
}

TEST_CASE("shadow: paths that no request has are found", "[route][shadow]") {
    const std::string path = GENERATE("a", "/a//b", "/a/./b", "/a/..", "//*", "/a/../*");
    CAPTURE(path);
    const Rules rules{make_rule("1", 1, {path})};
    const Findings findings = find_conflicts(uri, rules);
    REQUIRE(findings.shadowed.size() == 1);
    CHECK(findings.shadowed[0].by.empty());
    CHECK_FALSE(findings.shadowed[0].why.empty());
    CHECK(shadowed(uri, {make_rule("1", 1, {"/a/.b", "/a..", "/a/.*", "*"})}).empty());
}

TEST_CASE("shadow: names what takes the requests", "[route][shadow]") {
    const Rules rules{with_methods(make_rule("get", 1, {"/a"}), {"GET"}),
                      with_methods(make_rule("post", 2, {"/a"}), {"POST"}),
                      with_methods(make_rule("3", 3, {"/a"}), {"GET", "POST"})};
    const Findings findings = find_conflicts(uri, rules);
    REQUIRE(findings.shadowed.size() == 1);
    CHECK(findings.shadowed[0].why == "every request is taken by route [get], [post]");
    CHECK(findings.complete);
}

TEST_CASE("shadow: of 1,000 routes exactly the 20 planted ones are found", "[route][shadow]") {
    Rules rules;
    Names planted;
    for (std::uint64_t i = 0; i < 980; ++i) {
        const std::string name = std::to_string(i);
        auto rule =
            make_rule(name, i, {i % 3 ? "/svc/" + name + "/*" : std::string("/*")}, {"h" + name + ".com"}, int(i % 2));
        if (i % 5 == 0) rule->methods = method_bit("GET") | method_bit("HEAD");
        rules.push_back(rule);
    }
    for (std::uint64_t i = 0; i < 20; ++i) {
        const RouteRule& cover = *rules[i * 37];
        auto rule = make_rule("planted-" + std::to_string(i), 2000 + i, cover.uris, cover.hosts, cover.priority);
        rule->methods = cover.methods ? method_bit("GET") : 0;
        planted.insert(rule->id);
        rules.push_back(rule);
    }
    CHECK(shadowed(uri, rules) == planted);
    CHECK(shadowed(RouterKind::host_uri, rules) == planted);
}

TEST_CASE("shadow: ties are pairs that only age tells apart", "[route][shadow]") {
    const auto first = with_methods(make_rule("1", 1, {"/a"}), {"GET", "POST"});
    CHECK(ties(uri, {first, with_methods(make_rule("2", 2, {"/a"}), {"GET", "PUT"})}) == Names{"1-2"});
    CHECK(ties(uri, {first, with_methods(make_rule("2", 2, {"/a"}), {"PUT"})}).empty());
    CHECK(ties(uri, {first, make_rule("2", 2, {"/a"}, {}, -1)}).empty());
    CHECK(ties(uri, {first, make_rule("2", 2, {"/a/*"})}).empty());
    CHECK(ties(uri, {make_rule("1", 1, {"/a"}, {"a.com"}), make_rule("2", 2, {"/a"}, {"b.com"})}).empty());
    CHECK(ties(uri, {make_rule("1", 1, {"/a"}, {"a.b.com"}), make_rule("2", 2, {"/a"}, {"*.b.com"})}) == Names{"1-2"});
    CHECK(ties(uri, {make_rule("1", 1, {"/a"}, {"*.b.com"}), make_rule("2", 2, {"/a"}, {"*b.com"})}) == Names{"1-2"});
    CHECK(ties(RouterKind::host_uri, {make_rule("1", 1, {"/a"}, {"a.b.com"}), make_rule("2", 2, {"/a"}, {"*.b.com"})})
              .empty());
    const auto jack = with_vars(make_rule("1", 1, {"/a"}), R"([["arg_n","==","jack"]])");
    CHECK(ties(uri, {jack, make_rule("2", 2, {"/a"})}) == Names{"1-2"});
    CHECK(ties(uri, {jack, with_vars(make_rule("2", 2, {"/a"}), R"([["arg_n","==","jill"]])")}).empty());
    CHECK(ties(uri, {make_rule("1", 1, {"/a"}), make_rule("2", 2, {"/a"})}).empty());  // reported as shadowed
}

TEST_CASE("shadow: thousands of routes on one path are looked through in bounded time", "[route][shadow]") {
    Rules rules;
    for (std::uint64_t i = 0; i < 8'000; ++i) {
        rules.push_back(
            with_vars(make_rule(std::to_string(i), i, {"/*"}), R"([["arg_n","==",)" + std::to_string(i) + "]]"));
    }
    const Findings findings = find_conflicts(uri, rules);
    CHECK(findings.shadowed.empty());
    CHECK_FALSE(findings.complete);
}
