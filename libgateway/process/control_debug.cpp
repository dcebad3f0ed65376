#include "libgateway/process/control_debug.hpp"

#include <sys/stat.h>

#include <cstring>

#include "libgateway/base/log.hpp"
#include "libgateway/config/debug_config.hpp"
#include "libgateway/config/read_file.hpp"
#include "libgateway/plugin/debug_hooks.hpp"

namespace gateway::process {

namespace {

constexpr std::size_t largest_file = 1 << 20;

}  // namespace

DebugFile::State DebugFile::look() const noexcept {
    struct stat facts {};
    if (::stat(path_.c_str(), &facts) != 0) return {};
    return {facts.st_ctim.tv_sec, facts.st_ctim.tv_nsec, facts.st_ino, static_cast<std::uint64_t>(facts.st_size), true};
}

void DebugFile::poll() {
    const State now = look();
    const bool first = !std::exchange(begun_, true);
    if (!first && now == known_) return;
    known_ = now;
    if (now.exists) return take();
    log::notice("debug config {} is not there: debug mode is off", path_);
    page_.write({});
}

void DebugFile::take() {
    std::string text;
    if (const int error = config::read_file(path_, text, largest_file)) {
        log::error("debug config {} cannot be read: {}", path_, std::strerror(error));
        return;
    }
    const config::DebugReading reading = config::read_debug_config(text, path_);
    if (!reading.warning.empty()) log::warn("{}", reading.warning);
    if (!reading.error.empty()) log::error("{}", reading.error);
    if (!reading.config) return;
    std::vector<std::string> problems;
    const DebugHooks hooks(*reading.config, problems);
    for (const std::string& problem : problems) log::error("{}", problem);
    if (!page_.write(config::encode_debug(*reading.config))) {
        log::error("failed to validate debug config: its hooks take more than {} bytes", DebugPage::room);
        return;
    }
    log::warn("debug config {} reloaded", path_);
}

}  // namespace gateway::process
