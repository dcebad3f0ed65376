// Which routes no request can reach, and which pairs are told apart by age alone: used by `check`.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "libgateway/base/ref_counted.hpp"
#include "libgateway/route/router.hpp"

namespace gateway::route {

struct Shadowed {
    const RouteRule* route;
    std::vector<const RouteRule*> by;  // routes that take all its requests; empty: `why` alone says it
    std::string why;                   // "every request is taken by route [1]", or why its paths cannot occur
};

// Same pattern, same priority, conditions that can hold together: the older wins.
struct Tie {
    const RouteRule* winner;
    const RouteRule* loser;
    std::string pattern;
};

struct Findings {
    std::vector<Shadowed> shadowed;  // in the order of the routes
    std::vector<Tie> ties;           // without pairs that have a shadowed route in them
    bool complete = true;            // false: too many candidates, some were not compared
};

// Reports only what is certain: a route is shadowed if for every pattern, host and method of it, routes tried earlier
// cover the path, the clients and the variables. Variables are compared as text, condition by condition. Control side;
// the pointers are those of `routes`.
Findings find_conflicts(RouterKind kind, std::span<const Ref<const RouteRule>> routes);

}  // namespace gateway::route
