#include "libgateway/config/schema.hpp"

#include <algorithm>

#include "libgateway/base/strings.hpp"

namespace gateway::config {

namespace {

bool common_of_plugins(std::string_view key) noexcept {
    return key == "_meta" || key == "disable";
}

void check_unknown(const json::Value& value, const detail::Shape& shape, Errors& errors) {
    const auto end = shape.names + shape.name_count;
    for (const json::Member& member : value.members()) {
        if (std::find(shape.names, end, member.key) != end) continue;
        if (shape.openness == Openness::plugin && common_of_plugins(member.key)) continue;
        const std::string_view near = nearest(member.key, shape.names, shape.name_count);
        std::string hint;
        if (!near.empty()) hint.append("did you mean \"").append(near).append("\"?");
        errors.add_member(member.key, member.where, "additional properties forbidden, found " + member.key, hint);
    }
}

// `["a"] or ["b","c"]`
std::string branches_text(const Relation& relation) {
    std::string out;
    for (std::size_t i = 0; i < relation.count; ++i) {
        json::Value names = json::Value::array();
        for_each_item(relation.names[i], ',', [&](std::string_view name) { names.push(name); });
        out.append(i ? " or " : "").append(json::write(names));
    }
    return out;
}

bool has_all(const json::Value& value, std::string_view names) {
    bool all = true;
    for_each_item(names, ',', [&](std::string_view name) { all = all && value.find(name); });
    return all;
}

void check_exactly_one(const json::Value& value, const Relation& relation, Errors& errors) {
    std::array<std::size_t, 2> found{};
    std::size_t count = 0;
    for (std::size_t i = 0; i < relation.count; ++i) {
        if (has_all(value, relation.names[i]) && count < 2) found[count++] = i + 1;
    }
    if (count == 1) return;
    std::string text = relation.branch ? "allOf " + std::to_string(relation.branch) + " failed: " : "";
    text += "value should match only one schema, but matches ";
    text += count == 0 ? "none" : "both schemas " + std::to_string(found[0]) + " and " + std::to_string(found[1]);
    errors.add(text, "exactly one of " + branches_text(relation) + " is needed");
}

void check_relation(const json::Value& value, const Relation& relation, Errors& errors) {
    const auto has = [&value](std::string_view names) { return has_all(value, names); };
    const auto end = relation.names.begin() + static_cast<std::ptrdiff_t>(relation.count);
    switch (relation.kind) {
        case Relation::Kind::none:
            return;
        case Relation::Kind::exactly_one:
            return check_exactly_one(value, relation, errors);
        case Relation::Kind::any_of:
            if (std::any_of(relation.names.begin(), end, has)) return;
            errors.add("object matches none of the required: " + branches_text(relation));
            return;
        case Relation::Kind::depends:
            if (!has(relation.names[0]) || has(relation.names[1])) return;
            errors.add(std::string("property \"")
                           .append(relation.names[1])
                           .append("\" is required when \"")
                           .append(relation.names[0])
                           .append("\" is set"));
    }
}

std::string limits_text(const json::Value& property) {
    std::string out;
    const auto add = [&](std::string_view keyword, std::string_view before, std::string_view after = "") {
        const json::Value* value = property.find(keyword);
        if (!value) return;
        if (!out.empty()) out += ", ";
        out.append(before).append(value->is_string() ? value->string() : value->number()).append(after);
    };
    add("minimum", "≥ ");
    add("exclusiveMinimum", "> ");
    add("maximum", "≤ ");
    add("minLength", "≥ ", " characters");
    add("maxLength", "≤ ", " characters");
    add("minItems", "≥ ", " items");
    add("maxItems", "≤ ", " items");
    add("minProperties", "≥ ", " members");
    add("maxProperties", "≤ ", " members");
    add("pattern", "`", "`");
    if (property.find("uniqueItems")) out.append(out.empty() ? "" : ", ").append("unique");
    if (const json::Value* choices = property.find("enum")) {
        out += out.empty() ? "" : ", ";
        for (std::size_t i = 0; i < choices->size(); ++i) {
            out.append(i ? ", `" : "`").append(choices->items()[i].string()).append("`");
        }
    }
    return out;
}

std::string type_text(const json::Value& property) {
    const json::Value* type = property.find("type");
    std::string out = type ? type->string() : "any";
    const json::Value* items = property.find("items");
    if (items) out += " of " + type_text(*items);
    return out;
}

void add_rows(const json::Value& schema, const std::string& prefix, std::vector<Row>& rows) {
    const json::Value* properties = schema.find("properties");
    if (!properties) return;
    const json::Value* required = schema.find("required");
    for (const json::Member& member : properties->members()) {
        const json::Value& property = member.value;
        Row row{prefix + member.key, type_text(property), limits_text(property), {}, {}, false, false};
        const json::Value* items = property.find("items");
        const json::Value* values = property.find("additionalProperties");
        for (const json::Value* each : {items, values}) {
            if (each && row.limits.empty()) row.limits = limits_text(*each);
        }
        if (const json::Value* value = property.find("default")) row.default_text = json::write(*value);
        if (const json::Value* doc = property.find("description")) row.doc = doc->string();
        row.encrypted = property.find(encrypted_mark) != nullptr;
        for (const json::Value& name : required ? required->items() : json::Value::Array()) {
            row.required = row.required || name.string() == member.key;
        }
        rows.push_back(row);
        add_rows(property, row.name + ".", rows);
        if (items) add_rows(*items, row.name + "[].", rows);
        if (values) add_rows(*values, row.name + ".*.", rows);
    }
}

}  // namespace

namespace detail {

bool begin_object(const json::Value& value, Errors& errors) {
    if (value.is_object() || (value.is_array() && value.size() == 0)) return true;
    wrong_type("object", value, errors);
    return false;
}

const json::Value* find_field(const json::Value& value, std::string_view name, const Rules& rules, Errors& errors) {
    const json::Value* found = value.find(name);
    if (!found && rules.required) {
        errors.add_member(name, {}, std::string("property \"").append(name).append("\" is required"));
    }
    return found;
}

void finish_object(const json::Value& value, const Shape& shape, Errors& errors) {
    if (shape.openness != Openness::open) check_unknown(value, shape, errors);
    for (std::size_t i = 0; i < shape.relation_count; ++i) check_relation(value, shape.relations[i], errors);
}

void describe_object(const Shape& shape, json::Value& schema) {
    if (schema.find("required")->size() == 0) schema.erase("required");
    if (shape.openness != Openness::open) schema.set("additionalProperties", false);
    for (std::size_t i = 0; i < shape.relation_count; ++i) {
        const Relation& relation = shape.relations[i];
        if (relation.kind == Relation::Kind::depends) {
            json::Value& all = schema.find("dependencies") ? *schema.find("dependencies")
                                                           : schema.set("dependencies", json::Value::object());
            all.set(relation.names[0], json::Value::array({relation.names[1]}));
            continue;
        }
        json::Value branches = json::Value::array();
        for (std::size_t n = 0; n < relation.count; ++n) {
            json::Value& branch = branches.push(json::Value::object({{"required", json::Value::array()}}));
            for_each_item(relation.names[n], ',', [&](std::string_view name) { branch.find("required")->push(name); });
        }
        schema.set(relation.kind == Relation::Kind::exactly_one ? "oneOf" : "anyOf", std::move(branches));
    }
}

// The default of a nested object is told member by member: what the owner sets counts, not what the type would set.
void describe_field(json::Value& property, std::string_view doc, const json::Value& default_value) {
    if (json::Value* nested = property.find("properties")) {
        for (const json::Member& member : default_value.members()) {
            json::Value* inner = nested->find(member.key);
            if (!inner) continue;
            const json::Value* inner_doc = inner->find("description");
            describe_field(*inner, inner_doc ? inner_doc->string() : "", member.value);
        }
        property.set("description", doc);
        return;
    }
    const bool empty = !default_value.is_boolean() && !default_value.is_number() && default_value.size() == 0;
    if (!empty) property.set("default", default_value);
    property.set("description", doc);
}

}  // namespace detail

std::vector<std::string> encrypted_paths(const json::Value& json_schema) {
    std::vector<std::string> paths;
    for (Row& row : rows_of(json_schema)) {
        if (!row.encrypted) continue;
        std::erase_if(row.name, [](char c) { return c == '[' || c == ']'; });
        paths.push_back(std::move(row.name));
    }
    return paths;
}

std::vector<Row> rows_of(const json::Value& json_schema) {
    std::vector<Row> rows;
    add_rows(json_schema, "", rows);
    return rows;
}

std::string markdown(const std::vector<Row>& rows) {
    const auto escaped = [](std::string text) {
        for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
        return text;
    };
    std::string out = "| Key | Type | Limits | Default | Effect |\n|---|---|---|---|---|\n";
    for (const Row& row : rows) {
        const std::string value = row.required               ? "required"
                                  : row.default_text.empty() ? "—"
                                                             : "`" + row.default_text + "`";
        out += "| `" + row.name + "` | " + row.type + " | " + escaped(row.limits) + " | ";
        out += escaped(value) + " | " + row.doc + " |\n";
    }
    return out;
}

}  // namespace gateway::config
