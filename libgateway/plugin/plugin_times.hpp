// Where the time of requests goes, by plugin and phase and by route.
#pragma once

#include <cstdint>

#include "libgateway/base/clock.hpp"
#include "libgateway/plugin/phase.hpp"

namespace gateway {

class Exchange;
class Instance;

// cpu: from a hook's call to its answer or its first wait, measured in one exchange of 64. wait: from there to its
// answer, always.
enum class TimeKind : std::uint8_t { cpu, wait };

// Adds to the metrics of this worker; does nothing where none are kept. No allocation once the series are known.
void note_time(const Instance& instance, const Exchange& exchange, Phase phase, TimeKind kind,
               std::int64_t nanoseconds) noexcept;

}  // namespace gateway
