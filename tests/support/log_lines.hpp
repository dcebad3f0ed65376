// Catches what is written to the error log while a test runs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/log.hpp"

namespace gateway::test {

// Lines written while it lives, as "warn: text"; one at a time.
class LogLines {
public:
    LogLines() {
        lines().clear();
        log::set_sink([](LogLevel level, std::string_view line) {
            lines().push_back(std::string(name_of(level)) + ": " + std::string(line));
        });
    }
    ~LogLines() { log::set_sink(nullptr); }
    const std::vector<std::string>& all() const { return lines(); }

private:
    static std::vector<std::string>& lines() {
        static std::vector<std::string> kept;
        return kept;
    }
};

}  // namespace gateway::test
