// Conditions over variables (`vars`, `_meta.filter`, plugin conditions): grammar and operators of router.md 8.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "libgateway/base/ref_counted.hpp"
#include "libgateway/expr/variable.hpp"
#include "libgateway/json/value.hpp"

namespace gateway::expr {

// what() is the exact text of router.md 8.3, to be wrapped by the caller.
struct ExpressionError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct ExpressionNode;

// Compiled with the configuration, immutable, used by one thread; hold it by Ref or unique_ptr. Evaluation allocates
// nothing of its own and never throws or fails: an expression with a search that gives up is false as a whole, also
// where that search is negated, and the error log says so.
class Expression : public RefCounted {
public:
    // The empty expression, always true.
    Expression() noexcept;
    // Throws ExpressionError.
    explicit Expression(const json::Value& rule);
    Expression(Expression&&) noexcept;
    Expression& operator=(Expression&&) noexcept;
    ~Expression();

    bool evaluate(const VariableSource& source) const;
    bool always() const noexcept { return root_ == nullptr; }
    // Whether a variable of it may need the request body.
    bool needs_body() const noexcept;

    // For explain: the first operand of the outermost AND that is false, as "[1]: arg_n == jack"; empty if all hold.
    std::string first_failure(const VariableSource& source) const;
    // The operands of the outermost AND in a canonical text form: equal texts mean equal conditions.
    std::vector<std::string> conjuncts() const;

private:
    std::unique_ptr<const ExpressionNode> root_;
};

}  // namespace gateway::expr
