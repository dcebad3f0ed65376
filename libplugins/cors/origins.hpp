// Which origins a rule of cors lets in, and what it answers them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libplugins/common/regex_list.hpp"

namespace gateway::plugins {

// `*`, `**`, `null`, or `scheme://host[:port]` with commas between.
bool is_origins(std::string_view text);

// One rule; immutable. Expressions, where there are any, stand in place of the text.
class Origins {
public:
    explicit Origins(std::string_view text, const std::vector<std::string>& expressions = {});

    // Value for Access-Control-Allow-Origin; empty: this origin is not let in. `origin` is empty if there is none.
    std::string_view choose(std::string_view origin) const noexcept;

private:
    std::string text_;
    std::vector<std::string> list_;  // of text with commas
    RegexList expressions_;
};

}  // namespace gateway::plugins
