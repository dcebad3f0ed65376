// Advanced debug mode: prints what goes into and comes out of chosen stages of requests.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/log.hpp"
#include "libgateway/config/debug_config.hpp"
#include "libgateway/plugin/exchange.hpp"

namespace gateway {

// Stages that can be watched, under the reference's names (debug-mode.md 3 of the specification).
enum class DebugPoint : std::uint8_t {
    http_access_phase,
    handle_upstream,
    http_balancer_phase,
    http_header_filter_phase,
    http_body_filter_phase,
    http_log_phase,
    match,
    merge_consumer_route,
    attach_consumer,
    count
};

// Immutable, made when debug.yaml changes; kept by the settings that exchanges pin. Nothing of it throws or changes an
// exchange. No fields, bodies or settings are printed, so no secret can be.
class DebugHooks {
public:
    // What the file lists and this program does not have goes into `problems`, in the reference's words.
    DebugHooks(const config::DebugConfig& config, std::vector<std::string>& problems);

    bool any() const noexcept { return points_.any() || !plugins_.empty(); }
    // Whether they print for this request.
    bool concern(const Exchange& exchange) const noexcept;
    // False: it became known during http_access_phase that they do, so what came into it is not printed.
    bool from_the_start() const noexcept { return filter_.empty(); }

    void before(DebugPoint point, const Exchange& exchange) const noexcept;
    void after(DebugPoint point, const Exchange& exchange) const noexcept;
    void before(std::string_view plugin, Phase phase, std::string_view where, const Exchange& exchange) const noexcept;
    void after(std::string_view plugin, Phase phase, Verdict verdict, const Exchange& exchange) const noexcept;

private:
    struct Watched {
        std::string plugin;
        std::uint8_t phases;
    };
    void add(std::string_view module, std::string_view function, std::vector<std::string>& problems);
    bool watches(std::string_view plugin, Phase phase) const noexcept;
    void print(std::string_view module, std::string_view function, bool result, std::string_view text,
               const Exchange& exchange) const noexcept;

    std::bitset<std::size_t(DebugPoint::count)> points_;
    std::vector<Watched> plugins_;
    std::string filter_;  // name of the field that a request must have; empty: none
    LogLevel level_ = LogLevel::warn;
    bool args_ = true, results_ = true;
};

inline void debug_before(DebugPoint point, const Exchange& exchange) noexcept {
    if (exchange.hooks) [[unlikely]]
        exchange.hooks->before(point, exchange);
}
inline void debug_after(DebugPoint point, const Exchange& exchange) noexcept {
    if (exchange.hooks) [[unlikely]]
        exchange.hooks->after(point, exchange);
}

}  // namespace gateway
