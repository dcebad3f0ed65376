// Answers of the gateway as people read them.
#pragma once

#include <string>

#include "libgateway/control/wire.hpp"

namespace gateway::control {

// For standard output; empty if there is nothing to say. Errors are not part of it.
std::string present(const Request& request, const Answer& answer);

}  // namespace gateway::control
