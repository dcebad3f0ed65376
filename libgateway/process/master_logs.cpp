#include "libgateway/process/master_logs.hpp"

#include <fcntl.h>

#include <atomic>
#include <cerrno>

#include "libgateway/base/log_line.hpp"
#include "libgateway/process/privileges.hpp"

namespace gateway::process {

namespace {

std::atomic<int> master_log{-1};

void to_master_log(LogLevel level, std::string_view line) {
    const std::string whole = log::line_of(level, line);
    // One write: O_APPEND keeps lines of several processes whole.
    (void)!::write(master_log, whole.data(), whole.size());
}

UniqueFd copy_of(int fd) noexcept {
    return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

// Opening a pipe that nobody reads must not hold up the master: without a reader it is opened both ways, which never
// waits. O_NONBLOCK means nothing to a regular file.
UniqueFd open_log(const std::string& path, const Plan& plan) {
    prepare_parent(path, plan);
    constexpr int flags = O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    UniqueFd fd(::open(path.c_str(), O_WRONLY | flags, 0640));
    if (!fd && errno == ENXIO) fd = UniqueFd(::open(path.c_str(), O_RDWR | flags, 0640));
    if (!fd) throw_path_error("write to log", path, errno);
    hand_over(fd.get(), plan);
    return fd;
}

// Sets `is_file` if it is opened by path.
UniqueFd open_target(std::string_view target, const Plan& plan, bool& is_file) {
    if (target.empty()) return {};
    if (target == "stdout" || target == "/dev/stdout") return copy_of(1);
    if (target == "stderr" || target == "/dev/stderr") return copy_of(2);
    is_file = true;
    return open_log(std::string(target), plan);
}

}  // namespace

LogFiles LogFiles::open(const Plan& plan) {
    LogFiles logs;
    if (plan.access_log_enabled) logs.access_ = open_target(plan.access_log.view(), plan, logs.access_is_file_);
    if (plan.error_log.view() != "stderr") logs.error_ = open_target(plan.error_log.view(), plan, logs.error_is_file_);
    return logs;
}

void LogFiles::use_for_master(const Plan& plan) const noexcept {
    log::set_level(static_cast<LogLevel>(plan.error_log_level));
    master_log = error_.get();
    log::set_sink(error_ ? to_master_log : nullptr);
}

}  // namespace gateway::process
