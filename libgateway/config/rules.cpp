#include "libgateway/config/rules.hpp"

#include <algorithm>
#include <string>

#include "libgateway/base/strings.hpp"
#include "libgateway/config/secret_reference.hpp"

namespace gateway::config {

namespace {

void add_choice_error(std::string_view text, const Limits& limits, Errors& errors) {
    std::string hint = "expected one of ";
    for (std::size_t i = 0; i < limits.choice_count; ++i) hint.append(i ? ", " : "").append(limits.choices[i]);
    const std::string_view near = nearest(text, limits.choices.data(), limits.choice_count);
    if (!near.empty()) hint.append("; did you mean \"").append(near).append("\"?");
    errors.add("matches none of the enum values", hint);
}

}  // namespace

std::string number_text(double number) {
    return json::Value(number).number();
}

void wrong_type(std::string_view expected, const json::Value& value, Errors& errors) {
    std::string text = "wrong type: expected ";
    errors.add(text.append(expected).append(", got ").append(reference_type(value)));
}

void check_number(const json::Value& value, const Limits& limits, Errors& errors) {
    const std::string& text = value.number();
    const auto compared = [&text](double limit) { return json::compare_numbers(text, number_text(limit)); };
    if (limits.least != -Limits::infinite) {
        const int order = compared(limits.least);
        if (order < 0 && !limits.least_excluded) {
            errors.add("expected " + text + " to be at least " + number_text(limits.least));
        } else if (order <= 0 && limits.least_excluded) {
            errors.add("expected " + text + " to be greater than " + number_text(limits.least));
        }
    }
    if (limits.most != Limits::infinite && compared(limits.most) > 0) {
        errors.add("expected " + text + " to be at most " + number_text(limits.most));
    }
}

void check_string(std::string_view text, const Limits& limits, Errors& errors) {
    if (errors.references_allowed() && is_secret_reference(text)) return;
    const auto found = [&] {
        const std::size_t size = code_points(text);
        if (size < limits.shortest) {
            errors.add("string too short, expected at least " + std::to_string(limits.shortest) + ", got " +
                       std::to_string(size));
        } else if (size > limits.longest) {
            errors.add("string too long, expected at most " + std::to_string(limits.longest) + ", got " +
                       std::to_string(size));
        }
    };
    if (limits.shortest > 0 || limits.longest != SIZE_MAX) found();
    if (limits.form && !limits.form(text)) {
        std::string message = "failed to match pattern \"";
        errors.add(message.append(limits.pattern).append("\" with \"").append(text).append("\""));
    }
    const auto end = limits.choices.begin() + static_cast<std::ptrdiff_t>(limits.choice_count);
    if (limits.choice_count > 0 && std::find(limits.choices.begin(), end, text) == end) {
        add_choice_error(text, limits, errors);
    }
}

void check_items(const json::Value& array, const Rules& rules, Errors& errors) {
    const std::size_t count = array.size();
    if (count < rules.fewest) {
        errors.add("expect array to have at least " + std::to_string(rules.fewest) + " items");
    } else if (count > rules.greatest) {
        errors.add("expect array to have at most " + std::to_string(rules.greatest) + " items");
    }
    if (!rules.unique) return;
    std::vector<std::pair<std::string, std::size_t>> texts;
    for (std::size_t i = 0; i < count; ++i) texts.emplace_back(json::write_sorted(array.items()[i]), i);
    std::sort(texts.begin(), texts.end());
    for (std::size_t i = 1; i < count; ++i) {
        if (texts[i - 1].first != texts[i].first) continue;
        errors.add("expected unique items but items " + std::to_string(texts[i - 1].second + 1) + " and " +
                   std::to_string(texts[i].second + 1) + " are equal");
        return;
    }
}

void check_members(const json::Value& object, const Rules& rules, Errors& errors) {
    if (object.size() < rules.fewest) {
        errors.add("expect object to have at least " + std::to_string(rules.fewest) + " properties");
    } else if (object.size() > rules.greatest) {
        errors.add("expect object to have at most " + std::to_string(rules.greatest) + " properties");
    }
}

void describe(const Limits& limits, json::Value& schema) {
    if (limits.least != -Limits::infinite) {
        schema.set(limits.least_excluded ? "exclusiveMinimum" : "minimum", limits.least);
    }
    if (limits.most != Limits::infinite) schema.set("maximum", limits.most);
    if (limits.shortest > 0) schema.set("minLength", limits.shortest);
    if (limits.longest != SIZE_MAX) schema.set("maxLength", limits.longest);
    if (!limits.pattern.empty()) schema.set("pattern", limits.pattern);
    if (limits.choice_count == 0) return;
    json::Value& choices = schema.set("enum", json::Value::array());
    for (std::size_t i = 0; i < limits.choice_count; ++i) choices.push(limits.choices[i]);
}

void describe_items(const Rules& rules, json::Value& schema) {
    const bool map = schema.find("type") && schema.find("type")->string() == "object";
    if (rules.fewest > 0) schema.set(map ? "minProperties" : "minItems", rules.fewest);
    if (rules.greatest != SIZE_MAX) schema.set(map ? "maxProperties" : "maxItems", rules.greatest);
    if (rules.unique) schema.set("uniqueItems", true);
}

}  // namespace gateway::config
