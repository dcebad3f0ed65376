#include "libgateway/process/control_tickets.hpp"

#include "libgateway/base/clock.hpp"
#include "libgateway/base/log.hpp"
#include "libgateway/tls/ticket_keys.hpp"

namespace gateway::process {

namespace {

constexpr std::int64_t life_ns = std::int64_t{12} * 3600 * 1'000'000'000;

}  // namespace

void TicketRotation::poll() {
    const std::int64_t now = monotonic_ns();
    if (next_ns_ != 0 && now < next_ns_) return;
    std::uint64_t version = 0;
    const std::string known = page_.read(version).value_or(std::string());
    const bool begun = next_ns_ != 0;
    next_ns_ = now + life_ns;
    if (!begun && !known.empty()) return;
    try {
        page_.write(tls::TicketKeys::rotated(known));
    } catch (const std::exception& error) {
        log::error("TLS sessions are not resumed by new tickets: {}", error.what());
    }
}

}  // namespace gateway::process
