#include "libgateway/expr/expression.hpp"

#include <algorithm>

#include "libgateway/base/log.hpp"
#include "libgateway/base/strings.hpp"
#include "libgateway/expr/expression_leaf.hpp"
#include "libgateway/expr/regex.hpp"

namespace gateway::expr {

enum class Logic : std::uint8_t { all, any, not_all, none, leaf };

struct ExpressionNode {
    Logic logic = Logic::all;
    std::vector<ExpressionNode> operands;
    std::unique_ptr<const Leaf> leaf;
};

namespace {

constexpr int depth_limit = 100;

std::optional<Logic> logic_of(const json::Value& word) {
    if (!word.is_string()) return std::nullopt;
    if (iequals(word.string(), "AND")) return Logic::all;
    if (iequals(word.string(), "OR")) return Logic::any;
    if (iequals(word.string(), "!AND")) return Logic::not_all;
    if (iequals(word.string(), "!OR")) return Logic::none;
    return std::nullopt;
}

ExpressionNode compile_condition(const json::Value& rule, int depth);

ExpressionNode compile_operands(Logic logic, const json::Value& rule, std::size_t from, int depth) {
    ExpressionNode node;
    node.logic = logic;
    for (std::size_t i = from; i < rule.size(); ++i)
        node.operands.push_back(compile_condition(rule.items()[i], depth + 1));
    return node;
}

ExpressionNode compile_leaf(const json::Value& rule) {
    const auto& items = rule.items();
    if (items.size() < 2 || items.size() > 4 || !items[0].is_string()) throw ExpressionError("invalid expression");
    ExpressionNode node;
    node.logic = Logic::leaf;
    const std::string& variable = items[0].string();
    if (items.size() == 2) {
        json::Value value = items[1].is_string() ? json::Value(to_lower(items[1].string())) : items[1];
        node.leaf = std::make_unique<const Leaf>(variable, "==", false, std::move(value));
        return node;
    }
    const bool negated = items.size() == 4;
    if (negated && items[1].string() != "!") throw ExpressionError("bad 'not' expression");
    const json::Value& op = items[items.size() - 2];
    const std::string name = op.is_string() ? op.string() : json::write(op);
    node.leaf = std::make_unique<const Leaf>(variable, name, negated, items.back());
    return node;
}

// `rule` is a non-empty array that begins with an array or a LOGIC word; nothing if it begins otherwise.
std::optional<ExpressionNode> compile_group(const json::Value& rule, int depth) {
    if (rule.items().front().is_array()) return compile_operands(Logic::all, rule, 0, depth);
    const auto logic = logic_of(rule.items().front());
    if (!logic) return std::nullopt;
    if (rule.size() < 3) throw ExpressionError("rule too short");
    return compile_operands(*logic, rule, 1, depth);
}

ExpressionNode compile_condition(const json::Value& rule, int depth) {
    if (!rule.is_array() || depth > depth_limit) throw ExpressionError("invalid expression");
    if (rule.items().empty()) throw ExpressionError("rule too short");
    if (auto group = compile_group(rule, depth)) return std::move(*group);
    return compile_leaf(rule);
}

bool evaluate_node(const ExpressionNode& node, const VariableSource& source) {
    const auto holds = [&](const ExpressionNode& operand) { return evaluate_node(operand, source); };
    const auto& operands = node.operands;
    switch (node.logic) {
        case Logic::all:
            return std::all_of(operands.begin(), operands.end(), holds);
        case Logic::any:
            return std::any_of(operands.begin(), operands.end(), holds);
        case Logic::not_all:
            return !std::all_of(operands.begin(), operands.end(), holds);
        case Logic::none:
            return std::none_of(operands.begin(), operands.end(), holds);
        default:
            return node.leaf->evaluate(source);
    }
}

bool node_needs_body(const ExpressionNode& node) noexcept {
    if (node.leaf) return node.leaf->variable().needs_body();
    return std::any_of(node.operands.begin(), node.operands.end(), node_needs_body);
}

std::string node_text(const ExpressionNode& node, Form form) {
    if (node.leaf) return node.leaf->text(form);
    constexpr std::string_view names[] = {"AND", "OR", "!AND", "!OR"};
    std::string out(names[static_cast<std::size_t>(node.logic)]);
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
        out += (i == 0 ? "(" : ", ") + node_text(node.operands[i], form);
    }
    return out + ")";
}

void collect_conjuncts(const ExpressionNode& node, std::vector<std::string>& out) {
    if (node.logic != Logic::all) return out.push_back(node_text(node, Form::exact));
    for (const ExpressionNode& operand : node.operands) collect_conjuncts(operand, out);
}

}  // namespace

Expression::Expression() noexcept = default;
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;
Expression::~Expression() = default;

Expression::Expression(const json::Value& rule) {
    if (rule.is_null()) throw ExpressionError("missing argument rule");
    if (!rule.is_array()) throw ExpressionError("rule should be wrapped inside brackets");
    if (rule.items().empty()) return;
    auto group = compile_group(rule, 0);
    if (!group) throw ExpressionError("rule should be wrapped inside brackets");
    root_ = std::make_unique<const ExpressionNode>(std::move(*group));
}

bool Expression::evaluate(const VariableSource& source) const {
    if (!root_) return true;
    const std::uint64_t given_up = match_limit_hits();
    const bool result = evaluate_node(*root_, source);
    if (match_limit_hits() == given_up) return result;
    // Not just that comparison: under a negation its failure would let the request in.
    log::error("an expression counts as false, a search in it took too long: {}", node_text(*root_, Form::plain));
    return false;
}

bool Expression::needs_body() const noexcept {
    return root_ && node_needs_body(*root_);
}

std::string Expression::first_failure(const VariableSource& source) const {
    if (evaluate(source)) return {};
    if (root_->logic != Logic::all) return ": " + node_text(*root_, Form::plain);
    for (std::size_t i = 0; i < root_->operands.size(); ++i) {
        const ExpressionNode& operand = root_->operands[i];
        if (!evaluate_node(operand, source)) return "[" + std::to_string(i) + "]: " + node_text(operand, Form::plain);
    }
    return ": a search took too long";
}

std::vector<std::string> Expression::conjuncts() const {
    std::vector<std::string> out;
    if (root_) collect_conjuncts(*root_, out);
    return out;
}

}  // namespace gateway::expr
