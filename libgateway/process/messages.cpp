#include "libgateway/process/messages.hpp"

namespace gateway::process {

std::string_view name_of(WorkerState state) noexcept {
    switch (state) {
        case WorkerState::starting:
            return "starting";
        case WorkerState::ready:
            return "ready";
        case WorkerState::lagging:
            return "lagging";
        case WorkerState::draining:
            return "draining";
        case WorkerState::stopped:
            return "stopped";
        case WorkerState::crashed:
            return "crashed";
    }
    return "unknown";
}

}  // namespace gateway::process
