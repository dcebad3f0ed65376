// One comparison of an expression: variable, operator, literal, with all that can be prepared at load time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "libgateway/expr/cidr.hpp"
#include "libgateway/expr/number.hpp"
#include "libgateway/expr/regex.hpp"
#include "libgateway/expr/variable.hpp"
#include "libgateway/json/value.hpp"

namespace gateway::expr {

enum class Operator : std::uint8_t {
    equal,
    not_equal,
    greater,
    greater_equal,
    less,
    less_equal,
    matches,
    matches_any_case,
    in,
    has,
    ipmatch
};

// How an expression is written out: for people, or so that equal texts mean equal conditions.
enum class Form : std::uint8_t { plain, exact };

// Private to the room. Does not move: parts of it view others.
class Leaf {
public:
    // `op` in any letter case. Throws ExpressionError.
    Leaf(std::string_view variable, std::string_view op, bool negated, json::Value value);
    Leaf(const Leaf&) = delete;
    Leaf& operator=(const Leaf&) = delete;

    bool evaluate(const VariableSource& source) const { return holds(source) != negated_; }
    const Variable& variable() const noexcept { return variable_; }
    std::string text(Form form) const;

private:
    void prepare();
    void prepare_addresses();
    bool holds(const VariableSource& source) const;
    bool equals(const VariableValue& value) const noexcept;
    bool orders(const VariableValue& value) const noexcept;
    bool listed(const VariableValue& value) const noexcept;
    bool lists(const VariableValue& value) const;

    Variable variable_;
    Operator op_;
    bool negated_;
    bool is_number_ = false;  // the literal, or for orderings its text
    json::Value value_;
    Number number_;  // views value_
    std::unique_ptr<const Regex> regex_;
    CidrSet addresses_;
};

}  // namespace gateway::expr
