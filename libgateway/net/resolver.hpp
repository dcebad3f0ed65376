// Names to addresses by c-ares, with the records' TTL, without ever blocking the loop. One per worker.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/error.hpp"
#include "libgateway/base/task.hpp"
#include "libgateway/net/address.hpp"
#include "libgateway/net/reactor.hpp"

namespace gateway::net {

struct ResolverSettings {
    std::vector<std::string> servers;  // "ip" or "ip:port"; empty: resolv.conf
    Milliseconds timeout{5000};        // per server
    Milliseconds fixed_ttl{0};         // 0: the record's
    bool ipv6 = true;
    bool search = true;
    friend bool operator==(const ResolverSettings&, const ResolverSettings&) = default;
};

class Resolver {
public:
    Resolver(Reactor& reactor, ResolverSettings settings);
    ~Resolver();
    // Other servers and limits from the next question on; what is known stays known.
    void configure(ResolverSettings settings);
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    // One of the name's addresses, chosen at random per resolution. A known one costs no suspension; an expired one is
    // used while a refresh runs, for at most ten times its TTL or 300 s. localhost is 127.0.0.1 without asking anybody.
    // Error codes: host_unreachable (why is in the log), operation_canceled. `asker`: whoever the answer is for, null
    // if nobody can leave; when it hangs up, its wait ends at once, and the question goes on for others. Nobody else
    // may watch it meanwhile.
    Task<Result<SocketAddress>> resolve(std::string_view name, std::uint16_t port, Descriptor* asker);
    // The cached answer if it may still be used; starts a refresh when it has expired.
    const SocketAddress* cached(std::string_view name);
    // After a refused connect: ask again at the next use.
    void expire(std::string_view name) noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gateway::net
