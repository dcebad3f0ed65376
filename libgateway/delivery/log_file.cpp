#include "libgateway/delivery/log_file.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "libgateway/base/log.hpp"

namespace gateway::delivery {

namespace {

// Non-blocking for the open alone: a pipe without a reader must not hold up the worker.
UniqueFd open_file(const std::string& path) {
    UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644));
    if (file) ::fcntl(file.get(), F_SETFL, O_APPEND);
    if (!file) log::error("failed to open file: {}, error info: {}", path, std::strerror(errno));
    return file;
}

}  // namespace

LogFile::~LogFile() {
    if (ring_) dispatch_.log_thread().remove(log_);
}

bool LogFile::open() {
    const std::int64_t now = dispatch_.reactor.now_ms();
    if (tried_ms_ != 0 && now - tried_ms_ < 1000) return false;
    tried_ms_ = now;
    UniqueFd file = open_file(path_);
    if (!file) return false;
    ring_ = std::make_shared<telemetry::LogRing>(ring_bytes);
    log_ = dispatch_.log_thread().add(ring_, std::move(file));
    return true;
}

bool LogFile::write_line(std::string_view line) {
    if (!ring_ && !open()) return false;
    char* place = ring_->reserve(line.size() + 1);
    if (!place) return false;
    std::memcpy(place, line.data(), line.size());
    place[line.size()] = '\n';
    ring_->commit(line.size() + 1);
    return true;
}

void LogFile::reopen() {
    tried_ms_ = 0;
    if (!ring_) return;
    if (UniqueFd file = open_file(path_)) dispatch_.log_thread().reopen(log_, std::move(file));
}

}  // namespace gateway::delivery
