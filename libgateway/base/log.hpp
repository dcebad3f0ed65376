// The error log: one line per event, handed to a sink that the process chooses (ring and log thread in workers, stderr
// in tools).
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

namespace gateway {

enum class LogLevel : std::uint8_t { debug, info, notice, warn, error, crit, alert, emerg };

std::string_view name_of(LogLevel level) noexcept;
// Reads the names of the static file's `error_log_level`; false if it is none of them.
bool parse_log_level(std::string_view text, LogLevel& level) noexcept;

namespace log {

// Receives one finished line without its end; must not block and must not throw.
using Sink = void (*)(LogLevel level, std::string_view line);
// Process-wide; call before threads start. The default writes to stderr.
void set_sink(Sink sink) noexcept;
void set_level(LogLevel least) noexcept;
bool enabled(LogLevel level) noexcept;
// Formats at most 4,000 bytes; longer text is cut. Control characters of the text are escaped, so input cannot forge
// lines.
void write(LogLevel level, fmt::string_view format, fmt::format_args args) noexcept;

template <class... Args>
void at(LogLevel level, fmt::format_string<Args...> format, Args&&... args) noexcept {
    if (enabled(level)) write(level, format, fmt::make_format_args(args...));
}
#define GATEWAY_LOG_FUNCTION(name)                                           \
    template <class... Args>                                                 \
    void name(fmt::format_string<Args...> format, Args&&... args) noexcept { \
        at(LogLevel::name, format, std::forward<Args>(args)...);             \
    }
GATEWAY_LOG_FUNCTION(debug)
GATEWAY_LOG_FUNCTION(info)
GATEWAY_LOG_FUNCTION(notice)
GATEWAY_LOG_FUNCTION(warn)
GATEWAY_LOG_FUNCTION(error)
GATEWAY_LOG_FUNCTION(crit)
GATEWAY_LOG_FUNCTION(alert)
#undef GATEWAY_LOG_FUNCTION

}  // namespace log
}  // namespace gateway
