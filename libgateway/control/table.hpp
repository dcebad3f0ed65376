// Plain text tables for people: columns as wide as they must be, two blanks between.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libgateway/json/value.hpp"

namespace gateway::control {

class Table {
public:
    explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
    // Missing cells are empty; control characters are shown as `?`, so that no name can move the cursor.
    void add(std::vector<std::string> cells);
    std::string text() const;

private:
    std::vector<std::vector<std::string>> rows_;
};

// Without control characters, for texts that come from configuration or the wire.
std::string printable(std::string_view text);
// A member as text: strings as they are, lists with blanks, "-" for null, absent or empty, everything else as JSON.
std::string cell(const json::Value& object, std::string_view name);

}  // namespace gateway::control
