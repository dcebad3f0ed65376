// Tells systemd (or whoever listens on NOTIFY_SOCKET) how the service is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libgateway/base/unique_fd.hpp"

namespace gateway::process {

// Silent where NOTIFY_SOCKET is not set. Sends never block and never fail loudly: supervision must not depend on the
// listener. READY=1 is sent once per `ready`, however often the state is repeated.
class SdNotify {
public:
    // Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID of the environment and leaves them there for a re-execution.
    SdNotify();
    SdNotify(const char* socket, const char* watchdog_usec, const char* watchdog_pid);

    void ready(std::string_view status);
    void reloading();
    void stopping();
    // Sends STATUS=… if it differs from the last one.
    void status(std::string_view status);
    // Sends WATCHDOG=1 when half of the interval has passed since the last one; call it only while all is well.
    void watchdog(std::int64_t now_ns);
    // 0: no watchdog asked for.
    std::int64_t watchdog_interval_ns() const noexcept { return watchdog_ns_; }

private:
    void send(std::string_view text) noexcept;

    std::string address_;  // as in sun_path, first byte NUL for an abstract one; empty: nobody listens
    UniqueFd socket_;
    std::int64_t watchdog_ns_ = 0, last_ping_ns_ = 0;
    std::string last_status_;
};

}  // namespace gateway::process
