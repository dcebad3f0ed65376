#include <algorithm>
#include <array>
#include <map>

#include "libgateway/base/strings.hpp"
#include "libgateway/schema/program.hpp"
#include "libgateway/schema/schema.hpp"

namespace gateway::schema {
namespace {

constexpr int deepest = 256;
constexpr std::size_t most_nodes = 100'000;

[[noreturn]] void refuse(std::string_view keyword, std::string_view expected) {
    std::string text = "invalid schema: \"";
    throw SchemaError(text.append(keyword).append("\" must be ").append(expected));
}

std::uint8_t bit_of(std::string_view type) {
    constexpr std::array<std::pair<std::string_view, std::uint8_t>, 8> known{{{"string", string_bit},
                                                                              {"number", number_bit},
                                                                              {"integer", integer_bit},
                                                                              {"boolean", boolean_bit},
                                                                              {"object", object_bit},
                                                                              {"array", array_bit},
                                                                              {"null", null_bit},
                                                                              {"table", object_bit | array_bit}}};
    for (const auto& [name, bit] : known) {
        if (name == type) return bit;
    }
    throw SchemaError("invalid JSON type: " + std::string(type));
}

class Compiler {
public:
    explicit Compiler(const json::Value& document) : document_(document) {}

    Program run() {
        program_.root = node(document_, 0);
        return std::move(program_);
    }

private:
    // One node per place of the document, made before what is below it, so that a reference may lead upwards.
    NodeId node(const json::Value& schema, int depth) {
        if (const auto known = made_.find(&schema); known != made_.end()) return known->second;
        if (depth > deepest) throw SchemaError("invalid schema: nested too deeply");
        if (program_.nodes.size() == most_nodes) throw SchemaError("invalid schema: too large");
        if (!schema.is_object() && !schema.is_boolean() && !(schema.is_array() && schema.size() == 0)) {
            throw SchemaError("invalid schema: expected an object or a boolean");
        }
        const auto id = static_cast<NodeId>(program_.nodes.size());
        made_.emplace(&schema, id);
        program_.nodes.emplace_back();
        Node built = build(schema, depth + 1);
        program_.nodes[id] = std::move(built);
        return id;
    }

    Node build(const json::Value& schema, int depth) {
        Node out;
        if (schema.is_boolean()) {
            out.always = schema.boolean() ? Node::Always::fits : Node::Always::fails;
            return out;
        }
        if (const json::Value* reference = schema.find("$ref")) {
            if (!reference->is_string()) refuse("$ref", "a string");
            out.reference = node(target(reference->string()), depth);
            return out;
        }
        read_types(schema, out);
        read_object(schema, out, depth);
        read_array(schema, out, depth);
        read_text(schema, out);
        read_number(schema, out);
        read_choices(schema, out);
        read_branches(schema, out, depth);
        return out;
    }

    // A JSON pointer (RFC 6901) as a fragment, percent-decoded.
    const json::Value& target(const std::string& reference) const {
        const auto unknown = [&reference] { return SchemaError("invalid schema: cannot resolve $ref " + reference); };
        if (!reference.starts_with('#')) throw unknown();
        const json::Value* at = &document_;
        std::string_view rest = std::string_view(reference).substr(1);
        while (!rest.empty()) {
            if (rest.front() != '/') throw unknown();
            rest.remove_prefix(1);
            const std::string key = plain(rest.substr(0, rest.find('/')));
            rest.remove_prefix(std::min(rest.find('/'), rest.size()));
            const auto index = parse_decimal<std::size_t>(key);
            const bool item = at->is_array() && index && *index < at->size();
            at = item ? &at->items()[*index] : at->find(key);
            if (!at) throw unknown();
        }
        return *at;
    }
    static std::string plain(std::string_view step) {
        std::string out;
        for (std::size_t i = 0; i < step.size(); ++i) {
            const bool escaped =
                step[i] == '%' && i + 2 < step.size() && hex_value(step[i + 1]) >= 0 && hex_value(step[i + 2]) >= 0;
            out += escaped ? static_cast<char>(hex_value(step[i + 1]) * 16 + hex_value(step[i + 2])) : step[i];
            if (escaped) i += 2;
        }
        for (const auto& [from, to] : {std::pair{"~1", "/"}, std::pair{"~0", "~"}}) {
            for (std::size_t at = 0; (at = out.find(from, at)) != std::string::npos; ++at) out.replace(at, 2, to);
        }
        return out;
    }

    static void read_types(const json::Value& schema, Node& out) {
        const json::Value* type = schema.find("type");
        if (!type) return;
        if (type->is_string()) {
            out.types = bit_of(type->string());
            out.type_names = type->string();
            return;
        }
        if (!type->is_array() || type->size() == 0) refuse("type", "a string or an array of strings");
        out.several_types = true;
        for (const json::Value& each : type->items()) {
            if (!each.is_string()) refuse("type", "a string or an array of strings");
            out.types = static_cast<std::uint8_t>(out.types | bit_of(each.string()));
            out.type_names.append(out.type_names.empty() ? "" : ", ").append(each.string());
        }
    }

    static std::size_t count(const json::Value& schema, std::string_view keyword, std::size_t otherwise) {
        const json::Value* value = schema.find(keyword);
        if (!value) return otherwise;
        const auto number = value->as_int64();
        if (!number || *number < 0) refuse(keyword, "a whole number of 0 or more");
        return static_cast<std::size_t>(*number);
    }
    static bool flag(const json::Value& schema, std::string_view keyword) {
        const json::Value* value = schema.find(keyword);
        if (value && !value->is_boolean()) refuse(keyword, "a boolean");
        return value && value->boolean();
    }
    static std::vector<std::string> names(const json::Value& list, std::string_view keyword) {
        std::vector<std::string> out;
        if (!list.is_array() && !(list.is_object() && list.size() == 0)) refuse(keyword, "an array of strings");
        for (const json::Value& name : list.items()) {
            if (!name.is_string()) refuse(keyword, "an array of strings");
            out.push_back(name.string());
        }
        return out;
    }
    static const json::Value::Object& members(const json::Value& schema, std::string_view keyword) {
        static const json::Value::Object none;
        const json::Value* value = schema.find(keyword);
        if (!value || (value->is_array() && value->size() == 0)) return none;
        if (!value->is_object()) refuse(keyword, "an object");
        return value->members();
    }
    NodeId optional_node(const json::Value& schema, std::string_view keyword, int depth) {
        const json::Value* value = schema.find(keyword);
        return value ? node(*value, depth) : no_node;
    }
    static expr::Regex regex(const std::string& pattern) {
        try {
            return expr::Regex(pattern);
        } catch (const expr::RegexError& error) {
            throw SchemaError("invalid pattern \"" + pattern + "\": " + error.what());
        }
    }
    static bool has_any(const json::Value& schema, std::initializer_list<std::string_view> keywords) {
        return std::any_of(keywords.begin(), keywords.end(), [&](std::string_view word) { return schema.find(word); });
    }

    void read_object(const json::Value& schema, Node& out, int depth) {
        if (!has_any(schema, {"properties", "required", "patternProperties", "additionalProperties", "dependencies",
                              "propertyNames", "minProperties", "maxProperties"})) {
            return;
        }
        ObjectRules rules;
        for (const json::Member& member : members(schema, "properties")) {
            const json::Value* fallback = member.value.find("default");
            Property property{member.key, node(member.value, depth), {}};
            if (fallback) property.fallback = *fallback;
            rules.properties.push_back(std::move(property));
            rules.sorted.push_back(member.key);
        }
        std::sort(rules.sorted.begin(), rules.sorted.end());
        if (const json::Value* required = schema.find("required"); required && !required->is_boolean()) {
            rules.required = names(*required, "required");
        }
        for (const json::Member& member : members(schema, "patternProperties")) {
            rules.patterns.push_back({regex(member.key), member.key, node(member.value, depth)});
        }
        const json::Value* additional = schema.find("additionalProperties");
        rules.closed = additional && additional->is_boolean() && !additional->boolean();
        if (additional && !additional->is_boolean()) rules.additional = node(*additional, depth);
        for (const json::Member& member : members(schema, "dependencies")) {
            Dependency dependency{member.key, {}, no_node};
            if (member.value.is_array()) {
                dependency.names = names(member.value, "dependencies");
            } else {
                dependency.node = node(member.value, depth);
            }
            rules.dependencies.push_back(std::move(dependency));
        }
        rules.names = optional_node(schema, "propertyNames", depth);
        rules.fewest = count(schema, "minProperties", 0);
        rules.most = count(schema, "maxProperties", SIZE_MAX);
        out.object = std::move(rules);
    }

    void read_array(const json::Value& schema, Node& out, int depth) {
        if (!has_any(schema, {"items", "additionalItems", "contains", "minItems", "maxItems", "uniqueItems"})) return;
        ArrayRules rules;
        const json::Value* items = schema.find("items");
        if (items && items->is_array() && items->size() > 0) {
            for (const json::Value& item : items->items()) rules.tuple.push_back(node(item, depth));
            const json::Value* rest = schema.find("additionalItems");
            rules.closed = rest && rest->is_boolean() && !rest->boolean();
            if (rest && !rest->is_boolean()) rules.rest = node(*rest, depth);
        } else if (items) {
            rules.each = node(*items, depth);
        }
        rules.contains = optional_node(schema, "contains", depth);
        rules.unique = flag(schema, "uniqueItems");
        rules.fewest = count(schema, "minItems", 0);
        rules.most = count(schema, "maxItems", SIZE_MAX);
        out.array = std::move(rules);
    }

    static void read_text(const json::Value& schema, Node& out) {
        if (!has_any(schema, {"minLength", "maxLength", "pattern"})) return;
        StringRules rules;
        rules.shortest = count(schema, "minLength", 0);
        rules.longest = count(schema, "maxLength", SIZE_MAX);
        if (const json::Value* pattern = schema.find("pattern")) {
            if (!pattern->is_string()) refuse("pattern", "a string");
            rules.pattern = pattern->string();
            rules.regex = regex(rules.pattern);
        }
        out.text = std::move(rules);
    }

    static std::string limit(const json::Value& schema, std::string_view keyword) {
        const json::Value* value = schema.find(keyword);
        if (!value) return {};
        if (!value->is_number()) refuse(keyword, "a number");
        return value->number();
    }
    // Draft 4 has booleans beside minimum and maximum, later drafts numbers of their own.
    static void read_bound(const json::Value& schema, std::string_view keyword, std::string_view exclusive,
                           std::string& closed, std::string& open) {
        closed = limit(schema, keyword);
        const json::Value* sharp = schema.find(exclusive);
        if (!sharp) return;
        if (!sharp->is_boolean()) {
            open = limit(schema, exclusive);
        } else if (sharp->boolean()) {
            open = std::exchange(closed, {});
        }
    }
    static void read_number(const json::Value& schema, Node& out) {
        if (!has_any(schema, {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})) return;
        NumberRules rules;
        read_bound(schema, "minimum", "exclusiveMinimum", rules.least, rules.above);
        read_bound(schema, "maximum", "exclusiveMaximum", rules.most, rules.below);
        rules.step = limit(schema, "multipleOf");
        if (!rules.step.empty() && json::compare_numbers(rules.step, "0") <= 0) {
            refuse("multipleOf", "a number above 0");
        }
        out.number = std::move(rules);
    }

    static void read_choices(const json::Value& schema, Node& out) {
        if (const json::Value* choices = schema.find("enum")) {
            if (!choices->is_array()) refuse("enum", "an array");
            out.choices = choices->items();
            out.has_choices = true;
        }
        if (const json::Value* constant = schema.find("const")) out.constant = *constant;
    }

    std::vector<NodeId> branches(const json::Value& schema, std::string_view keyword, int depth) {
        std::vector<NodeId> out;
        const json::Value* list = schema.find(keyword);
        if (!list) return out;
        if (!list->is_array() || list->size() == 0) refuse(keyword, "an array of schemas");
        for (const json::Value& branch : list->items()) out.push_back(node(branch, depth));
        return out;
    }
    void read_branches(const json::Value& schema, Node& out, int depth) {
        out.all = branches(schema, "allOf", depth);
        out.any = branches(schema, "anyOf", depth);
        out.one = branches(schema, "oneOf", depth);
        if (!out.any.empty()) {
            for (const json::Value& branch : schema.find("anyOf")->items()) {
                const json::Value* required = branch.find("required");
                if (!required || !required->is_array()) continue;
                out.any_required.append(out.any_required.empty() ? ": " : " or ").append(json::write(*required));
            }
        }
        out.negated = optional_node(schema, "not", depth);
        out.condition = optional_node(schema, "if", depth);
        out.then_node = optional_node(schema, "then", depth);
        out.else_node = optional_node(schema, "else", depth);
    }

    const json::Value& document_;
    Program program_;
    std::map<const json::Value*, NodeId> made_;
};

}  // namespace

Program compile(const json::Value& document) {
    return Compiler(document).run();
}

}  // namespace gateway::schema
