#include "libgateway/config/object_parts.hpp"

#include <algorithm>

#include "libgateway/base/strings.hpp"

namespace gateway::config {

namespace {

bool ends_like_port(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c); });
}

// Splits "host:port" at the last colon; an IPv6 address without brackets has no port.
void split_address(std::string_view text, std::string_view& host, std::string_view& port) noexcept {
    host = text;
    port = {};
    const std::size_t colon = text.rfind(':');
    if (colon == text.npos || text.ends_with(']')) return;
    const bool bare_ipv6 = text.find(':') != colon && !text.starts_with('[');
    if (bare_ipv6 || !ends_like_port(text.substr(colon + 1))) return;
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
}

void read_node_of_map(const json::Member& member, UpstreamNode& node, Errors& errors) {
    std::string_view host, port;
    split_address(member.key, host, port);
    node.host = host;
    if (!is_host_pattern(host)) {
        errors.add_member({}, member.where,
                          "failed to match pattern \"" + std::string(host_pattern) + "\" with \"" + node.host + "\"");
    }
    if (!port.empty()) {
        const auto number = parse_decimal<std::uint16_t>(port);
        if (!number || *number == 0) errors.add_member({}, member.where, "invalid port " + std::string(port));
        node.port = number.value_or(0);
    }
    Rules weight;
    weight.least = 0;
    Codec<std::uint32_t>::read(member.value, node.weight, weight, errors);
}

void read_map(const json::Value& value, std::vector<UpstreamNode>& list, Errors& errors) {
    list.reserve(value.size());
    for (const json::Member& member : value.members()) {
        const Errors::Scope scope(errors, Errors::Level::additional, member.key, member.value);
        read_node_of_map(member, list.emplace_back(), errors);
    }
}

void drop_repeated(std::vector<UpstreamNode>& list) {
    const auto same = [](const UpstreamNode& a, const UpstreamNode& b) { return a.port == b.port && a.host == b.host; };
    for (std::size_t i = list.size(); i-- > 1;) {
        const auto later = list.begin() + static_cast<std::ptrdiff_t>(i);
        const auto earlier = std::find_if(list.begin(), later, [&](const UpstreamNode& n) { return same(n, *later); });
        if (earlier == later) continue;
        *earlier = *later;
        list.erase(later);
    }
}

}  // namespace

void Codec<ObjectId>::read(const json::Value& value, ObjectId& out, const Rules&, Errors& errors) {
    const auto number = value.as_int64();
    const bool good = value.is_string() ? is_object_id(value.string()) : number && *number >= 1;
    if (!good) {
        errors.add("object matches none of the required",
                   "expected 1 to 64 characters of a-z A-Z 0-9 - _ . or a whole number from 1");
        return;
    }
    out.text = value.is_string() ? value.string() : std::to_string(*number);
}
json::Value Codec<ObjectId>::describe(const Rules&) {
    json::Value text = json::Value::object(
        {{"type", "string"}, {"minLength", 1}, {"maxLength", 64}, {"pattern", "^[a-zA-Z0-9-_.]+$"}});
    json::Value number = json::Value::object({{"type", "integer"}, {"minimum", 1}});
    return json::Value::object({{"anyOf", json::Value::array({text, number})}});
}

void Codec<Labels>::read(const json::Value& value, Labels& out, const Rules&, Errors& errors) {
    if (!value.is_object() && !(value.is_array() && value.size() == 0)) return wrong_type("object", value, errors);
    Rules rules;
    length(1, 256).apply(rules);
    pattern(R"(^\S+$)", has_no_blank).apply(rules);
    out.list.clear();
    for (const json::Member& member : value.members()) {
        const Errors::Scope scope(errors, member.key,
                                  "failed to validate " + member.key + " (matching \".*\"): ", member.value);
        std::string text;
        Codec<std::string>::read(member.value, text, rules, errors);
        out.list.emplace_back(member.key, std::move(text));
    }
}
json::Value Codec<Labels>::describe(const Rules&) {
    const json::Value text =
        json::Value::object({{"type", "string"}, {"minLength", 1}, {"maxLength", 256}, {"pattern", R"(^\S+$)"}});
    return json::Value::object({{"type", "object"}, {"additionalProperties", text}});
}

void Codec<RawObject>::read(const json::Value& value, RawObject& out, const Rules& rules, Errors& errors) {
    const bool empty_array = value.is_array() && value.size() == 0;
    if (!value.is_object() && !empty_array) return wrong_type("object", value, errors);
    check_members(value, rules, errors);
    out.value = value;
    if (empty_array) out.value.make_object();
}
void Codec<RawArray>::read(const json::Value& value, RawArray& out, const Rules&, Errors& errors) {
    const bool empty_object = value.is_object() && value.size() == 0;
    if (!value.is_array() && !empty_object) return wrong_type("array", value, errors);
    out.value = value;
    if (empty_object) out.value.make_array();
}

void Codec<Nodes>::read(const json::Value& value, Nodes& out, const Rules& rules, Errors& errors) {
    if (value.is_array()) {
        Codec<std::vector<UpstreamNode>>::read(value, out.list, rules, errors);
    } else if (value.is_object()) {
        read_map(value, out.list, errors);
    } else {
        errors.add("object matches none of the required",
                   "expected a map of \"host:port\" to weight, or an array of nodes");
        return;
    }
    for (UpstreamNode& node : out.list) {
        if (is_ipv6(node.host)) node.host = "[" + node.host + "]";
    }
    drop_repeated(out.list);
}
json::Value Codec<Nodes>::describe(const Rules& rules) {
    json::Value weight = json::Value::object({{"type", "integer"}, {"minimum", 0}});
    json::Value map = json::Value::object({{"type", "object"}, {"additionalProperties", weight}});
    return json::Value::object(
        {{"anyOf", json::Value::array({map, Codec<std::vector<UpstreamNode>>::describe(rules)})}});
}

}  // namespace gateway::config
