// The written form of a message of the error log, for sinks that write lines themselves.
#pragma once

#include <string>
#include <string_view>

#include "libgateway/base/log.hpp"

namespace gateway::log {

// "2026/01/31 12:00:00 [warn] 4711: text" with its end; local time, the pid of the caller.
std::string line_of(LogLevel level, std::string_view text);

}  // namespace gateway::log
