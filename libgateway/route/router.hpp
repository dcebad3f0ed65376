// From path, host, method, client and variables to a route: the three routers of router.md over persistent trees.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "libgateway/base/ref_counted.hpp"
#include "libgateway/route/host_table.hpp"
#include "libgateway/route/match.hpp"
#include "libgateway/route/rule.hpp"

namespace gateway::route {

enum class RouterKind : std::uint8_t {
    uri,                 // radixtree_uri
    uri_with_parameter,  // radixtree_uri_with_parameter
    host_uri,            // radixtree_host_uri
};
// By the name in `apisix.router.http`; nothing if there is no such router.
std::optional<RouterKind> router_kind(std::string_view name) noexcept;

// A value: copies share all nodes, and a change copies only the nodes on its way that another copy still uses. So a
// snapshot copies its predecessor's router and changes the copy, at O(depth) per route; the predecessor answers as
// before. Building a fresh one copies nothing. One thread.
class Router {
public:
    explicit Router(RouterKind kind = RouterKind::uri) noexcept : kind_(kind) {}

    RouterKind kind() const noexcept { return kind_; }
    std::size_t size() const noexcept { return size_; }  // routes

    // A route that changes is removed in its old form, then added in its new one.
    void add(const Ref<const RouteRule>& rule);
    // The rule as it was added; one that is not in the router changes nothing.
    void remove(const Ref<const RouteRule>& rule);

    // The first entry in the order of router.md 4 and 5 whose conditions hold. Allocates nothing without an observer.
    RouteMatch find(const MatchInput& input, MatchObserver* observer = nullptr) const;

    // For explain, when nothing matched: routes that come nearest, best first: those whose prefix is the longest on the
    // path with the condition that failed, then those that share the longest beginning with it. Bounded work.
    std::vector<NearMiss> nearest(const MatchInput& input, std::size_t limit = 5) const;

    // The indexes, for what else walks them: all routes without hosts in the host router, all routes otherwise; and the
    // host router's others.
    const PathIndex& paths() const noexcept { return paths_; }
    const HostTable& hosts() const noexcept { return hosts_; }

private:
    RouterKind kind_;
    std::size_t size_ = 0;
    PathIndex paths_;  // URI routers: all; host router: routes without hosts
    HostTable hosts_;  // host router only
};

}  // namespace gateway::route
