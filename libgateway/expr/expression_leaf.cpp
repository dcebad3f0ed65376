#include "libgateway/expr/expression_leaf.hpp"

#include <algorithm>
#include <array>

#include "libgateway/base/strings.hpp"
#include "libgateway/expr/expression.hpp"
#include "libgateway/expr/json_text.hpp"

namespace gateway::expr {
namespace {

struct OperatorName {
    std::string_view name;
    Operator op;
};
constexpr std::array operator_names{
    OperatorName{"==", Operator::equal},        OperatorName{"~=", Operator::not_equal},
    OperatorName{">", Operator::greater},       OperatorName{">=", Operator::greater_equal},
    OperatorName{"<", Operator::less},          OperatorName{"<=", Operator::less_equal},
    OperatorName{"~~", Operator::matches},      OperatorName{"~*", Operator::matches_any_case},
    OperatorName{"in", Operator::in},           OperatorName{"has", Operator::has},
    OperatorName{"ipmatch", Operator::ipmatch},
};

Operator operator_of(std::string_view name) {
    const std::string lower = to_lower(name);
    for (const OperatorName& known : operator_names) {
        if (known.name == lower) return known.op;
    }
    throw ExpressionError("invalid operator '" + lower + "'");
}

std::string_view name_of(Operator op) noexcept {
    return operator_names[static_cast<std::size_t>(op)].name;
}

// Same type and same content; nothing is converted.
bool identical(const VariableValue& value, const json::Value& literal) noexcept {
    switch (literal.kind()) {
        case json::Kind::null:
            return !value;
        case json::Kind::boolean:
            return value.kind == ValueKind::boolean && value.flag == literal.boolean();
        case json::Kind::string:
            return value.kind == ValueKind::text && value.text == literal.string();
        case json::Kind::number: {
            Number left, right;
            return value.kind == ValueKind::number && left.read(value.text) && right.read(literal.number()) &&
                   compare(left, right) == 0;
        }
        default:
            return false;
    }
}

// An element of a structured list, as a value.
VariableValue element_value(std::string_view text, Arena& scratch) {
    switch (text.front()) {
        case '"':
            return VariableValue::of(unquote_json(text, scratch));
        case 't':
        case 'f':
            return VariableValue::boolean(text.front() == 't');
        case '{':
        case '[':
            return VariableValue::structured(text);
        case 'n':
            return {};
        default:
            return VariableValue::number(text);
    }
}

bool has_text(const VariableValue& value) noexcept {
    return value.kind == ValueKind::text || value.kind == ValueKind::number;
}

}  // namespace

Leaf::Leaf(std::string_view variable, std::string_view op, bool negated, json::Value value)
    : variable_(compile_variable(variable)), op_(operator_of(op)), negated_(negated), value_(std::move(value)) {
    prepare();
}

void Leaf::prepare() {
    const bool orders = op_ >= Operator::greater && op_ <= Operator::less_equal;
    if (value_.is_number()) is_number_ = number_.read(value_.number());
    if (orders && value_.is_string()) is_number_ = number_.read(value_.string());
    if (op_ == Operator::ipmatch) return prepare_addresses();
    if (op_ != Operator::matches && op_ != Operator::matches_any_case) return;
    const std::string pattern = value_.is_string() ? value_.string() : json::write(value_);
    if (!value_.is_string()) throw ExpressionError("invalid regex '" + pattern + "': a string is expected");
    try {
        regex_ = std::make_unique<const Regex>(
            pattern, op_ == Operator::matches ? RegexCase::sensitive : RegexCase::insensitive);
    } catch (const RegexError& error) {
        throw ExpressionError("invalid regex '" + pattern + "': " + error.what());
    }
}

void Leaf::prepare_addresses() {
    std::vector<Cidr> networks;
    const auto take = [&](const json::Value& item) {
        if (!item.is_string() || item.string().empty()) throw ExpressionError("invalid ip address");
        const auto network = parse_cidr(item.string());
        if (!network) throw ExpressionError("invalid ip address: " + item.string());
        networks.push_back(*network);
    };
    if (value_.is_array()) {
        for (const json::Value& item : value_.items()) take(item);
    } else {
        take(value_);
    }
    if (networks.empty()) throw ExpressionError("invalid ip address");
    addresses_ = CidrSet(networks);
}

bool Leaf::holds(const VariableSource& source) const {
    VariableValue value;
    if (!source.read(variable_, value)) value = {};
    switch (op_) {
        case Operator::equal:
            return equals(value);
        case Operator::not_equal:
            return !equals(value);
        case Operator::matches:
        case Operator::matches_any_case:
            return has_text(value) && regex_->search(value.text);
        case Operator::in:
            return listed(value);
        case Operator::has:
            return lists(value);
        case Operator::ipmatch: {
            const auto address = value.kind == ValueKind::text ? parse_address(value.text) : std::nullopt;
            return address && addresses_.contains(*address);
        }
        default:
            return orders(value);
    }
}

bool Leaf::equals(const VariableValue& value) const noexcept {
    if (!is_number_) return identical(value, value_);
    Number number;
    return has_text(value) && number.read(value.text) && compare(number, number_) == 0;
}

bool Leaf::orders(const VariableValue& value) const noexcept {
    Number number;
    if (!is_number_ || !has_text(value) || !number.read(value.text)) return false;
    const int order = compare(number, number_);
    switch (op_) {
        case Operator::greater:
            return order > 0;
        case Operator::greater_equal:
            return order >= 0;
        case Operator::less:
            return order < 0;
        default:
            return order <= 0;
    }
}

bool Leaf::listed(const VariableValue& value) const noexcept {
    if (!value || !value_.is_array()) return false;
    const auto& items = value_.items();
    return std::any_of(items.begin(), items.end(), [&](const json::Value& item) { return identical(value, item); });
}

bool Leaf::lists(const VariableValue& value) const {
    const auto same = [this](const VariableValue& item) { return item && identical(item, value_); };
    if (value.kind == ValueKind::list) return std::any_of(value.items.begin(), value.items.end(), same);
    if (value.kind != ValueKind::structured) return false;
    Arena scratch(256);  // takes memory only for elements with escapes
    for (JsonChildren children(value.text); !children.object() && children.next();) {
        if (same(element_value(children.value(), scratch))) return true;
    }
    return false;
}

std::string Leaf::text(Form form) const {
    const bool bare = form == Form::plain && value_.is_string();
    return variable_.name + (negated_ ? " ! " : " ") + std::string(name_of(op_)) + " " +
           (bare ? value_.string() : json::write(value_));
}

}  // namespace gateway::expr
