// Routers against the naive matcher: the input's bytes choose rules, changes and requests.
#include <cstdint>
#include <cstdlib>

#include "tests/unit/route/naive_router.hpp"
#include "tests/unit/route/random_rules.hpp"

using namespace gateway;

namespace {

void compare(const route::Router& tree, const test::NaiveRouter& naive, const test::RandomRequest& request) {
    const route::RouteMatch match = tree.find(request.input);
    const auto expected = naive.find(request.input);
    if (test::id_of(match) != expected.id) std::abort();
    if (!match) return;
    if (match.pattern() != expected.pattern) std::abort();
    std::map<std::string, std::string> params;
    match.each_param([&](std::string_view name, std::string_view value) { params[std::string(name)] = value; });
    if (params != expected.params) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto pick = [&](unsigned below) -> unsigned {
        if (size == 0) return 0;
        --size;
        return *data++ % below;
    };
    const auto kind = static_cast<route::RouterKind>(pick(3));
    route::Router tree(kind);
    test::NaiveRouter naive(kind);
    for (std::uint64_t order = 1; size > 0 && order < 100; ++order) {
        if (naive.rules().size() > 2 && pick(4) == 0) {
            const auto victim = naive.rules()[pick(static_cast<unsigned>(naive.rules().size()))];
            tree.remove(victim);
            naive.remove(victim);
        } else {
            const auto rule = test::random_rule(pick, order);
            tree.add(rule);
            naive.add(rule);
        }
        test::RandomRequest request;
        test::fill(request, pick);
        compare(tree, naive, request);
    }
    return 0;
}
