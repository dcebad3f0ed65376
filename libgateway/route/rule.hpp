// The conditions of one route, as the matcher needs them; the snapshot derives its compiled route from it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/ref_counted.hpp"
#include "libgateway/expr/cidr.hpp"
#include "libgateway/expr/expression.hpp"
#include "libgateway/http/head.hpp"

namespace gateway::route {

// Bit of a method in RouteRule::methods; 0 for methods outside the enumeration of objects.md 1, which match only routes
// without `methods`.
std::uint32_t method_bit(http::Verb verb) noexcept;
// The same by name, case-sensitive.
std::uint32_t method_bit(std::string_view name) noexcept;

// Made by the caller, immutable once handed to a Router, one thread. Matching ends with a pointer to it, so the caller
// hangs what the route means on a derived class. Routes with status 0 are never handed over.
class RouteRule : public RefCounted {
public:
    virtual ~RouteRule() = default;
    // Fetches early what a match reads, and what a derived class has put first.
    void prefetch() const noexcept {
        __builtin_prefetch(this);
        __builtin_prefetch(this + 1);
    }

    // What a match reads comes first, in one cache line.
    std::int32_t priority = 0;
    std::uint64_t order = 0;           // creation order: the older (smaller) wins a tie; unique among routes
    std::uint32_t methods = 0;         // bits of method_bit; 0: all
    Ref<const expr::Expression> vars;  // null: no condition
    expr::CidrSet addresses;           // empty: any client

    std::string id;
    std::vector<std::string> uris;   // at least one
    std::vector<std::string> hosts;  // effective: the route's own, else the service's; empty: any host. Lower case
};

}  // namespace gateway::route
