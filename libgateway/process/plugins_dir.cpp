#include "libgateway/plugin/shared_objects.hpp"
#include "libgateway/process/entry.hpp"

namespace gateway::process {

std::string load_plugins(const std::string& folder) {
    return SharedObjects::of_this_process().load(folder);
}

}  // namespace gateway::process
