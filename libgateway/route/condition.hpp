// Whether one candidate's conditions hold for a request, and which one does not.
#pragma once

#include <string>

#include "libgateway/route/match.hpp"

namespace gateway::route {

// Method, client, template, then `vars`: the template goes before the variables, because these may need the request
// body. The host is the index's business.
bool holds(const Entry& entry, const MatchInput& input);

// The first of them that does not hold, as MatchObserver::rejected names it; empty if all do. Looks at the host too.
std::string first_failure(const Entry& entry, const MatchInput& input);

}  // namespace gateway::route
