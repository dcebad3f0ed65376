#include "libgateway/upstream/roundrobin.hpp"

#include <map>

#include "tests/support/catch.hpp"

using namespace gateway::upstream;

namespace {

using Counts = std::map<int, int>;

RoundRobin make(std::vector<std::uint32_t> weights, std::uint64_t seed = 0) {
    std::vector<RoundRobin::Member> members;
    for (std::size_t i = 0; i < weights.size(); ++i) members.push_back({static_cast<int>(i), weights[i]});
    return RoundRobin(std::move(members), seed);
}

std::vector<int> picks(Balancer& balancer, int count) {
    std::vector<int> result;
    for (int i = 0; i < count; ++i) result.push_back(balancer.pick({}, {}));
    return result;
}

Counts count(Balancer& balancer, int rounds) {
    Counts result;
    for (const int position : picks(balancer, rounds)) ++result[position];
    return result;
}

}  // namespace

TEST_CASE("roundrobin: U1, weights 1 and 2 share 12 requests as 4 and 8", "[upstream][roundrobin]") {
    const auto seed = GENERATE(0u, 1u, 7u);
    RoundRobin balancer = make({1, 2}, seed);
    REQUIRE(count(balancer, 12) == Counts{{0, 4}, {1, 8}});
}

TEST_CASE("roundrobin: U2, a node of weight 0 is never taken", "[upstream][roundrobin]") {
    const auto seed = GENERATE(0u, 1u);
    RoundRobin balancer = make({0, 1}, seed);
    REQUIRE(count(balancer, 4) == Counts{{1, 4}});
}

TEST_CASE("roundrobin: the threshold drops lap by lap", "[upstream][roundrobin]") {
    RoundRobin balancer = make({1, 2, 3});
    REQUIRE(picks(balancer, 12) == std::vector<int>{2, 1, 2, 0, 1, 2, 2, 1, 2, 0, 1, 2});
}

TEST_CASE("roundrobin: weights are divided by their greatest common divisor", "[upstream][roundrobin]") {
    RoundRobin coarse = make({100, 300, 200});
    RoundRobin fine = make({1, 3, 2});
    REQUIRE(picks(coarse, 18) == picks(fine, 18));
}

TEST_CASE("roundrobin: every window of one cycle holds the exact shares, wherever it starts",
          "[upstream][roundrobin]") {
    const auto seed = GENERATE(0u, 1u, 2u, 3u);
    RoundRobin balancer = make({5, 1, 0, 4}, seed);
    const std::vector<int> sequence = picks(balancer, 40);
    for (std::size_t start = 0; start + 10 <= sequence.size(); ++start) {
        Counts counts;
        for (std::size_t i = start; i < start + 10; ++i) ++counts[sequence[i]];
        REQUIRE(counts == Counts{{0, 5}, {1, 1}, {3, 4}});
    }
}

TEST_CASE("roundrobin: the seed chooses the first node", "[upstream][roundrobin]") {
    RoundRobin first = make({1, 1, 1}, 0);
    RoundRobin third = make({1, 1, 1}, 5);
    REQUIRE(first.pick({}, {}) == 0);
    REQUIRE(third.pick({}, {}) == 2);
}

TEST_CASE("roundrobin: tried nodes are passed over until none is left", "[upstream][roundrobin]") {
    RoundRobin balancer = make({1, 1'000'000'007, 3});
    TriedSet tried;
    REQUIRE(balancer.pick({}, tried) == 1);
    tried.set(1);
    REQUIRE(balancer.pick({}, tried) == 2);
    tried.set(2);
    REQUIRE(balancer.pick({}, tried) == 0);
    tried.set(0);
    REQUIRE(balancer.pick({}, tried) == Balancer::none);
    REQUIRE(balancer.pick({}, {}) != Balancer::none);
}

TEST_CASE("roundrobin: a list without usable weight gives nobody", "[upstream][roundrobin]") {
    const auto weights = GENERATE(std::vector<std::uint32_t>{}, std::vector<std::uint32_t>{0, 0});
    RoundRobin balancer = make(weights);
    REQUIRE(balancer.pick({}, {}) == Balancer::none);
}
