#include "libgateway/base/log_line.hpp"

#include <unistd.h>

#include <array>
#include <ctime>

namespace gateway::log {

std::string line_of(LogLevel level, std::string_view text) {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::localtime_r(&now, &parts);
    std::array<char, 24> stamp{};
    std::strftime(stamp.data(), stamp.size(), "%Y/%m/%d %H:%M:%S", &parts);
    return fmt::format("{} [{}] {}: {}\n", stamp.data(), name_of(level), ::getpid(), text);
}

}  // namespace gateway::log
