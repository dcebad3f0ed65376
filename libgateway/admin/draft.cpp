#include "libgateway/admin/draft.hpp"

#include <charconv>
#include <cmath>
#include <ctime>

#include "libgateway/base/clock.hpp"
#include "libgateway/base/strings.hpp"

namespace gateway::admin {

using json::Value;

namespace {

constexpr std::string_view times[] = {"create_time", "update_time"};
constexpr double longest_ttl = 3e9;  // seconds: a hundred years

std::int64_t seconds_now() noexcept {
    return static_cast<std::int64_t>(std::time(nullptr));
}

void forbid(const Value* object, std::string_view before, std::string& out) {
    if (!object) return;
    for (const std::string_view name : times) {
        if (object->find(name)) out.append(" ").append(before).append(name);
    }
}

}  // namespace

std::optional<Reply> parse_body(std::string_view text, Value& body) {
    json::ParseFailure why;
    auto parsed = json::try_parse(text, why, {.positions = false});
    if (!parsed) {
        return json_reply(400, json::write(Value::object({{"error_msg", Value("invalid request body: " + why.what)},
                                                          {"req_body", Value(well_formed(text))}})));
    }
    body = std::move(*parsed);
    return std::nullopt;
}

void set_id(Value& value, std::string_view id) {
    if (Value* found = value.find("id")) {
        *found = Value(id);
        return;
    }
    Value::Object& members = value.make_object();
    members.insert(members.begin(), json::Member{"id", Value(id), {}});
}

std::string generated_id(std::uint64_t number) {
    const std::string digits = std::to_string(number);
    return std::string(20 - digits.size(), '0') + digits;
}

Reply bad_id() {
    return refuse(400, "invalid configuration: property \"id\" validation failed: object matches none of the required");
}

std::string forbidden_times(const Value& value) {
    std::string found;
    forbid(&value, "", found);
    forbid(value.find("upstream"), "upstream.", found);
    forbid(value.find("plugins"), "plugins.", found);
    return found.empty() ? found : "the property is forbidden: " + found;
}

void set_times(Value& value, const store::Stored* before) {
    if (!value.is_object()) return;
    const std::int64_t now = seconds_now();
    Value made(now);
    if (before) {
        const Value old = json::parse(before->json, {.positions = false});
        if (const Value* time = old.find("create_time")) made = *time;
    }
    value.set("create_time", std::move(made));
    value.set("update_time", now);
}

void touch_times(Value& value, const store::Stored& before, bool timed) {
    if (!value.is_object()) return;
    if (!timed || !value.find("update_time")) value.set("update_time", seconds_now());
    if (value.find("create_time")) return;
    const Value old = json::parse(before.json, {.positions = false});
    const Value* made = old.find("create_time");
    value.set("create_time", made ? *made : Value(seconds_now()));
}

std::optional<Reply> read_ttl(const Target& target, std::int64_t otherwise, std::int64_t& expires_ms) {
    expires_ms = otherwise;
    const std::string* text = target.parameter("ttl");
    if (!text) return std::nullopt;
    double seconds = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
    const bool whole = error == std::errc() && end == text->data() + text->size() && !std::isnan(seconds);
    if (!whole) return refuse(400, "invalid argument ttl: should be a number");
    expires_ms = 0;
    if (seconds > 0 && seconds < longest_ttl)
        expires_ms = wall_ms() + std::max<std::int64_t>(1, static_cast<std::int64_t>(seconds * 1000));
    return std::nullopt;
}

Condition read_condition(std::string_view text) noexcept {
    text = trim(text);
    if (text == "*") return {true, true, 0};
    if (text.size() > 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
    const auto index = parse_decimal<std::uint64_t>(text);
    return {index.has_value(), false, index.value_or(0)};
}

}  // namespace gateway::admin
