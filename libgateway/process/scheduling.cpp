#include "libgateway/process/scheduling.hpp"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace gateway::process {

namespace {

// sched_attr of sched_setattr(2), whose header does not go together with that of libc.
struct SchedulerAttributes {
    std::uint32_t size = sizeof(SchedulerAttributes), policy = 0;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime_ns = 0, deadline_ns = 0, period_ns = 0;
};

}  // namespace

void step_back(int levels, std::chrono::nanoseconds slice) noexcept {
    SchedulerAttributes attributes;
    attributes.nice = ::getpriority(PRIO_PROCESS, 0) + levels;
    attributes.nice = attributes.nice > 19 ? 19 : attributes.nice;
    attributes.runtime_ns = static_cast<std::uint64_t>(slice.count());
    if (::syscall(SYS_sched_setattr, 0, &attributes, 0) != 0) ::setpriority(PRIO_PROCESS, 0, attributes.nice);
}

}  // namespace gateway::process
