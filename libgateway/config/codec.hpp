// How one C++ type is read from JSON, written to it and described in a JSON Schema; specialise Codec for a type of your
// own.
#pragma once

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libgateway/config/rules.hpp"
#include "libgateway/json/value.hpp"

namespace gateway::config {

// A specialisation has three static functions:
//   void read(const json::Value&, T& out, const Rules&, Errors&)   adds errors instead of throwing; `out` holds the
//   default json::Value write(const T&)                                    what read would accept again json::Value
//   describe(const Rules&)                             the JSON Schema of the value
template <class T>
struct Codec;

// A map that keeps the order in which it was written.
template <class T>
using Members = std::vector<std::pair<std::string, T>>;

inline json::Value describe_as(std::string_view type, const Limits& limits) {
    json::Value schema = json::Value::object({{"type", type}});
    describe(limits, schema);
    return schema;
}
inline Rules rules_of_each(const Rules& rules) {
    Rules each;
    static_cast<Limits&>(each) = rules.each;
    return each;
}

template <>
struct Codec<bool> {
    static void read(const json::Value& value, bool& out, const Rules&, Errors& errors) {
        if (!value.is_boolean()) return wrong_type("boolean", value, errors);
        out = value.boolean();
    }
    static json::Value write(bool value) { return value; }
    static json::Value describe(const Rules& rules) { return describe_as("boolean", rules); }
};

template <json::WholeNumber T>
struct Codec<T> {
    static void read(const json::Value& value, T& out, const Rules& rules, Errors& errors) {
        const auto number = value.as_int64();
        if (!number && !whole_but_large(value)) return wrong_type("integer", value, errors);
        const std::size_t before = errors.size();
        check_number(value, rules, errors);
        if (errors.size() != before) return;
        if (!number || !std::in_range<T>(*number)) return check_number(value, range_of_type(), errors);
        out = static_cast<T>(*number);
    }
    static json::Value write(T value) { return value; }
    static json::Value describe(const Rules& rules) { return describe_as("integer", rules); }

private:
    static bool whole_but_large(const json::Value& value) {
        return value.is_number() && value.number().find_first_of(".eE") == std::string::npos;
    }
    static Limits range_of_type() {
        Limits limits;
        using Numbers = std::numeric_limits<T>;
        limits.least = static_cast<double>(Numbers::min());
        limits.most = sizeof(T) < 8 ? static_cast<double>(Numbers::max()) : 9223372036854774784.0;
        return limits;
    }
};

template <>
struct Codec<double> {
    static void read(const json::Value& value, double& out, const Rules& rules, Errors& errors) {
        const auto number = value.as_double();
        if (!number) return wrong_type("number", value, errors);
        check_number(value, rules, errors);
        out = *number;
    }
    static json::Value write(double value) { return value; }
    static json::Value describe(const Rules& rules) { return describe_as("number", rules); }
};

template <>
struct Codec<std::string> {
    static void read(const json::Value& value, std::string& out, const Rules& rules, Errors& errors) {
        if (!value.is_string()) return wrong_type("string", value, errors);
        check_string(value.string(), rules, errors);
        out = value.string();
    }
    static json::Value write(const std::string& value) { return value; }
    static json::Value describe(const Rules& rules) { return describe_as("string", rules); }
};

// Any value, as it is.
template <>
struct Codec<json::Value> {
    static void read(const json::Value& value, json::Value& out, const Rules&, Errors&) { out = value; }
    static json::Value write(const json::Value& value) { return value; }
    static json::Value describe(const Rules&) { return json::Value::object(); }
};

template <class T>
struct Codec<std::optional<T>> {
    static void read(const json::Value& value, std::optional<T>& out, const Rules& rules, Errors& errors) {
        T inner{};
        const std::size_t before = errors.size();
        Codec<T>::read(value, inner, rules, errors);
        if (errors.size() == before) out = std::move(inner);
    }
    static json::Value write(const std::optional<T>& value) { return value ? Codec<T>::write(*value) : json::Value(); }
    static json::Value describe(const Rules& rules) { return Codec<T>::describe(rules); }
};

// An empty object counts as an empty array, as in the reference.
template <class T>
struct Codec<std::vector<T>> {
    static void read(const json::Value& value, std::vector<T>& out, const Rules& rules, Errors& errors) {
        if (!value.is_array() && !(value.is_object() && value.size() == 0)) return wrong_type("array", value, errors);
        check_items(value, rules, errors);
        const Rules each = rules_of_each(rules);
        out.clear();
        out.reserve(value.items().size());
        for (std::size_t i = 0; i < value.items().size(); ++i) {
            const Errors::Scope scope(errors, i, value.items()[i]);
            T item{};
            Codec<T>::read(value.items()[i], item, each, errors);
            out.push_back(std::move(item));
        }
    }
    static json::Value write(const std::vector<T>& list) {
        json::Value out = json::Value::array();
        for (const T& item : list) out.push(Codec<T>::write(item));
        return out;
    }
    static json::Value describe(const Rules& rules) {
        json::Value schema =
            json::Value::object({{"type", "array"}, {"items", Codec<T>::describe(rules_of_each(rules))}});
        describe_items(rules, schema);
        return schema;
    }
};

template <class T>
struct Codec<Members<T>> {
    static void read(const json::Value& value, Members<T>& out, const Rules& rules, Errors& errors) {
        if (!value.is_object() && !(value.is_array() && value.size() == 0)) return wrong_type("object", value, errors);
        check_members(value, rules, errors);
        const Rules each = rules_of_each(rules);
        out.clear();
        for (const json::Member& member : value.members()) {
            const Errors::Scope scope(errors, Errors::Level::additional, member.key, member.value);
            T item{};
            Codec<T>::read(member.value, item, each, errors);
            out.emplace_back(member.key, std::move(item));
        }
    }
    static json::Value write(const Members<T>& map) {
        json::Value out = json::Value::object();
        for (const auto& [key, item] : map) out.make_object().push_back({key, Codec<T>::write(item), {}});
        return out;
    }
    static json::Value describe(const Rules& rules) {
        json::Value schema = json::Value::object(
            {{"type", "object"}, {"additionalProperties", Codec<T>::describe(rules_of_each(rules))}});
        describe_items(rules, schema);
        return schema;
    }
};

template <class T>
struct Codec<std::map<std::string, T>> {
    static void read(const json::Value& value, std::map<std::string, T>& out, const Rules& rules, Errors& errors) {
        Members<T> members;
        Codec<Members<T>>::read(value, members, rules, errors);
        out.clear();
        for (auto& [key, item] : members) out.insert_or_assign(std::move(key), std::move(item));
    }
    static json::Value write(const std::map<std::string, T>& map) {
        return Codec<Members<T>>::write(Members<T>(map.begin(), map.end()));
    }
    static json::Value describe(const Rules& rules) { return Codec<Members<T>>::describe(rules); }
};

// An enumeration is read by name if its namespace has `constexpr auto enum_names(E)`: an array of pairs (name, value).
template <class E>
concept Named = std::is_enum_v<E> && requires {
    enum_names(E{});
};

template <Named E>
struct Codec<E> {
    static constexpr auto names = enum_names(E{});

    static void read(const json::Value& value, E& out, const Rules&, Errors& errors) {
        if (!value.is_string()) return wrong_type("string", value, errors);
        check_string(value.string(), choices(), errors);
        for (const auto& [name, known] : names) {
            if (name == value.string()) out = known;
        }
    }
    static json::Value write(E value) {
        for (const auto& [name, known] : names) {
            if (known == value) return name;
        }
        return {};
    }
    static json::Value describe(const Rules&) { return describe_as("string", choices()); }

private:
    static constexpr Limits choices() {
        Limits limits;
        for (const auto& [name, known] : names) limits.choices[limits.choice_count++] = name;
        return limits;
    }
};

}  // namespace gateway::config
