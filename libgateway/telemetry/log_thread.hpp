// The thread of a process that writes its logs, so that a slow disk or a stalled pipe stops nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "libgateway/base/clock.hpp"
#include "libgateway/base/unique_fd.hpp"
#include "libgateway/telemetry/log_ring.hpp"

namespace gateway::telemetry {

// Serves any number of rings, each with its own descriptor. Writes at least every half second, when a ring is half
// full, and at stop(). While a descriptor would block, its ring fills up and drops; the others are served on.
class LogThread {
public:
    LogThread();
    ~LogThread();  // stop(), with a second of patience

    // Lines have a form that is the user's; among messages the thread says how many were dropped, behind the last one
    // that was kept.
    enum class Holds : std::uint8_t { lines, messages };
    // Any time. Returns the number of the log for reopen() and remove().
    std::size_t add(std::shared_ptr<LogRing> ring, UniqueFd fd, Holds holds = Holds::lines);
    // Nothing is written to its ring any more; what is in it still goes out. The number is free for nobody.
    void remove(std::size_t log);
    void start();
    // What is written later goes to `fd`. Takes effect at the next batch; the old one is closed
    // then.
    void reopen(std::size_t log, UniqueFd fd);
    // Asks for a write now; does not wait for it.
    void flush() noexcept;
    // Writes what is left and ends. False if a descriptor still blocked after `patience`; the thread is then left to
    // itself.
    bool stop(Milliseconds patience);

private:
    struct State;
    std::shared_ptr<State> state_;  // shared with the thread, which may be stuck in a write when this ends
};

}  // namespace gateway::telemetry
