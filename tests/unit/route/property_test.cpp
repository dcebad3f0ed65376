// The trees against the naive matcher, over generated routes, requests and changes.
#include <random>

#include "tests/support/catch.hpp"
#include "tests/unit/route/naive_router.hpp"
#include "tests/unit/route/random_rules.hpp"

using namespace gateway;
using gateway::route::RouterKind;
using gateway::test::NaiveRouter;

namespace {

NaiveRouter::Answer answer_of(const route::RouteMatch& match) {
    NaiveRouter::Answer answer;
    if (!match) return answer;
    answer.id = match.rule()->id;
    answer.pattern = match.pattern();
    match.each_param([&](std::string_view name, std::string_view value) { answer.params[std::string(name)] = value; });
    return answer;
}

struct Version {
    route::Router tree;
    NaiveRouter naive;
};

template <class Pick>
void compare(const Version& version, Pick& pick, int requests) {
    for (int i = 0; i < requests; ++i) {
        test::RandomRequest request;
        test::fill(request, pick);
        const auto expected = version.naive.find(request.input), found = answer_of(version.tree.find(request.input));
        CAPTURE(request.path, request.raw_host, request.input.method, expected.id, expected.pattern, found.id,
                found.pattern);
        REQUIRE(found == expected);
    }
}

}  // namespace

TEST_CASE("router: finds what a naive matcher finds, through any sequence of changes", "[route][router]") {
    const RouterKind kind = GENERATE(RouterKind::uri, RouterKind::uri_with_parameter, RouterKind::host_uri);
    const unsigned seed = GENERATE(1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u);
    std::mt19937 random(seed * 7919);
    const auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
    Version now{route::Router(kind), NaiveRouter(kind)};
    std::vector<Version> kept;
    std::uint64_t order = 0;
    for (int step = 0; step < 200; ++step) {
        const auto& rules = now.naive.rules();
        if (rules.size() > 5 && pick(3) == 0) {
            const auto victim = rules[pick(static_cast<unsigned>(rules.size()))];
            now.tree.remove(victim);
            now.naive.remove(victim);
        } else {
            const auto rule = test::random_rule(pick, ++order);
            now.tree.add(rule);
            now.naive.add(rule);
        }
        REQUIRE(now.tree.size() == now.naive.rules().size());
        compare(now, pick, 20);
        if (step % 25 == 0) kept.push_back(now);
    }
    for (const Version& version : kept) compare(version, pick, 100);
}

TEST_CASE("router: is empty again when every route was removed", "[route][router]") {
    const RouterKind kind = GENERATE(RouterKind::uri, RouterKind::uri_with_parameter, RouterKind::host_uri);
    std::mt19937 random(42);
    const auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
    route::Router router(kind);
    std::vector<Ref<const route::RouteRule>> rules;
    for (std::uint64_t order = 0; order < 300; ++order) {
        rules.push_back(test::random_rule(pick, order));
        router.add(rules.back());
    }
    std::shuffle(rules.begin(), rules.end(), random);
    for (const auto& rule : rules) router.remove(rule);
    CHECK(router.size() == 0);
    CHECK(router.paths().empty());
    CHECK(router.hosts().empty());
    for (const auto& rule : rules) CHECK(rule->use_count() == 1);
}
