// Puts the lines of base/log into a ring, for the log thread to write as `2026/11/21 10:00:00 [warn] 1234: text`.
#pragma once

#include "libgateway/telemetry/log_ring.hpp"

namespace gateway::telemetry {

// Process-wide; `ring` must live until remove_error_log(). Any thread may log afterwards: the ring's single producer is
// kept by a flag that is never waited for; a line that meets it taken for long is lost.
void install_error_log(LogRing& ring) noexcept;
// Back to stderr.
void remove_error_log() noexcept;

}  // namespace gateway::telemetry
