#include "libplugins/common/log_format.hpp"

#include "libgateway/base/log.hpp"
#include "libplugins/common/json_text.hpp"

namespace gateway::plugins {
namespace {

using expr::ValueKind;
using expr::VariableKind;
using expr::VariableValue;

constexpr unsigned deepest = 5;

// Those that the specification writes as JSON numbers.
bool is_numeric(VariableKind kind) noexcept {
    switch (kind) {
        case VariableKind::status:
        case VariableKind::request_time:
        case VariableKind::bytes_sent:
        case VariableKind::body_bytes_sent:
        case VariableKind::request_length:
        case VariableKind::upstream_status:
        case VariableKind::upstream_response_time:
            return true;
        default:
            return false;
    }
}

void append_value(std::string& out, const VariableValue& value, bool numeric) {
    if (value.kind == ValueKind::boolean) {
        out += value.plain();
    } else if (value.kind == ValueKind::list) {
        out += '[';
        for (const VariableValue& item : value.items) {
            if (out.back() != '[') out += ',';
            append_json_string(out, item.plain());
        }
        out += ']';
    } else if (numeric && json::is_number_text(value.text)) {
        out += value.text;
    } else {
        append_json_string(out, value.text);
    }
}

}  // namespace

LogFormat::LogFormat(const FormatObject& members, std::string_view plugin) : nodes_(compile(members, 1, plugin)) {}

std::vector<LogFormat::Node> LogFormat::compile(const FormatObject& members, unsigned depth, std::string_view plugin) {
    std::vector<Node> nodes;
    if (depth > deepest) {
        log::warn("{}: log_format is nested deeper than {} levels; what is below is left out", plugin, deepest);
        return nodes;
    }
    for (const auto& [name, value] : members) {
        Node node;
        node.name = name;
        if (value.is_object()) {
            FormatObject inner;
            for (const json::Member& member : value.members()) inner.emplace_back(member.key, member.value);
            node.is_object = true;
            node.members = compile(inner, depth + 1, plugin);
        } else if (value.is_string() && value.string().size() > 1 && value.string().front() == '$') {
            node.variable = expr::compile_variable(std::string_view(value.string()).substr(1));
            node.numeric = is_numeric(node.variable.kind);
            uses_request_body_ = uses_request_body_ || node.variable.kind == VariableKind::request_body;
            uses_response_body_ = uses_response_body_ || node.variable.kind == VariableKind::resp_body;
        } else {
            node.literal = json::write(value);
        }
        nodes.push_back(std::move(node));
    }
    return nodes;
}

void LogFormat::append_node(std::string& out, const Node& node, const Exchange& exchange, const LoggedBodies& bodies) {
    if (node.is_object) {
        append_json_name(out, node.name);
        out += '{';
        for (const Node& member : node.members) append_node(out, member, exchange, bodies);
        out += '}';
        return;
    }
    if (!node.literal.empty()) {
        append_json_name(out, node.name);
        out += node.literal;
        return;
    }
    VariableValue value;
    if (node.variable.kind == VariableKind::request_body) {
        if (bodies.request.data()) value = VariableValue::of(bodies.request);
    } else if (node.variable.kind == VariableKind::resp_body) {
        if (bodies.response.data()) value = VariableValue::of(bodies.response);
    } else if (!exchange.read(node.variable, value)) {
        return;
    }
    if (!value) return;
    append_json_name(out, node.name);
    append_value(out, value, node.numeric);
}

}  // namespace gateway::plugins
