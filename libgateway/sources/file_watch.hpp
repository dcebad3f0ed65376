// Watches one file by polling: tells when it changed and then stayed the same for one interval.
#pragma once

#include <cstdint>
#include <string>

namespace gateway::sources {

// A file that is being written shows several states; one that is the same at two successive polls is taken as finished.
// A vanished file is no change: the previous configuration stays.
class FileWatch {
public:
    explicit FileWatch(std::string path) : path_(std::move(path)) {}

    // Call once per interval. True when the file differs from the one last taken and did not change since the last
    // call; true again at each later call until taken() is called.
    bool poll();
    // The file is about to be read: what is on disk now counts as known. Call before reading it.
    void taken();
    const std::string& path() const noexcept { return path_; }

private:
    struct State {
        std::int64_t seconds = 0, nanoseconds = 0;
        std::uint64_t device = 0, inode = 0, size = 0;
        bool exists = false;
        friend bool operator==(const State&, const State&) = default;
    };
    State look() const noexcept;

    std::string path_;
    State taken_, last_;
};

}  // namespace gateway::sources
