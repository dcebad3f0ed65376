// gatewayctl's side of the control socket: one blocking question, one answer, a deadline over both.
#pragma once

#include <chrono>
#include <string>

#include "libgateway/control/wire.hpp"

namespace gateway::control {

// Asks the gateway behind a unix socket. Status::unreachable, with the reason, if there is no answer in time.
Answer ask(const std::string& socket_path, const Request& request, std::chrono::milliseconds limit);

}  // namespace gateway::control
