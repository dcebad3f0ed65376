#include "libgateway/base/log.hpp"

#include <array>
#include <atomic>
#include <cstdio>
#include <iterator>

#include "libgateway/base/log_line.hpp"

namespace gateway {

namespace {

constexpr std::array<std::string_view, 8> names{"debug", "info", "notice", "warn", "error", "crit", "alert", "emerg"};

void to_stderr(LogLevel level, std::string_view line) {
    std::fputs(log::line_of(level, line).c_str(), stderr);
}

std::atomic<log::Sink> sink{to_stderr};
std::atomic<LogLevel> least{LogLevel::warn};

}  // namespace

std::string_view name_of(LogLevel level) noexcept {
    return names[static_cast<std::size_t>(level)];
}

bool parse_log_level(std::string_view text, LogLevel& level) noexcept {
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] == text) {
            level = static_cast<LogLevel>(i);
            return true;
        }
    }
    return false;
}

namespace log {

void set_sink(Sink chosen) noexcept {
    sink = chosen ? chosen : to_stderr;
}
void set_level(LogLevel chosen) noexcept {
    least = chosen;
}
bool enabled(LogLevel level) noexcept {
    return level >= least.load(std::memory_order_relaxed);
}

void write(LogLevel level, fmt::string_view format, fmt::format_args args) noexcept try {
    std::array<char, 4000> raw;
    const auto end = fmt::vformat_to_n(raw.data(), raw.size(), format, args);
    const std::size_t size = std::min(end.size, raw.size());
    fmt::memory_buffer line;
    for (std::size_t i = 0; i < size; ++i) {
        const auto c = static_cast<unsigned char>(raw[i]);
        if (c < 0x20 || c == 0x7f) {
            fmt::format_to(std::back_inserter(line), "\\x{:02x}", c);
        } else {
            line.push_back(raw[i]);
        }
    }
    sink.load()(level, {line.data(), line.size()});
} catch (...) {
    // A line that cannot be formatted is dropped: logging never ends what it reports on.
}

}  // namespace log
}  // namespace gateway
