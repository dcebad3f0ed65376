// Regular expressions of configurations: PCRE2 with JIT where available, unanchored search, match limits, no allocation
// once warm.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/arena.hpp"

struct pcre2_real_code_8;

namespace gateway::expr {

// what() is the reason alone.
struct RegexError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

enum class RegexCase : std::uint8_t { sensitive, insensitive };

// Text of the whole match ($0) and of the groups; views of the subject. Groups beyond the last slot are not kept.
struct Captures {
    static constexpr std::size_t capacity = 32;
    std::array<std::string_view, capacity> groups;
    std::size_t count = 0;  // groups of the pattern, plus one; those that took no part are empty
};

enum class RegexResult : std::uint8_t { no_match, match, gave_up /* match limit: counted, see match_limit_hits() */ };

// Compiled with the configuration, immutable, one thread.
class Regex {
public:
    // Bytes, not UTF-8. Throws RegexError.
    explicit Regex(std::string_view pattern, RegexCase mode = RegexCase::sensitive);

    bool search(std::string_view subject) const noexcept { return match(subject, nullptr) == RegexResult::match; }
    RegexResult match(std::string_view subject, Captures* captures) const noexcept;

    std::size_t groups() const noexcept { return groups_; }

private:
    struct Free {
        void operator()(pcre2_real_code_8* code) const noexcept;
    };
    std::unique_ptr<pcre2_real_code_8, Free> code_;
    std::size_t groups_ = 0;
};

// A replacement text: `$0`-`$9`, `${10}`, `$$` for a dollar sign. Compiled once, immutable.
class Replacement {
public:
    // Throws RegexError with "invalid capturing variable name found in \"<text>\"".
    explicit Replacement(std::string_view text);
    // The highest group it names.
    std::size_t highest() const noexcept { return highest_; }
    // The replacement alone (not the rest of the subject).
    std::string_view expand(const Captures& captures, Arena& arena) const;

private:
    struct Piece {
        std::string literal;
        int group = -1;  // behind the literal; -1: none
    };
    std::vector<Piece> pieces_;
    std::size_t highest_ = 0;
};

// The subject with its first match replaced; nothing if there is no match (or the regex gave up).
std::optional<std::string_view> replace_first(const Regex& regex, const Replacement& replacement,
                                              std::string_view subject, Arena& arena);

// How often a match gave up in this thread.
std::uint64_t match_limit_hits() noexcept;

}  // namespace gateway::expr
