#include "libgateway/json/value.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <unordered_map>

namespace gateway::json {

namespace {

const std::string no_text;
const Value::Array no_items;
const Value::Object no_members;

void drop_repeated(Value::Object& members) {
    std::unordered_map<std::string_view, std::size_t> first;
    std::vector<bool> drop(members.size());
    bool any = false;
    for (std::size_t i = 0; i < members.size(); ++i) {
        const auto [found, fresh] = first.emplace(members[i].key, i);
        if (fresh) continue;
        members[found->second].value = std::move(members[i].value);
        any = drop[i] = true;
    }
    if (!any) return;
    std::size_t index = 0;
    std::erase_if(members, [&](const Member&) { return drop[index++]; });
}

bool has_repeated(const Value::Object& members) {
    if (members.size() > 24) return true;  // let the table decide
    for (std::size_t i = 1; i < members.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (members[i].key == members[j].key) return true;
        }
    }
    return false;
}

}  // namespace

std::string_view name_of(Kind kind) noexcept {
    constexpr std::array<std::string_view, 6> names{"null", "boolean", "number", "string", "array", "object"};
    return names[static_cast<std::size_t>(kind)];
}

Value::Value() noexcept = default;
Value::Value(std::nullptr_t) noexcept {}
Value::Value(std::string value) : store_(std::move(value)) {}
Value::Value(std::string_view value) : store_(std::string(value)) {}
Value::Value(const char* value) : store_(std::string(value)) {}
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

Value::Value(double value) {
    if (!std::isfinite(value)) return;
    std::array<char, 400> text;
    const bool whole = value == std::trunc(value);
    const auto end = whole ? std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed)
                           : std::to_chars(text.data(), text.data() + text.size(), value);
    store_ = Number{std::string(text.data(), end.ptr)};
}

Value Value::number_from(std::string text) {
    Value value;
    value.store_ = Number{std::move(text)};
    return value;
}
Value Value::array(std::initializer_list<Value> items) {
    Value value;
    value.store_ = Array(items);
    return value;
}
Value Value::object(std::initializer_list<std::pair<std::string_view, Value>> members) {
    Value value;
    Object& object = value.make_object();
    object.reserve(members.size());
    for (const auto& [key, member] : members) value.set(key, member);
    return value;
}

bool Value::boolean() const noexcept {
    return as_bool().value_or(false);
}
const std::string& Value::number() const noexcept {
    const auto* number = std::get_if<Number>(&store_);
    return number ? number->text : no_text;
}
const std::string& Value::string() const noexcept {
    const auto* text = std::get_if<std::string>(&store_);
    return text ? *text : no_text;
}
const Value::Array& Value::items() const noexcept {
    const auto* items = std::get_if<Array>(&store_);
    return items ? *items : no_items;
}
const Value::Object& Value::members() const noexcept {
    const auto* members = std::get_if<Object>(&store_);
    return members ? *members : no_members;
}
std::size_t Value::size() const noexcept {
    switch (kind()) {
        case Kind::number:
            return number().size();
        case Kind::string:
            return string().size();
        case Kind::array:
            return items().size();
        case Kind::object:
            return members().size();
        default:
            return 0;
    }
}

std::optional<bool> Value::as_bool() const noexcept {
    const bool* value = std::get_if<bool>(&store_);
    return value ? std::optional(*value) : std::nullopt;
}
std::optional<std::string_view> Value::as_string() const noexcept {
    const auto* text = std::get_if<std::string>(&store_);
    return text ? std::optional<std::string_view>(*text) : std::nullopt;
}
std::optional<double> Value::as_double() const noexcept {
    const std::string& text = number();
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || end != text.data() + text.size()) return std::nullopt;
    if (error != std::errc()) return text.find('-', 1) != text.npos ? 0.0 : text[0] == '-' ? -HUGE_VAL : HUGE_VAL;
    return value;
}

const Value* Value::find(std::string_view key) const noexcept {
    for (const Member& member : members()) {
        if (member.key == key) return &member.value;
    }
    return nullptr;
}
Value* Value::find(std::string_view key) noexcept {
    return const_cast<Value*>(std::as_const(*this).find(key));
}

Value::Array& Value::make_array() {
    if (!is_array()) store_ = Array();
    return std::get<Array>(store_);
}
Value::Object& Value::make_object() {
    if (!is_object()) store_ = Object();
    return std::get<Object>(store_);
}
Value& Value::set(std::string_view key, Value value) {
    if (Value* found = find(key)) return *found = std::move(value);
    return make_object().emplace_back(Member{std::string(key), std::move(value), {}}).value;
}
Value& Value::push(Value value) {
    return make_array().emplace_back(std::move(value));
}
bool Value::erase(std::string_view key) {
    if (!is_object()) return false;
    return std::erase_if(make_object(), [key](const Member& member) { return member.key == key; }) > 0;
}

const Value& member(const Value& object, std::string_view name) noexcept {
    static const Value none;
    const Value* value = object.find(name);
    return value ? *value : none;
}

void drop_repeated_members(Value& object) {
    if (object.is_object() && has_repeated(object.members())) drop_repeated(object.make_object());
}

bool equal(const Value& a, const Value& b) noexcept {
    if (a.kind() != b.kind()) return false;
    switch (a.kind()) {
        case Kind::null:
            return true;
        case Kind::boolean:
            return a.boolean() == b.boolean();
        case Kind::number:
            return compare_numbers(a.number(), b.number()) == 0;
        case Kind::string:
            return a.string() == b.string();
        case Kind::array:
            return std::equal(a.items().begin(), a.items().end(), b.items().begin(), b.items().end(), equal);
        case Kind::object:
            break;
    }
    if (a.size() != b.size()) return false;
    for (const Member& member : a.members()) {
        const Value* other = b.find(member.key);
        if (!other || !equal(member.value, *other)) return false;
    }
    return true;
}

}  // namespace gateway::json
