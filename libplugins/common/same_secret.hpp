// Comparing secrets in a time that tells nothing about where they differ.
#pragma once

#include <string_view>

namespace gateway::plugins {

// Takes a time that depends on the length of `given` only.
inline bool same_secret(std::string_view known, std::string_view given) noexcept {
    unsigned difference = known.size() == given.size() ? 0 : 1;
    for (std::size_t i = 0; i < given.size(); ++i) {
        const char other = known.empty() ? '\0' : known[i % known.size()];
        difference |= static_cast<unsigned char>(other ^ given[i]);
    }
    return difference == 0;
}

}  // namespace gateway::plugins
