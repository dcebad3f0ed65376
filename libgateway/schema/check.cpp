#include <algorithm>

#include "libgateway/schema/program.hpp"
#include "libgateway/schema/schema.hpp"
#include "libgateway/schema/values.hpp"

namespace gateway::schema {
namespace {

constexpr int deepest = 500;
constexpr std::size_t most_steps = 2'000'000;
constexpr std::size_t longest_quote = 1000;

// One check of one document. `fill`: whether defaults are added. A false answer leaves its reason in `why`.
class Checker {
public:
    explicit Checker(const Program& program) : program_(program) {}

    bool fits(NodeId id, json::Value& value, bool fill);
    std::string& why() noexcept { return why_; }

private:
    bool fail(std::string text) {
        why_ = std::move(text);
        return false;
    }
    bool under(std::string prefix) {
        why_.insert(0, prefix);
        return false;
    }

    bool fits_node(const Node& node, json::Value& value, bool fill);
    bool fits_type(const Node& node, const json::Value& value);
    bool fits_object(const ObjectRules& rules, json::Value& value, bool fill);
    bool fits_property(const Property& property, json::Value& object, bool fill, bool& present);
    bool fits_dependencies(const ObjectRules& rules, json::Value& object, bool fill);
    bool fits_others(const ObjectRules& rules, json::Value& object, bool fill);
    bool fits_patterns(const ObjectRules& rules, json::Member& member, bool fill, bool& matched);
    bool fits_array(const ArrayRules& rules, json::Value& value, bool fill);
    bool fits_items(const ArrayRules& rules, json::Value::Array& items, bool fill);
    bool fits_text(const StringRules& rules, const std::string& text);
    bool fits_number(const NumberRules& rules, const std::string& text);
    bool fits_choices(const Node& node, const json::Value& value);
    bool fits_branches(const Node& node, json::Value& value, bool fill);
    bool fits_one(const Node& node, json::Value& value);
    bool fits_condition(const Node& node, json::Value& value, bool fill);

    const Program& program_;
    std::string why_;
    int depth_ = 0;
    std::size_t steps_ = 0;
};

bool Checker::fits(NodeId id, json::Value& value, bool fill) {
    if (++steps_ > most_steps) return fail("the schema takes too long to check");
    if (depth_ == deepest) return fail("nested too deeply");
    ++depth_;
    const bool good = fits_node(program_.nodes[id], value, fill);
    --depth_;
    return good;
}

bool Checker::fits_node(const Node& node, json::Value& value, bool fill) {
    if (node.always == Node::Always::fails) return fail("expect false always");
    if (node.reference != no_node) return fits(node.reference, value, fill);
    if (node.types != 0 && !fits_type(node, value)) return false;
    if (node.object && is_object_like(value) && !fits_object(*node.object, value, fill)) return false;
    if (node.array && is_array_like(value) && !fits_array(*node.array, value, fill)) return false;
    if (node.text && value.is_string() && !fits_text(*node.text, value.string())) return false;
    if (node.number && value.is_number() && !fits_number(*node.number, value.number())) return false;
    return fits_choices(node, value) && fits_branches(node, value, fill);
}

bool Checker::fits_type(const Node& node, const json::Value& value) {
    std::uint8_t bits = 0;
    switch (value.kind()) {
        case json::Kind::null:
            bits = null_bit;
            break;
        case json::Kind::boolean:
            bits = boolean_bit;
            break;
        case json::Kind::number:
            bits = number_bit | (is_whole(value.number()) ? integer_bit : 0);
            break;
        case json::Kind::string:
            bits = string_bit;
            break;
        default:
            bits = static_cast<std::uint8_t>((is_object_like(value) ? object_bit : 0) |
                                             (is_array_like(value) ? array_bit : 0));
    }
    if (node.types & bits) return true;
    const std::string expected = node.several_types ? "one of <" + node.type_names + ">" : node.type_names;
    return fail("wrong type: expected " + expected + ", got " + std::string(reference_type(value)));
}

bool Checker::fits_property(const Property& property, json::Value& object, bool fill, bool& present) {
    json::Value* found = object.find(property.name);
    json::Value assumed;
    if (!found && property.fallback) {
        assumed = *property.fallback;
        found = fill && object.is_object() ? &object.set(property.name, assumed) : &assumed;
    }
    present = found != nullptr;
    if (!found || fits(property.node, *found, fill)) return true;
    return under("property \"" + property.name + "\" validation failed: ");
}

bool Checker::fits_dependencies(const ObjectRules& rules, json::Value& object, bool fill) {
    for (const Dependency& dependency : rules.dependencies) {
        if (!object.find(dependency.name)) continue;
        for (const std::string& name : dependency.names) {
            if (!object.find(name)) {
                return fail("property \"" + name + "\" is required when \"" + dependency.name + "\" is set");
            }
        }
        if (dependency.node != no_node && !fits(dependency.node, object, fill)) {
            return under("failed to validate dependent schema for \"" + dependency.name + "\": ");
        }
    }
    return true;
}

bool Checker::fits_object(const ObjectRules& rules, json::Value& object, bool fill) {
    std::vector<std::string_view> assumed;
    for (const Property& property : rules.properties) {
        bool present = false;
        if (!fits_property(property, object, fill, present)) return false;
        const bool needed =
            std::find(rules.required.begin(), rules.required.end(), property.name) != rules.required.end();
        if (needed && !present) return fail("property \"" + property.name + "\" is required");
        if (present && !fill && needed) assumed.push_back(property.name);
    }
    for (const std::string& name : rules.required) {
        const bool known = object.find(name) || std::find(assumed.begin(), assumed.end(), name) != assumed.end();
        if (!known) return fail("property \"" + name + "\" is required");
    }
    if (!fits_dependencies(rules, object, fill) || !fits_others(rules, object, fill)) return false;
    const std::string bounds = "expect object to have at ";
    if (object.size() < rules.fewest) return fail(bounds + "least " + std::to_string(rules.fewest) + " properties");
    if (object.size() > rules.most) return fail(bounds + "most " + std::to_string(rules.most) + " properties");
    return true;
}

bool Checker::fits_patterns(const ObjectRules& rules, json::Member& member, bool fill, bool& matched) {
    for (const PatternRule& pattern : rules.patterns) {
        if (pattern.regex.match(member.key, nullptr) == expr::RegexResult::no_match) continue;
        matched = true;
        if (!fits(pattern.node, member.value, fill)) {
            return under("failed to validate " + member.key + " (matching \"" + pattern.text + "\"): ");
        }
    }
    return true;
}

bool Checker::fits_others(const ObjectRules& rules, json::Value& object, bool fill) {
    const bool open = rules.patterns.empty() && !rules.closed && rules.additional == no_node;
    if (!object.is_object() || (open && rules.names == no_node)) return true;
    for (json::Member& member : object.make_object()) {
        json::Value name(member.key);
        if (rules.names != no_node && !fits(rules.names, name, false)) {
            return under("failed to validate property name " + member.key + ": ");
        }
        bool matched = std::binary_search(rules.sorted.begin(), rules.sorted.end(), member.key);
        if (!fits_patterns(rules, member, fill, matched)) return false;
        if (matched) continue;
        if (rules.closed) return fail("additional properties forbidden, found " + member.key);
        if (rules.additional != no_node && !fits(rules.additional, member.value, fill)) {
            return under("failed to validate additional property " + member.key + ": ");
        }
    }
    return true;
}

bool Checker::fits_items(const ArrayRules& rules, json::Value::Array& items, bool fill) {
    for (std::size_t i = 0; i < items.size(); ++i) {
        const bool beyond = i >= rules.tuple.size();
        if (beyond && rules.closed) return fail("found unexpected extra items in array");
        const NodeId id = !beyond ? rules.tuple[i] : rules.tuple.empty() ? rules.each : rules.rest;
        if (id != no_node && !fits(id, items[i], fill)) {
            return under("failed to validate item " + std::to_string(i + 1) + ": ");
        }
    }
    return true;
}

bool Checker::fits_array(const ArrayRules& rules, json::Value& value, bool fill) {
    const std::string bounds = "expect array to have at ";
    if (value.size() < rules.fewest) return fail(bounds + "least " + std::to_string(rules.fewest) + " items");
    if (value.size() > rules.most) return fail(bounds + "most " + std::to_string(rules.most) + " items");
    static json::Value::Array none;
    json::Value::Array& items = value.is_array() ? value.make_array() : none;
    if (!fits_items(rules, items, fill)) return false;
    if (rules.contains != no_node) {
        const bool any = std::any_of(items.begin(), items.end(),
                                     [&](json::Value& item) { return fits(rules.contains, item, false); });
        if (!any) return fail("no item matches the schema of \"contains\"");
    }
    const auto pair = rules.unique ? first_equal_pair(items) : std::nullopt;
    if (!pair) return true;
    return fail("expected unique items but items " + std::to_string(pair->first + 1) + " and " +
                std::to_string(pair->second + 1) + " are equal");
}

bool Checker::fits_text(const StringRules& rules, const std::string& text) {
    const std::size_t size = code_points(text);
    const std::string got = ", got " + std::to_string(size);
    if (size < rules.shortest) {
        return fail("string too short, expected at least " + std::to_string(rules.shortest) + got);
    }
    if (size > rules.longest) return fail("string too long, expected at most " + std::to_string(rules.longest) + got);
    if (!rules.regex || rules.regex->match(text, nullptr) == expr::RegexResult::match) return true;
    return fail("failed to match pattern \"" + rules.pattern + "\" with \"" + text.substr(0, longest_quote) + "\"");
}

bool Checker::fits_number(const NumberRules& rules, const std::string& text) {
    const auto refuse = [&](std::string_view how, const std::string& limit) {
        return fail("expected " + text.substr(0, longest_quote) + " to be " + std::string(how) + limit);
    };
    const auto order = [&text](const std::string& limit) { return json::compare_numbers(text, limit); };
    if (!rules.least.empty() && order(rules.least) < 0) return refuse("at least ", rules.least);
    if (!rules.above.empty() && order(rules.above) <= 0) return refuse("greater than ", rules.above);
    if (!rules.most.empty() && order(rules.most) > 0) return refuse("at most ", rules.most);
    if (!rules.below.empty() && order(rules.below) >= 0) return refuse("smaller than ", rules.below);
    if (!rules.step.empty() && !is_multiple(text, rules.step)) return refuse("a multiple of ", rules.step);
    return true;
}

bool Checker::fits_choices(const Node& node, const json::Value& value) {
    const auto same = [&value](const json::Value& other) { return json::equal(value, other); };
    if (node.has_choices && std::none_of(node.choices.begin(), node.choices.end(), same)) {
        return fail("matches none of the enum values");
    }
    return !node.constant || same(*node.constant) || fail("failed to check const value");
}

bool Checker::fits_one(const Node& node, json::Value& value) {
    std::size_t first = 0;
    for (std::size_t i = 0; i < node.one.size(); ++i) {
        if (!fits(node.one[i], value, false)) continue;
        if (first != 0) {
            return fail("value should match only one schema, but matches both schemas " + std::to_string(first) +
                        " and " + std::to_string(i + 1));
        }
        first = i + 1;
    }
    return first != 0 || fail("value should match only one schema, but matches none");
}

bool Checker::fits_condition(const Node& node, json::Value& value, bool fill) {
    const bool holds = fits(node.condition, value, false);
    const NodeId next = holds ? node.then_node : node.else_node;
    if (next == no_node || fits(next, value, fill)) return true;
    return fail(holds ? "then clause did not match" : "else clause did not match");
}

bool Checker::fits_branches(const Node& node, json::Value& value, bool fill) {
    if (node.negated != no_node && fits(node.negated, value, false)) {
        return fail("value wasn't supposed to match schema");
    }
    for (std::size_t i = 0; i < node.all.size(); ++i) {
        if (!fits(node.all[i], value, fill)) return under("allOf " + std::to_string(i + 1) + " failed: ");
    }
    const auto matches = [&](NodeId id) { return fits(id, value, false); };
    if (!node.any.empty() && std::none_of(node.any.begin(), node.any.end(), matches)) {
        return fail("object matches none of the required" + node.any_required);
    }
    if (!node.one.empty() && !fits_one(node, value)) return false;
    return node.condition == no_node || fits_condition(node, value, fill);
}

}  // namespace

Schema::Schema(const json::Value& document) : program_(std::make_unique<const Program>(compile(document))) {}
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;
Schema::~Schema() = default;

std::string Schema::check(json::Value& value) const {
    Checker checker(*program_);
    if (checker.fits(program_->root, value, true)) return {};
    return std::move(checker.why());
}

}  // namespace gateway::schema
