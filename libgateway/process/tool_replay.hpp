// `gatewayctl diff --replay`: walks an access log through two configurations and tells what ends elsewhere.
#pragma once

#include <string>

namespace gateway::process {

// `sides`: a file with what sides_to_json gave; `log`: "-" is standard input. Prints to standard output; the exit
// status: 0 nothing ends elsewhere, 2 something does, 1 a file cannot be used, or no line could be judged.
int run_replay(const std::string& sides, const std::string& log, bool json);

}  // namespace gateway::process
