// The life of one exchange, step by step.
#pragma once

#include <cstdint>

#include "libgateway/base/task.hpp"

namespace gateway::proxy {

class Session;

// What becomes of the connection behind an exchange.
enum class After : std::uint8_t {
    next,    // it can carry another request
    close,   // everything is said
    linger,  // the client may still be sending, and closing now could take the answer away from it
};
// Reads one request from the session, answers it, logs it.
Task<After> serve(Session& session);

}  // namespace gateway::proxy
