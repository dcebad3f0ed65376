#include "libgateway/telemetry/fd_sink.hpp"

#include <poll.h>
#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace gateway::telemetry {

namespace {

constexpr std::size_t file_batch = 64 * 1024;
constexpr std::size_t stream_batch =
    4096;  // PIPE_BUF: atomic, and what a pipe that polls writable takes without blocking

bool is_regular(int fd) noexcept {
    struct stat facts {};
    return ::fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode);
}

bool writable(int fd) noexcept {
    pollfd entry{fd, POLLOUT, 0};
    return ::poll(&entry, 1, 0) > 0;
}

}  // namespace

FdSink::FdSink(UniqueFd fd) {
    replace(std::move(fd));
    set_pattern("%Y/%m/%d %H:%M:%S [%n] %P: %v");
}

void FdSink::set_pattern(const std::string& pattern) {
    formatter_ = std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::local, "\n");
}

void FdSink::log(const spdlog::details::log_msg& message) {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    append({line.data(), line.size()});
}

void FdSink::replace(UniqueFd fd) {
    fd_ = std::move(fd);
    regular_ = is_regular(fd_.get());
    batch_ = regular_ ? file_batch : stream_batch;
}

// As many whole records as fit; a single longer one goes in pieces.
std::size_t FdSink::next_batch() const noexcept {
    if (pending_.size() <= batch_) return pending_.size();
    const std::size_t end = std::string_view(pending_).substr(0, batch_).rfind('\n');
    return end == std::string_view::npos ? batch_ : end + 1;
}

bool FdSink::write_batch() {
    const std::size_t size = next_batch();
    if (!regular_ && !writable(fd_.get())) return false;
    const ssize_t done = ::write(fd_.get(), pending_.data(), size);
    if (done > 0) {
        pending_.erase(0, static_cast<std::size_t>(done));
    } else if (errno == EAGAIN) {
        return false;
    } else if (errno != EINTR) {
        lost_ += size;
        pending_.erase(0, size);
    }
    return true;
}

}  // namespace gateway::telemetry
