// What a machine knows of a quota that is counted in Redis, in one cell of a shared table: the count as of the last
// synchronisation, and what was admitted since.
#pragma once

#include <cstdint>

#include "libgateway/shm/window.hpp"

namespace gateway::plugins {

struct Quota {
    std::uint64_t count;
    std::int64_t window_ms;
    bool sliding;
};

// All workers change it, each word by one atomic operation; what a process that dies between two of them leaves behind
// is at worst unknown again, or admits once more what it had taken to tell. Words: end of the window; count in Redis;
// what Redis was not told yet; whether Redis fails; count of the window before. The counts carry part of the end, so
// that none lands in another window.
class QuotaCopy {
public:
    explicit QuotaCopy(shm::Cell& cell) noexcept : cell_(cell) {}

    // unknown: nothing is known of the window that counts now. failing: nor can Redis be asked.
    enum class State : std::uint8_t { decided, unknown, failing };
    struct Decision {
        State state = State::unknown;
        shm::WindowCount count;
    };
    // One request; only an admitted one counts.
    Decision take(const Quota& quota, std::int64_t now_ms) noexcept;

    struct Untold {
        std::uint64_t amount = 0;
        std::int64_t end_ms = 0;  // of the window that it belongs to
    };
    // Whoever gets it must tell Redis, or give it back; meanwhile it counts as told. Nothing if its window is over; a
    // sliding window is told of for one window longer.
    Untold take_untold(std::int64_t window_ms, bool sliding, std::int64_t now_ms) noexcept;
    void give_back(const Untold& untold) noexcept;

    struct Remote {
        std::uint64_t consumed = 0, previous = 0;
        std::int64_t end_ms = 0;
    };
    // Redis answered. Within a window counts only rise; an answer about an earlier one changes nothing.
    void renew(const Remote& remote, std::int64_t window_ms, bool sliding, std::int64_t now_ms) noexcept;

    bool failing() const noexcept { return cell_.words[3].load(std::memory_order_relaxed) != 0; }
    void set_failing(bool failing) noexcept;

private:
    shm::Cell& cell_;
};

}  // namespace gateway::plugins
