// A file that log lines are appended to by the worker's file thread, so that a slow disk holds up nobody.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "libgateway/delivery/dispatch.hpp"
#include "libgateway/telemetry/log_ring.hpp"

namespace gateway::delivery {

// One per path and worker; several loggers may share it. Whole lines only: other workers append to the same file.
class LogFile {
public:
    LogFile(Dispatch& dispatch, std::string path) : dispatch_(dispatch), path_(std::move(path)) {}
    ~LogFile();
    LogFile(const LogFile&) = delete;
    LogFile& operator=(const LogFile&) = delete;

    // `line` gets its end here. False: dropped, because the file cannot be opened (said in the error log with its owner
    // and mode, tried again a second later) or too much waits already.
    bool write_line(std::string_view line);
    void reopen();

private:
    static constexpr std::size_t ring_bytes = 8u << 20;
    bool open();
    // The worker opens it with the rights that it has kept: a route's author names the path, so the master must not.
    UniqueFd open_path();

    Dispatch& dispatch_;
    const std::string path_;
    std::shared_ptr<telemetry::LogRing> ring_;
    std::size_t log_ = 0;
    std::int64_t tried_ms_ = 0;
    int failed_ = 0;   // why the last try failed; 0: it did not
    std::string why_;  // the same in words
};

}  // namespace gateway::delivery
