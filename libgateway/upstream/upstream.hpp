// A group of endpoints behind one name: settings, nodes, and the policy that chooses among them. One worker, immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/clock.hpp"
#include "libgateway/base/ref_counted.hpp"
#include "libgateway/upstream/balancer.hpp"
#include "libgateway/upstream/endpoint.hpp"

namespace gateway::upstream {

enum class Scheme : std::uint8_t { http, https, grpc, grpcs };
std::string_view name_of(Scheme scheme) noexcept;
std::uint16_t standard_port(Scheme scheme) noexcept;
enum class PassHost : std::uint8_t { pass, node, rewrite };

struct Timeouts {
    Milliseconds connect{60'000}, send{60'000}, read{60'000};
    friend bool operator==(const Timeouts& a, const Timeouts& b) noexcept {
        return a.connect == b.connect && a.send == b.send && a.read == b.read;
    }
};
struct PoolLimits {
    std::uint32_t size = 320, requests = 1000;
    Milliseconds idle_timeout{60'000};  // 0: never expire
};

struct NodeSettings {
    std::string host;  // name or address; IPv6 in brackets
    std::uint16_t port = 0;
    std::uint32_t weight = 1;
    std::int32_t priority = 0;
};

struct UpstreamSettings {
    std::string name;  // "upstreams/1" or "routes/1#upstream", for logs and status
    std::string type = "roundrobin";
    Scheme scheme = Scheme::http;
    PassHost pass_host = PassHost::pass;
    std::string upstream_host;
    int retries = -1;  // -1: number of nodes - 1
    Milliseconds retry_timeout{0};
    Timeouts timeouts;
    PoolLimits pool;
    std::vector<NodeSettings> nodes;
};

class Upstream : public RefCounted {
public:
    Upstream(UpstreamSettings settings, EndpointTable& endpoints);
    ~Upstream();

    const UpstreamSettings& settings() const noexcept { return settings_; }
    const std::vector<Node>& nodes() const noexcept { return nodes_; }
    // Null if the type is unknown to this build.
    Balancer* balancer() const noexcept { return balancer_.get(); }
    // Attempts allowed for one exchange: 1 + retries, bounded as upstream.md 5 says.
    unsigned attempts() const noexcept { return attempts_; }
    std::string_view host_for(const Node& node) const noexcept;  // Host value for pass_host `node`

private:
    UpstreamSettings settings_;
    std::vector<Node> nodes_;
    std::unique_ptr<Balancer> balancer_;
    unsigned attempts_ = 1;
};

}  // namespace gateway::upstream
