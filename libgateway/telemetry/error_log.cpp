#include "libgateway/telemetry/error_log.hpp"

#include <atomic>

#include "libgateway/base/clock.hpp"

namespace gateway::telemetry {

namespace {

std::atomic<LogRing*> target{nullptr};
std::atomic_flag producing = ATOMIC_FLAG_INIT;

void to_ring(LogLevel level, std::string_view line) {
    constexpr int patience = 1000;  // spins: another thread holds the flag for one copy of a line
    for (int spin = 0; producing.test_and_set(std::memory_order_acquire); ++spin) {
        if (spin == patience) return;
    }
    if (LogRing* ring = target.load()) ring->write(line, level, wall_ms());
    producing.clear(std::memory_order_release);
}

}  // namespace

void install_error_log(LogRing& ring) noexcept {
    target = &ring;
    log::set_sink(to_ring);
}

void remove_error_log() noexcept {
    log::set_sink(nullptr);
    while (producing.test_and_set(std::memory_order_acquire)) continue;
    target = nullptr;
    producing.clear(std::memory_order_release);
}

}  // namespace gateway::telemetry
