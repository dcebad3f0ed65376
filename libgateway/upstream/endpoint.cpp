#include "libgateway/upstream/endpoint.hpp"

#include "libgateway/upstream/pool.hpp"

namespace gateway::upstream {

Endpoint::Endpoint(EndpointTable& table, std::string key, std::string host, std::uint16_t port)
    : table_(table), key_(std::move(key)), host_(std::move(host)), port_(port), shelf_(std::make_unique<PoolShelf>()) {
    if (const auto address = net::parse_literal(host_, port_)) {
        literal_ = true;
        address_ = *address;
        text_ = address->text();
    }
}

Endpoint::~Endpoint() {
    table_.endpoints_.erase(key_);
}

Ref<Endpoint> EndpointTable::get(std::string_view scheme, std::string_view host, std::uint16_t port) {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    std::string key(scheme);
    key.append("://").append(host).append(1, '|').append(std::to_string(port));
    const auto found = endpoints_.find(key);
    if (found != endpoints_.end()) return Ref<Endpoint>(found->second);
    auto* endpoint = new Endpoint(*this, key, std::string(host), port);
    endpoints_.emplace(std::move(key), endpoint);
    return Ref<Endpoint>(endpoint);
}

}  // namespace gateway::upstream
