#include "libgateway/delivery/log_file.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "libgateway/base/log.hpp"
#include "libgateway/base/path_facts.hpp"

namespace gateway::delivery {

namespace {

std::string reason_of(const std::string& path, int error) {
    std::string text = std::strerror(error);
    if (error == EACCES || error == EPERM) text += "; " + describe_path(path);
    return text + who_may(path, error);
}

}  // namespace

LogFile::~LogFile() {
    if (ring_) dispatch_.log_thread().remove(log_);
}

// Non-blocking for the open alone: a pipe without a reader must not hold up the worker. Names of users may come from
// far away, so they are asked for once, not at each try.
UniqueFd LogFile::open_path() {
    UniqueFd file(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644));
    const int error = file ? 0 : errno;
    if (error != 0 && error != failed_) why_ = reason_of(path_, error);
    failed_ = error;
    if (file) ::fcntl(file.get(), F_SETFL, O_APPEND);
    if (!file) log::error("failed to open file: {}, error info: {}", path_, why_);
    return file;
}

bool LogFile::open() {
    const std::int64_t now = dispatch_.reactor.now_ms();
    if (tried_ms_ != 0 && now - tried_ms_ < 1000) return false;
    tried_ms_ = now;
    UniqueFd file = open_path();
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
    if (UniqueFd file = open_path()) dispatch_.log_thread().reopen(log_, std::move(file));
}

}  // namespace gateway::delivery
