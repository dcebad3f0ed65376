// How much of the machine the work beside traffic may take.
#pragma once

#include <chrono>

namespace gateway::process {

// The calling thread, and threads it makes later, run `levels` of niceness below the process. With a slice longer than
// theirs, workers that wake are let in at once (EEVDF, Linux 6.12); older kernels ignore it.
void step_back(int levels, std::chrono::nanoseconds slice) noexcept;

}  // namespace gateway::process
