// How many CPUs this process may really use: affinity and the quota of its control group.
#pragma once

#include <string>

namespace gateway::process {

// At least 1. `membership` is the text of /proc/self/cgroup, `root` where control groups are mounted; versions 1 and 2.
// A quota of 1.5 CPUs counts as 2.
unsigned usable_cpus(unsigned allowed, const std::string& membership, const std::string& root);
// Of this process.
unsigned usable_cpus();

}  // namespace gateway::process
