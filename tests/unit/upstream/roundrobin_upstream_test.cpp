#include "libgateway/upstream/upstream.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::upstream;

namespace {

UpstreamSettings with_nodes(std::vector<NodeSettings> nodes) {
    UpstreamSettings settings;
    settings.nodes = std::move(nodes);
    return settings;
}

}  // namespace

TEST_CASE("upstream: attempts are one more than retries and never more than nodes", "[upstream][upstream]") {
    struct Row {
        int retries;
        unsigned nodes, attempts;
    };
    const auto row =
        GENERATE(Row{-1, 3, 3}, Row{0, 3, 1}, Row{1, 3, 2}, Row{9, 3, 3}, Row{-1, 1, 1}, Row{2, 1, 3}, Row{-1, 0, 1});
    EndpointTable endpoints;
    UpstreamSettings settings;
    settings.retries = row.retries;
    for (unsigned i = 0; i < row.nodes; ++i) {
        settings.nodes.push_back({"127.0.0.1", static_cast<std::uint16_t>(1980 + i), 1, 0});
    }
    REQUIRE(Upstream(settings, endpoints).attempts() == row.attempts);
}

TEST_CASE("upstream: of two nodes with the same host and port the last counts", "[upstream][upstream]") {
    EndpointTable endpoints;
    const Upstream upstream(with_nodes({{"a.com", 80, 1, 0}, {"b.com", 80, 1, 0}, {"a.com", 0, 7, 0}}), endpoints);
    REQUIRE(upstream.nodes().size() == 2);
    REQUIRE(upstream.nodes()[0].weight == 7);
    REQUIRE(upstream.nodes()[0].endpoint->host() == "a.com");
}

TEST_CASE("upstream: U12, the Host of a node names its port unless it is the scheme's own", "[upstream][upstream]") {
    EndpointTable endpoints;
    UpstreamSettings settings = with_nodes({{"foo.com", 8080, 1, 0}, {"foo.com", 80, 1, 0}, {"foo.com", 443, 1, 0}});
    SECTION("http") {
        const Upstream upstream(settings, endpoints);
        REQUIRE(upstream.host_for(upstream.nodes()[0]) == "foo.com:8080");
        REQUIRE(upstream.host_for(upstream.nodes()[1]) == "foo.com");
        REQUIRE(upstream.host_for(upstream.nodes()[2]) == "foo.com:443");
    }
    SECTION("https") {
        settings.scheme = Scheme::https;
        const Upstream upstream(settings, endpoints);
        REQUIRE(upstream.host_for(upstream.nodes()[1]) == "foo.com:80");
        REQUIRE(upstream.host_for(upstream.nodes()[2]) == "foo.com");
    }
}

TEST_CASE("upstream: two versions share the endpoints they have in common", "[upstream][upstream]") {
    EndpointTable endpoints;
    const Upstream first(with_nodes({{"127.0.0.1", 1980, 1, 0}, {"127.0.0.1", 1981, 1, 0}}), endpoints);
    const Upstream second(with_nodes({{"127.0.0.1", 1981, 5, 0}}), endpoints);
    REQUIRE(first.nodes()[1].endpoint == second.nodes()[0].endpoint);
    REQUIRE(endpoints.all().size() == 2);
}
