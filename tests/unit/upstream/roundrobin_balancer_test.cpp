#include "libgateway/upstream/balancer.hpp"
#include "libgateway/upstream/endpoint.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::upstream;

namespace {

Node node(std::uint32_t weight, std::int32_t priority = 0) {
    Node result;
    result.weight = weight;
    result.priority = priority;
    return result;
}

}  // namespace

TEST_CASE("balancer: a single node is taken whatever its weight, its type and its earlier failures",
          "[upstream][balancer]") {
    const auto type = GENERATE("roundrobin", "none");
    std::vector<Node> nodes;
    nodes.push_back(node(0));
    const auto balancer = make_balancer(type, nodes, 3);
    REQUIRE(balancer);
    REQUIRE(balancer->pick({}, {}) == 0);
    REQUIRE(balancer->pick({}, TriedSet(1)) == 0);
}

TEST_CASE("balancer: an unknown type with several nodes has no balancer", "[upstream][balancer]") {
    std::vector<Node> nodes{node(1), node(1)};
    REQUIRE_FALSE(make_balancer("none", nodes, 0));
}

TEST_CASE("balancer: U3, no nodes, nobody is picked", "[upstream][balancer]") {
    REQUIRE(make_balancer("roundrobin", {}, 9)->pick({}, {}) == Balancer::none);
}

TEST_CASE("balancer: U10, the lower priority is asked when the upper has nobody untried", "[upstream][balancer]") {
    std::vector<Node> nodes{node(1, -1), node(1, 0)};
    const auto balancer = make_balancer("roundrobin", nodes, 1);
    TriedSet tried;
    for (int i = 0; i < 4; ++i) REQUIRE(balancer->pick({}, tried) == 1);
    tried.set(1);
    REQUIRE(balancer->pick({}, tried) == 0);
    tried.set(0);
    REQUIRE(balancer->pick({}, tried) == Balancer::none);
}

TEST_CASE("balancer: U11, two picks stay within an upper group of two", "[upstream][balancer]") {
    std::vector<Node> nodes{node(1, 0), node(9, -1), node(1, 0)};
    const auto balancer = make_balancer("roundrobin", nodes, 0);
    TriedSet tried;
    const int first = balancer->pick({}, tried);
    tried.set(static_cast<std::size_t>(first));
    REQUIRE(first + balancer->pick({}, tried) == 2);
}

TEST_CASE("balancer: a group whose weights are all 0 is passed over", "[upstream][balancer]") {
    std::vector<Node> nodes{node(0, 5), node(1, 1)};
    REQUIRE(make_balancer("roundrobin", nodes, 0)->pick({}, {}) == 1);
}

TEST_CASE("balancer: all weights 0 gives nobody", "[upstream][balancer]") {
    std::vector<Node> nodes{node(0), node(0)};
    REQUIRE(make_balancer("roundrobin", nodes, 0)->pick({}, {}) == Balancer::none);
}
