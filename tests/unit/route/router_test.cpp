#include "libgateway/route/router.hpp"

#include <string>
#include <vector>

#include "libgateway/route/disposal.hpp"
#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/expr/fake_request.hpp"
#include "tests/unit/route/rules.hpp"

using namespace gateway;
using namespace gateway::route;
using test::make_input;
using test::make_rule;

namespace {

struct Told final : MatchObserver {
    void rejected(const Entry& entry, std::string_view failed) override {
        lines.push_back(entry.rule->id + " " + std::string(failed));
    }
    void taken(const Entry& entry) override { lines.push_back(entry.rule->id + " taken"); }
    std::vector<std::string> lines;
};

std::vector<std::string> shown(const std::vector<NearMiss>& misses) {
    std::vector<std::string> out;
    for (const NearMiss& miss : misses)
        out.push_back(miss.rule->id + " " + std::string(miss.pattern) + " " + miss.failed);
    return out;
}

}  // namespace

TEST_CASE("router: is named as in the static file", "[route][router]") {
    CHECK(router_kind("radixtree_uri") == RouterKind::uri);
    CHECK(router_kind("radixtree_uri_with_parameter") == RouterKind::uri_with_parameter);
    CHECK(router_kind("radixtree_host_uri") == RouterKind::host_uri);
    CHECK_FALSE(router_kind("radixtree_sni"));
}

TEST_CASE("router: an older copy answers as before", "[route][router]") {
    const RouterKind kind = GENERATE(RouterKind::uri, RouterKind::host_uri);
    Router router(kind);
    const auto first = make_rule("1", 1, {"/a/*"}, {"a.com"}), second = make_rule("2", 2, {"/a/b"}, {"a.com"});
    router.add(first);
    const Router old = router;
    router.add(second);
    router.remove(first);
    CHECK(test::id_of(old.find(make_input("/a/b", "a.com"))) == "1");
    CHECK(test::id_of(router.find(make_input("/a/b", "a.com"))) == "2");
    CHECK(test::id_of(router.find(make_input("/a/c", "a.com"))) == "none");
    CHECK(old.size() == 1);
    CHECK(router.size() == 1);
}

TEST_CASE("router: removing what is not there changes nothing", "[route][router]") {
    Router router;
    router.add(make_rule("1", 1, {"/a"}, {"a.com"}));
    router.remove(make_rule("2", 2, {"/a", "/b*"}, {"a.com"}));
    router.remove(make_rule("2", 2, {"/a"}));
    CHECK(router.size() == 1);
    CHECK(test::id_of(router.find(make_input("/a", "a.com"))) == "1");
}

TEST_CASE("router: a match outlives the router", "[route][router]") {
    auto router = std::make_unique<Router>(RouterKind::uri_with_parameter);
    router->add(make_rule("1", 1, {"/u/:id"}));
    const MatchInput input = make_input("/u/42");
    const RouteMatch match = router->find(input);
    router.reset();
    std::string_view id;
    CHECK(match.param("id", id));
    CHECK(id == "42");
    CHECK(match.pattern() == "/u/:id");
}

TEST_CASE("router: the host of a match is the wildcard that covers it", "[route][router]") {
    Router router;
    router.add(make_rule("1", 1, {"/*"}, {"*.com", "*.foo.com", "b.foo.com", "p.com:81"}));
    const auto host_of = [&](std::string_view host, std::string_view raw) {
        MatchInput input = make_input("/", host);
        input.raw_host = raw;
        return std::string(router.find(input).host(input));
    };
    CHECK(host_of("a.foo.com", "a.foo.com") == "*.foo.com");
    CHECK(host_of("b.foo.com", "b.foo.com") == "b.foo.com");
    CHECK(host_of("x.com", "x.com:90") == "*.com");
    CHECK(host_of("p.com", "P.com:81") == "p.com");
}

TEST_CASE("router: more wildcards cover a host than the merge has room for", "[route][router]") {
    const RouterKind kind = GENERATE(RouterKind::uri, RouterKind::host_uri);
    Router router(kind);
    const std::string host(100, 'a');
    for (std::uint64_t i = 1; i <= 60; ++i) {
        auto rule = make_rule(std::to_string(i), i, {"/*"}, {"*" + host.substr(0, i), host.substr(0, i)}, int(i % 7));
        if (i != 17) rule->methods = method_bit("POST");
        router.add(rule);
    }
    CHECK(test::id_of(router.find(make_input("/x", host))) == "17");
    CHECK(test::id_of(router.find(make_input("/x", host, "POST"))) == (kind == RouterKind::uri ? "6" : "60"));
}

TEST_CASE("router: a route with a body condition asks for the body only as a candidate", "[route][router]") {
    Router router(RouterKind::uri_with_parameter);
    auto rule = make_rule("1", 1, {"/a/:x"});
    rule->vars = test::make_vars(R"([["post_arg.n","==",1]])");
    router.add(rule);
    test::FakeRequest request;
    MatchInput input = make_input("/a/1/2");
    input.variables = &request;
    CHECK_FALSE(router.find(input));
    CHECK(request.reads == 0);
    input = make_input("/a/1");
    input.variables = &request;
    CHECK_FALSE(router.find(input));
    CHECK(request.reads == 1);
}

TEST_CASE("router: without a source every variable is absent", "[route][router]") {
    Router router;
    auto rule = make_rule("1", 1, {"/a"});
    rule->vars = test::make_vars(R"([["arg_n","==",null]])");
    router.add(rule);
    CHECK(router.find(make_input("/a")));
}

TEST_CASE("router: an observer hears of each candidate in order", "[route][router]") {
    Router router(RouterKind::uri_with_parameter);
    auto post = make_rule("post", 1, {"/a/b"});
    post->methods = method_bit("POST");
    auto inside = make_rule("inside", 2, {"/a/b"}, {}, -1);
    inside->addresses = test::make_addresses({"10.0.0.0/8"});
    auto vars = make_rule("vars", 3, {"/a/*"});
    vars->vars = test::make_vars(R"([["arg_n","==",null],["arg_n","==","jack"]])");
    for (const auto& rule : {post, inside, vars, make_rule("template", 4, {"/a/:x/c"}), make_rule("other", 5, {"/b"}),
                             make_rule("all", 6, {"/*"})}) {
        router.add(rule);
    }
    Told told;
    CHECK(test::id_of(router.find(make_input("/a/b"), &told)) == "all");
    CHECK(told.lines == std::vector<std::string>{"post method", "inside remote_addr", "template template",
                                                 "vars vars[1]: arg_n == jack", "all taken"});
    CHECK(test::id_of(router.find(make_input("/a/b"))) == "all");
}

TEST_CASE("router: names the nearest routes when nothing matched", "[route][router]") {
    const RouterKind kind = GENERATE(RouterKind::uri, RouterKind::host_uri);
    Router router(kind);
    auto post = make_rule("post", 1, {"/orders/*"}, {"a.com"});
    post->methods = method_bit("POST");
    for (const auto& rule :
         {post, make_rule("host", 2, {"/orders/1"}, {"b.com"}), make_rule("near", 3, {"/orders/2"}, {"c.com"}),
          make_rule("far", 4, {"/zzz"}, {"a.com"})}) {
        router.add(rule);
    }
    const MatchInput input = make_input("/orders/1", "a.com");
    REQUIRE_FALSE(router.find(input));
    CHECK(shown(router.nearest(input, 3)) ==
          std::vector<std::string>{"post /orders/* method", "host /orders/1 host", "near /orders/2 path"});
    CHECK(router.nearest(input, 10).size() == 4);
    CHECK(Router(kind).nearest(input).empty());
}

TEST_CASE("router: a match allocates nothing", "[route][router]") {
    const RouterKind kind = GENERATE(RouterKind::uri, RouterKind::uri_with_parameter, RouterKind::host_uri);
    Router router(kind);
    for (std::uint64_t i = 0; i < 1000; ++i) {
        const std::string name = std::to_string(i);
        router.add(make_rule(name, i, {"/api/" + name + "/*rest"}, {"h" + name + ".com", "*.h" + name + ".com"}));
    }
    auto picky = make_rule("picky", 5000, {"/*a/b/*c"});
    picky->vars = test::make_vars(R"([["method","~~","^G"],["arg_n",">",12345678901234567890],["arg_s","in",["x","y"]],
                                     ["remote_addr","ipmatch",["127.0.0.0/8"]],["http_x_none","!","has","z"]])");
    router.add(picky);
    test::FakeRequest request;
    request.query = "s=x&n=12345678901234567891";
    const auto matches = [&](std::string_view path, std::string_view host) {
        MatchInput input = make_input(path, host);
        input.variables = &request;
        std::string_view value;
        const RouteMatch match = router.find(input);
        return match && match.param(match.rule()->id == "picky" ? "c" : "rest", value);
    };
    REQUIRE(matches("/x/b/y", "none.com"));  // warms the regular expressions' memory
    const test::AllocCount allocations;
    bool all = true;
    for (int i = 0; i < 100; ++i) {
        all = all && matches("/api/77/x/y", "h77.com") && matches("/api/512/z", "a.b.h512.com") &&
              matches("/x/b/y", "none.com") && !matches("/none", "none.com");
    }
    const auto counted = allocations.count();
    CHECK(all);
    CHECK(counted == 0);
}

TEST_CASE("router: a large one is freed in slices", "[route][disposal]") {
    auto router = std::make_unique<Router>();
    std::vector<Ref<RouteRule>> rules;
    for (std::uint64_t i = 0; i < 1000; ++i) {
        router->add(rules.emplace_back(make_rule(std::to_string(i), i, {"/p/" + std::to_string(i)})));
    }
    Disposal::hold_back(true);
    router.reset();
    const auto held = [&] {
        std::size_t count = 0;
        for (const auto& rule : rules) count += rule->use_count() - 1;
        return count;
    };
    CHECK(held() == 1000);
    CHECK(Disposal::sweep(100));
    CHECK(held() < 1000);
    CHECK(held() >= 900);
    std::size_t turns = 0;
    while (Disposal::sweep(100)) ++turns;
    Disposal::hold_back(false);
    CHECK(held() == 0);
    CHECK(turns > 5);
}
