// Signals of the master as something to wait for: blocked from its first act on, read from a descriptor.
#pragma once

#include <array>

#include "libgateway/base/unique_fd.hpp"

namespace gateway::process {

// Which signals arrived since the last look; several of one kind are one.
struct SignalsSeen {
    bool child = false, reload = false, reopen = false, quit = false, stop = false, upgrade = false;
};

// The first object the master makes. A signal sent before is kept by the kernel and seen later, also across a
// re-execution, since the mask outlives exec. Faults of the process itself stay unblocked.
class Signals {
public:
    Signals();  // throws std::system_error
    int fd() const noexcept { return fd_.get(); }
    SignalsSeen take() noexcept;

private:
    UniqueFd fd_;
};

// For a program that is executed by the master: no signal blocked or ignored.
void restore_signals() noexcept;

}  // namespace gateway::process
