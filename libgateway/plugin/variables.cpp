// Exchange::read_own: variables that need nothing but the exchange's own members.
#include <fmt/format.h>

#include "libgateway/base/strings.hpp"
#include "libgateway/expr/query.hpp"
#include "libgateway/plugin/exchange.hpp"

namespace gateway {
namespace {

using expr::Variable;
using expr::VariableKind;
using expr::VariableValue;

bool give(std::string_view text, VariableValue& out) noexcept {
    out = VariableValue::of(text);
    return true;
}

bool give_if_set(std::string_view text, VariableValue& out) noexcept {
    if (text.empty()) return false;
    return give(text, out);
}

bool give_number(std::uint64_t number, Arena& arena, VariableValue& out) {
    const fmt::format_int text(number);
    return give(arena.copy({text.data(), text.size()}), out);
}

// All lines of the field that the key means, joined with ", ".
bool read_field(const http::Fields& fields, std::string_view key, Arena& arena, VariableValue& out) {
    bool found = false;
    std::string_view joined;
    for (const http::Field& field : fields) {
        if (!expr::names_header(key, field.name)) continue;
        joined = found ? arena.join(joined, ", ", field.value) : field.value;
        found = true;
    }
    return found && give(joined, out);
}

bool read_argument(const Exchange& exchange, std::string_view name, Arena& arena, VariableValue& out) {
    if (exchange.has_args) out = expr::find_argument(exchange.args, name, arena);
    return static_cast<bool>(out);
}

bool read_cookie(const http::Fields& fields, std::string_view name, VariableValue& out) {
    std::string_view value;
    for (const http::Field& field : fields) {
        if (field.id == http::FieldName::cookie && expr::find_cookie(field.value, name, value)) return give(value, out);
    }
    return false;
}

std::string_view protocol_of(std::uint8_t version) noexcept {
    return version == 10 ? "HTTP/1.0" : version == 11 ? "HTTP/1.1" : "HTTP/2.0";
}

bool read_upstream(const Exchange& exchange, const Variable& variable, VariableValue& out) {
    switch (variable.kind) {
        case VariableKind::upstream_uri:
            return give_if_set(exchange.upstream_uri, out);
        case VariableKind::upstream_host:
            return give_if_set(exchange.upstream_host, out);
        case VariableKind::upstream_scheme:
            return give_if_set(exchange.upstream_scheme, out);
        default:
            return false;
    }
}

// Head and body of the request as received.
bool read_request(const Exchange& exchange, const Variable& variable, VariableValue& out) {
    const http::RequestHead& head = exchange.request;
    switch (variable.kind) {
        case VariableKind::request_method:
            return give(head.method_text, out);
        case VariableKind::real_request_uri:
            return give(head.target, out);
        case VariableKind::request_line:
            return give(head.line, out);
        case VariableKind::server_protocol:
            return give(protocol_of(head.version), out);
        case VariableKind::content_type:
            return give_if_set(head.fields.get(http::FieldName::content_type), out);
        case VariableKind::content_length:
            return give_if_set(head.fields.get(http::FieldName::content_length), out);
        case VariableKind::request_body:
            return exchange.body_buffered && give(exchange.request_body, out);
        default:
            return read_upstream(exchange, variable, out);
    }
}

}  // namespace

bool Exchange::read_own(const Variable& variable, VariableValue& out) const {
    out = {};
    std::string_view text;
    switch (variable.kind) {
        case VariableKind::uri:
            return give(uri, out);
        case VariableKind::args:
            return has_args ? give(args, out) : give({}, out);
        case VariableKind::is_args:
            return give(has_args ? "?" : "", out);
        case VariableKind::host:
            return give(host, out);
        case VariableKind::scheme:
            return give(scheme, out);
        case VariableKind::https:
            return give(scheme == "https" ? "on" : "", out);
        case VariableKind::server_name:
            return give("_", out);
        case VariableKind::remote_addr:
            return give(client_text, out);
        case VariableKind::remote_port:
            return give_number(client_port, arena_, out);
        case VariableKind::status:
            return response.status != 0 && give_number(response.status, arena_, out);
        case VariableKind::http:
            return read_field(request.fields, variable.key, arena_, out);
        case VariableKind::sent_http:
            return read_field(response.fields, variable.key, arena_, out);
        case VariableKind::consumer_name:
            return give_if_set(consumer_name_, out);
        case VariableKind::consumer_group_id:
            return give_if_set(consumer_group_, out);
        case VariableKind::custom:
            return custom(variable.index, text) && give(text, out);
        case VariableKind::arg:
            return read_argument(*this, variable.key, arena_, out);
        case VariableKind::cookie:
            return read_cookie(request.fields, variable.key, out);
        default:
            return read_request(*this, variable, out);
    }
}

}  // namespace gateway
