// Watches debug.yaml and tells the workers what it says.
#pragma once

#include <cstdint>
#include <string>

#include "libgateway/process/debug_page.hpp"

namespace gateway::process {

// Loop thread of control. The file is small and read on the loop.
class DebugFile {
public:
    DebugFile(std::string path, DebugPage& page) : path_(std::move(path)), page_(page) {}
    // Call at the start and once a second. A file that is bad or not finished leaves what was before in force; one that
    // is not there switches debug mode off.
    void poll();

private:
    struct State {
        std::int64_t seconds = 0, nanoseconds = 0;  // of the last change of status: a rename counts
        std::uint64_t inode = 0, size = 0;
        bool exists = false;
        friend bool operator==(const State&, const State&) = default;
    };
    State look() const noexcept;
    void take();

    std::string path_;
    DebugPage& page_;
    State known_;
    bool begun_ = false;
};

}  // namespace gateway::process
