// Constraints of one field of a schema, and the options that set them: `range(1, 65535)`, `one_of("a", "b")`,
// `required` …
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

#include "libgateway/config/errors.hpp"
#include "libgateway/json/describe.hpp"

namespace gateway::config {

// Decides whether a text has the form that `Rules::pattern` describes; the pattern itself is for messages and for
// people.
using FormCheck = bool (*)(std::string_view text);

struct Limits {
    static constexpr double infinite = std::numeric_limits<double>::infinity();
    double least = -infinite, most = infinite;
    bool least_excluded = false;
    std::size_t shortest = 0, longest = SIZE_MAX;  // code points of a string
    std::string_view pattern;
    FormCheck form = nullptr;
    std::array<std::string_view, 16> choices{};
    std::size_t choice_count = 0;
};

struct Rules : Limits {
    bool required = false, unique = false;
    bool encrypted = false;                       // a secret: never printed, stored encrypted
    std::size_t fewest = 0, greatest = SIZE_MAX;  // elements of an array or members of a map
    Limits each;                                  // of every element or member
};

// Each option is a small literal object that is applied to the rules of its field when the schema is made.
struct Required {
    constexpr void apply(Rules& rules) const { rules.required = true; }
};
struct Unique {
    constexpr void apply(Rules& rules) const { rules.unique = true; }
};
struct Encrypted {
    constexpr void apply(Rules& rules) const { rules.encrypted = true; }
};
struct Range {
    double least, most;
    bool excluded;
    constexpr void apply(Limits& limits) const {
        limits.least = least;
        limits.most = most;
        limits.least_excluded = excluded;
    }
};
struct Length {
    std::size_t shortest, longest;
    constexpr void apply(Limits& limits) const {
        limits.shortest = shortest;
        limits.longest = longest;
    }
};
struct Pattern {
    std::string_view text;
    FormCheck form;
    constexpr void apply(Limits& limits) const {
        limits.pattern = text;
        limits.form = form;
    }
};
struct Choices {
    std::array<std::string_view, 16> names{};
    std::size_t count = 0;
    constexpr void apply(Limits& limits) const {
        limits.choices = names;
        limits.choice_count = count;
    }
};
struct Items {
    std::size_t fewest, greatest;
    constexpr void apply(Rules& rules) const {
        rules.fewest = fewest;
        rules.greatest = greatest;
    }
};
template <class Option>
struct Each {
    Option option;
    constexpr void apply(Rules& rules) const { option.apply(rules.each); }
};

inline constexpr Required required;
inline constexpr Unique unique;
inline constexpr Encrypted encrypted;
constexpr Range range(double least, double most) {
    return {least, most, false};
}
constexpr Range at_least(double least) {
    return {least, Limits::infinite, false};
}
constexpr Range more_than(double least) {
    return {least, Limits::infinite, true};
}
constexpr Length length(std::size_t shortest, std::size_t longest = SIZE_MAX) {
    return {shortest, longest};
}
constexpr Pattern pattern(std::string_view text, FormCheck form) {
    return {text, form};
}
template <class... Names>
constexpr Choices one_of(Names... names) {
    static_assert(sizeof...(names) <= 16);
    return {{std::string_view(names)...}, sizeof...(names)};
}
constexpr Items items(std::size_t fewest, std::size_t greatest = SIZE_MAX) {
    return {fewest, greatest};
}
// The option holds for every element of the array or member of the map, not for the whole.
template <class Option>
constexpr Each<Option> each(Option option) {
    return {option};
}

// Apply the constraints to a value of the right kind; the texts are those of plugins/README.md 6.
void check_number(const json::Value& value, const Limits& limits, Errors& errors);
void check_string(std::string_view text, const Limits& limits, Errors& errors);
void check_items(const json::Value& array, const Rules& rules, Errors& errors);
void check_members(const json::Value& object, const Rules& rules, Errors& errors);
// Adds `wrong type: expected <name>, got <type>`.
void wrong_type(std::string_view expected, const json::Value& value, Errors& errors);
// Writes minimum, maxLength, pattern, enum … into a JSON Schema.
void describe(const Limits& limits, json::Value& schema);
void describe_items(const Rules& rules, json::Value& schema);
// A number without needless decimals: "1", "0.5".
std::string number_text(double number);
using json::code_points;
using json::reference_type;

}  // namespace gateway::config
