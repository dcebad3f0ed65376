// The end of a log: a spdlog sink that gathers whole records and writes them to a descriptor in batches that end on a
// record.
#pragma once

#include <spdlog/sinks/sink.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "libgateway/base/unique_fd.hpp"

namespace gateway::telemetry {

// Used by the log thread only, so it locks nothing. A regular file takes batches of 64 KiB; to a pipe, terminal or
// socket at most 4,096 bytes go at once, and only when poll() says that they fit, so that lines of several writers do
// not mix.
class FdSink final : public spdlog::sinks::sink {
public:
    explicit FdSink(UniqueFd fd);

    // spdlog's side: formats with the pattern of error logs.
    void log(const spdlog::details::log_msg& message) override;
    void flush() override {
        while (!empty() && write_batch()) continue;
    }
    void set_pattern(const std::string& pattern) override;
    void set_formatter(std::unique_ptr<spdlog::formatter> formatter) override { formatter_ = std::move(formatter); }

    // A line that is whole already, with its end.
    void append(std::string_view line) { pending_.append(line); }
    // Whether to write before more is appended.
    bool full() const noexcept { return pending_.size() >= batch_; }
    bool empty() const noexcept { return pending_.empty(); }
    // Writes one batch of what is gathered; false if the descriptor would block.
    bool write_batch();
    // From now on writes to `fd`; what was gathered goes there too.
    void replace(UniqueFd fd);
    int fd() const noexcept { return fd_.get(); }
    bool regular() const noexcept { return regular_; }
    // Bytes given up because of a write error (disk full, reader gone).
    std::size_t lost() const noexcept { return lost_; }

private:
    std::size_t next_batch() const noexcept;

    UniqueFd fd_;
    bool regular_ = false;
    std::size_t batch_ = 0, lost_ = 0;
    std::string pending_;
    std::unique_ptr<spdlog::formatter> formatter_;
};

}  // namespace gateway::telemetry
