#include "libgateway/process/control_cpus.hpp"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <sstream>

#include "libgateway/base/strings.hpp"

namespace gateway::process {

namespace {

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

// CPUs of "quota period"; 0: no limit.
double cpus_of(double quota, double period) {
    return quota > 0 && period > 0 ? quota / period : 0;
}

double limit_v2(const std::string& folder) {
    std::istringstream line(text_of(folder + "/cpu.max"));
    double quota = 0, period = 0;
    return line >> quota >> period ? cpus_of(quota, period) : 0;  // "max" is no number: no limit
}

double limit_v1(const std::string& folder) {
    std::istringstream quota_text(text_of(folder + "/cpu.cfs_quota_us"));
    std::istringstream period_text(text_of(folder + "/cpu.cfs_period_us"));
    double quota = 0, period = 0;
    return quota_text >> quota && period_text >> period ? cpus_of(quota, period) : 0;
}

// The smallest limit on the way from the group up to the root: a parent's quota binds too. Inside a container the path
// of the group may not exist below the mount; the root's own limit is then the container's.
template <class Limit>
double smallest(const std::string& root, std::string group, Limit limit) {
    double least = 0;
    for (;;) {
        const double here = limit(root + group);
        if (here > 0 && (least == 0 || here < least)) least = here;
        if (group.empty() || group == "/") return least;
        group.resize(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
    }
}

// Lines are "0::/path" (version 2) or "4:cpu,cpuacct:/path" (version 1).
double quota_of(const std::string& membership, const std::string& root) {
    double least = 0;
    const auto take = [&least](double cpus) {
        if (cpus > 0 && (least == 0 || cpus < least)) least = cpus;
    };
    std::istringstream lines(membership);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t first = line.find(':'), second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1), group = line.substr(second + 1);
        if (controllers.empty()) take(smallest(root, group, limit_v2));
        bool cpu = false;
        for_each_item(controllers, ',', [&cpu](std::string_view name) { cpu = cpu || name == "cpu"; });
        if (cpu) take(smallest(root + "/cpu", group, limit_v1));
    }
    return least;
}

}  // namespace

unsigned usable_cpus(unsigned allowed, const std::string& membership, const std::string& root) {
    const double quota = quota_of(membership, root);
    const unsigned most = std::max(allowed, 1u);
    return quota > 0 ? std::clamp(static_cast<unsigned>(std::ceil(std::min(quota, 1e6))), 1u, most) : most;
}

unsigned usable_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    const unsigned allowed = ::sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<unsigned>(CPU_COUNT(&set)) : 1;
    return usable_cpus(allowed, text_of("/proc/self/cgroup"), "/sys/fs/cgroup");
}

}  // namespace gateway::process
