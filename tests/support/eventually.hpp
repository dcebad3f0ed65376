// Waits for a state instead of a time: polls a condition until it holds or a limit has passed.
#pragma once

#include <chrono>
#include <thread>

namespace gateway::test {

using std::chrono::milliseconds;

// Ten times the limit under sanitizers, where everything is slower.
#ifdef GATEWAY_SANITIZED
inline constexpr int patience = 10;
#else
inline constexpr int patience = 1;
#endif

// True as soon as `condition()` is true; false when `limit` passed without. The condition runs at least once.
template <class Condition>
[[nodiscard]] bool eventually(Condition&& condition, milliseconds limit = milliseconds(5000)) {
    const auto end = std::chrono::steady_clock::now() + limit * patience;
    for (;;) {
        if (condition()) return true;
        if (std::chrono::steady_clock::now() >= end) return false;
        std::this_thread::sleep_for(milliseconds(2));
    }
}

}  // namespace gateway::test
