// Several regular expressions of a setting that are asked as one: does any of them match?
#pragma once

#include <string>
#include <vector>

#include "libgateway/config/errors.hpp"
#include "libgateway/expr/regex.hpp"

namespace gateway::plugins {

// Immutable. Expressions are compiled one by one, so that a group number means what its author counted.
class RegexList {
public:
    RegexList() = default;
    explicit RegexList(const std::vector<std::string>& patterns, expr::RegexCase mode = expr::RegexCase::sensitive) {
        list_.reserve(patterns.size());
        for (const std::string& pattern : patterns) list_.emplace_back(pattern, mode);
    }
    // Adds the engine's text for each pattern that cannot be compiled.
    static void check(const std::vector<std::string>& patterns, config::Errors& errors) {
        for (const std::string& pattern : patterns) {
            try {
                const expr::Regex regex(pattern);
            } catch (const expr::RegexError& error) {
                errors.add(error.what());
            }
        }
    }

    bool empty() const noexcept { return list_.empty(); }
    // `gave_up` counts only if none of the others matches: the caller decides what is the safe side.
    expr::RegexResult any(std::string_view subject) const noexcept {
        expr::RegexResult result = expr::RegexResult::no_match;
        for (const expr::Regex& regex : list_) {
            const expr::RegexResult one = regex.match(subject, nullptr);
            if (one == expr::RegexResult::match) return one;
            if (one == expr::RegexResult::gave_up) result = one;
        }
        return result;
    }

private:
    std::vector<expr::Regex> list_;
};

}  // namespace gateway::plugins
