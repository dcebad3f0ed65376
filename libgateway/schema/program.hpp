// A compiled schema: a list of nodes that name each other by index, so that recursion of schemas is only an index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libgateway/expr/regex.hpp"
#include "libgateway/json/value.hpp"

namespace gateway::schema {

using NodeId = std::uint32_t;
inline constexpr NodeId no_node = UINT32_MAX;

enum TypeBit : std::uint8_t {
    string_bit = 1,
    number_bit = 2,
    integer_bit = 4,
    boolean_bit = 8,
    object_bit = 16,
    array_bit = 32,
    null_bit = 64,
};

struct Property {
    std::string name;
    NodeId node = no_node;
    std::optional<json::Value> fallback;  // `default`
};
struct PatternRule {
    expr::Regex regex;
    std::string text;
    NodeId node = no_node;
};
struct Dependency {
    std::string name;
    std::vector<std::string> names;
    NodeId node = no_node;
};

struct ObjectRules {
    std::vector<Property> properties;  // as written
    std::vector<std::string> sorted;   // their names
    std::vector<std::string> required;
    std::vector<PatternRule> patterns;
    std::vector<Dependency> dependencies;
    NodeId additional = no_node, names = no_node;
    bool closed = false;  // additionalProperties: false
    std::size_t fewest = 0, most = SIZE_MAX;
};
struct ArrayRules {
    NodeId each = no_node, rest = no_node, contains = no_node;
    std::vector<NodeId> tuple;
    bool closed = false;  // additionalItems: false
    bool unique = false;
    std::size_t fewest = 0, most = SIZE_MAX;
};
struct StringRules {
    std::size_t shortest = 0, longest = SIZE_MAX;
    std::optional<expr::Regex> regex;
    std::string pattern;
};
// Numbers as they are written; empty: no limit.
struct NumberRules {
    std::string least, most, above, below, step;
};

struct Node {
    enum class Always : std::uint8_t { depends, fits, fails };
    Always always = Always::depends;
    NodeId reference = no_node;  // then nothing else counts
    std::uint8_t types = 0;      // 0: any
    std::string type_names;      // "string", or "string, number" of several
    bool several_types = false;
    std::optional<ObjectRules> object;
    std::optional<ArrayRules> array;
    std::optional<StringRules> text;
    std::optional<NumberRules> number;
    std::vector<json::Value> choices;
    bool has_choices = false;
    std::optional<json::Value> constant;
    std::vector<NodeId> all, any, one;
    std::string any_required;  // `: ["a"] or ["b"]`
    NodeId negated = no_node, condition = no_node, then_node = no_node, else_node = no_node;
};

struct Program {
    std::vector<Node> nodes;
    NodeId root = no_node;
};

// Throws SchemaError.
Program compile(const json::Value& document);

}  // namespace gateway::schema
