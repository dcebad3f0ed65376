// Keys of TLS session tickets: made by control, the same in all workers, replaced twice a day.
#pragma once

#include <cstdint>

#include "libgateway/process/debug_page.hpp"

namespace gateway::process {

// Loop thread of control. The keys live in shared memory only; a control that follows goes on with them.
class TicketRotation {
public:
    explicit TicketRotation(DebugPage& page) : page_(page) {}
    // Call at the start and once a second.
    void poll();

private:
    DebugPage& page_;
    std::int64_t next_ns_ = 0;  // 0: not begun
};

}  // namespace gateway::process
