#include "libgateway/upstream/upstream.hpp"

#include <algorithm>
#include <random>
#include <unordered_map>

namespace gateway::upstream {

namespace {

// Start positions differ between workers and between upstreams of one worker, so that restarts do not all hit one node.
std::uint64_t next_seed() {
    thread_local std::mt19937_64 seeds{std::random_device{}()};
    return seeds();
}

// Of nodes with the same host and port the last one counts, in the place of the first (upstream.md 2).
std::vector<NodeSettings> distinct(const std::vector<NodeSettings>& nodes, std::uint16_t standard_port) {
    std::vector<NodeSettings> result;
    std::unordered_map<std::string, std::size_t> places;
    for (const NodeSettings& given : nodes) {
        NodeSettings node = given;
        if (node.port == 0) node.port = standard_port;
        const auto [at, fresh] = places.emplace(node.host + ':' + std::to_string(node.port), result.size());
        if (fresh) {
            result.push_back(std::move(node));
        } else {
            result[at->second] = std::move(node);
        }
    }
    return result;
}

unsigned attempts_of(int retries, std::size_t nodes) noexcept {
    const auto count = static_cast<unsigned>(nodes);
    if (count <= 1) return 1 + static_cast<unsigned>(std::max(retries, 0));
    return retries < 0 ? count : std::min(count, 1 + static_cast<unsigned>(retries));
}

}  // namespace

std::string_view name_of(Scheme scheme) noexcept {
    switch (scheme) {
        case Scheme::http:
            return "http";
        case Scheme::https:
            return "https";
        case Scheme::grpc:
            return "grpc";
        case Scheme::grpcs:
            return "grpcs";
    }
    return "http";
}

std::uint16_t standard_port(Scheme scheme) noexcept {
    return scheme == Scheme::https || scheme == Scheme::grpcs ? 443 : 80;
}

Upstream::Upstream(UpstreamSettings settings, EndpointTable& endpoints) : settings_(std::move(settings)) {
    const std::uint16_t standard = standard_port(settings_.scheme);
    settings_.nodes = distinct(settings_.nodes, standard);
    nodes_.reserve(settings_.nodes.size());
    for (const NodeSettings& given : settings_.nodes) {
        Node node;
        node.endpoint = endpoints.get(name_of(settings_.scheme), given.host, given.port);
        node.weight = given.weight;
        node.priority = given.priority;
        node.host_value = given.host;
        if (given.port != standard) node.host_value.append(":").append(std::to_string(given.port));
        nodes_.push_back(std::move(node));
    }
    balancer_ = make_balancer(settings_.type, nodes_, next_seed());
    attempts_ = attempts_of(settings_.retries, nodes_.size());
}

Upstream::~Upstream() = default;

std::string_view Upstream::host_for(const Node& node) const noexcept {
    return node.host_value;
}

}  // namespace gateway::upstream
