// One address of an upstream: what outlives reloads (resolved addresses, idle connections, counts) is kept here, found
// by key.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "libgateway/base/ref_counted.hpp"
#include "libgateway/net/address.hpp"
#include "libgateway/net/tls_client.hpp"

namespace gateway::upstream {

class EndpointTable;
struct PoolShelf;  // pool.hpp

// Shared by all upstream versions that name the same scheme, host and port. One worker.
class Endpoint : public RefCounted {
public:
    Endpoint(EndpointTable& table, std::string key, std::string host, std::uint16_t port);
    ~Endpoint();

    const std::string& key() const noexcept { return key_; }
    const std::string& host() const noexcept { return host_; }  // as configured; IPv6 without brackets
    std::uint16_t port() const noexcept { return port_; }
    bool is_literal() const noexcept { return literal_; }  // an IP address: needs no resolver
    const net::SocketAddress& literal_address() const noexcept { return address_; }
    const std::string& address_text() const noexcept { return text_; }  // of the literal, "ip:port"
    PoolShelf& shelf() noexcept { return *shelf_; }

    // Whom its connections shake hands with; null: they are plain. Set before the first one; endpoints that differ in
    // it differ in their scheme.
    Ref<net::TlsPeer> tls;

    std::uint32_t in_flight = 0;
    std::uint64_t attempts = 0, failures = 0;

private:
    EndpointTable& table_;
    std::string key_, host_, text_;
    std::uint16_t port_;
    bool literal_ = false;
    net::SocketAddress address_;
    std::unique_ptr<PoolShelf> shelf_;
};

// Weak table of the living endpoints of one worker.
class EndpointTable {
public:
    // `host` as in the configuration (IPv6 in brackets or bare).
    Ref<Endpoint> get(std::string_view scheme, std::string_view host, std::uint16_t port);
    const std::unordered_map<std::string, Endpoint*>& all() const noexcept { return endpoints_; }

private:
    friend class Endpoint;
    std::unordered_map<std::string, Endpoint*> endpoints_;
};

}  // namespace gateway::upstream
