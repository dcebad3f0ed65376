// One gateway per data directory: a lock file that names the process holding it.
#pragma once

#include <string>

#include "libgateway/base/unique_fd.hpp"

namespace gateway::process {

// Locks DIRECTORY/lock for as long as the descriptor (or a copy of it, across a re-execution) is open and writes this
// pid into it. Throws std::runtime_error naming the other instance's pid and the path, or why the file cannot be used.
UniqueFd lock_instance(const std::string& directory);

}  // namespace gateway::process
