// What needs the whole engine but no running gateway: `gatewayd --tool NAME …`, and `gatewayd --check`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gateway::process {

// The exit status: 0 good, 1 refused or invalid, 2 usage. Results go to standard output, errors to standard error.
//   check [-c FILE] [--strict] [--json] [ROUTES]  the static file and its route file, or another route file
//   check-static [-c FILE]                        only the static file (for --check-upgrade)
//   socket-path [-c FILE]                         where gatewayctl finds the gateway of that file
//   explain [-c FILE] [--json] METHOD URL [-H 'name: value']… [--from IP]   as the files would answer
int run_tool(std::string_view name, const std::vector<std::string>& arguments);

// The static file that is meant without -c, by the profile in the environment.
std::string default_config();

}  // namespace gateway::process
