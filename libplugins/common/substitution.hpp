// Replacement of what a regular expression matches, once or everywhere, in a whole body.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libgateway/base/arena.hpp"

struct pcre2_real_code_8;

namespace gateway::plugins {

// Compiled with the configuration; immutable; one thread.
class Substitution {
public:
    enum class Scope : unsigned char { once, global };

    // `options`: letters of the reference: i (case-insensitive), m (^ and $ at lines), s (dot matches newlines), x
    // (blanks in the pattern are ignored), u (UTF-8); j and o are accepted and mean nothing. `replacement`: $0-$9,
    // ${10}, $$. Throws expr::RegexError with the reason.
    Substitution(std::string_view pattern, std::string_view replacement, std::string_view options, Scope scope);

    // The subject with its matches replaced, in `arena` if something changed. Nothing if the engine gave up (match
    // limit).
    std::optional<std::string_view> apply(std::string_view subject, Arena& arena) const;

private:
    struct Free {
        void operator()(pcre2_real_code_8* code) const noexcept;
    };
    std::unique_ptr<pcre2_real_code_8, Free> code_;
    std::string replacement_;
    Scope scope_;
};

}  // namespace gateway::plugins
