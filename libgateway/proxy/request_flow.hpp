// The life of one exchange, step by step.
#pragma once

#include "libgateway/base/task.hpp"

namespace gateway::proxy {

class Session;

// Reads one request from the session, answers it, logs it. True: the connection can carry another one.
Task<bool> serve(Session& session);

}  // namespace gateway::proxy
