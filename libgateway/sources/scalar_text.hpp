// Where a value stands in the text of a YAML or JSON file, so that it can be replaced without touching anything else.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "libgateway/json/value.hpp"

namespace gateway::sources {

// The bytes of a scalar, quotes included.
struct ScalarRange {
    std::size_t begin = 0, end = 0;
    char quote = '"';  // that a replacement should have
};

// Finds scalars that stand on one line: quoted, or plain with exactly `value` as their text. Views the text.
class ScalarText {
public:
    explicit ScalarText(std::string_view text);
    std::optional<ScalarRange> find(json::Position where, std::string_view value) const;

private:
    std::optional<std::size_t> offset_of(json::Position where) const;
    std::string_view text_;
    std::vector<std::size_t> lines_;  // where each begins
};

}  // namespace gateway::sources
