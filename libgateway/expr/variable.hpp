// Variables of a request (router.md 9 of the specification): names compiled once, values read through an interface.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/expr/json_path.hpp"

namespace gateway::expr {

// One enumerator per name, except families with a key: the key is Variable::key.
enum class VariableKind : std::uint8_t {
    unknown,  // no such name: always absent
    // request and connection
    uri,
    request_uri,
    real_request_uri,
    request_line,
    args,
    is_args,
    request_method,
    host,
    hostname,
    pid,
    scheme,
    https,
    server_protocol,
    server_name,
    server_addr,
    server_port,
    remote_addr,
    remote_port,
    binary_remote_addr,
    realip_remote_addr,
    realip_remote_port,
    proxy_protocol_addr,
    proxy_protocol_port,
    proxy_protocol_server_addr,
    proxy_protocol_server_port,
    remote_user,
    content_type,
    content_length,
    request_body,
    request_length,
    request_id,
    connection,
    connection_requests,
    connection_time,
    msec,
    time_iso8601,
    time_local,
    // set by the gateway
    route_id,
    route_name,
    service_id,
    service_name,
    consumer_name,
    consumer_group_id,
    balancer_ip,
    balancer_port,
    upstream_unresolved_host,
    upstream_scheme,
    upstream_host,
    upstream_uri,
    upstream_upgrade,
    upstream_connection,
    upstream_addr,
    upstream_status,
    upstream_connect_time,
    upstream_header_time,
    upstream_response_time,
    upstream_response_length,
    upstream_bytes_sent,
    upstream_bytes_received,
    upstream_cache_status,
    status,
    bytes_sent,
    body_bytes_sent,
    request_time,
    request_completion,
    end_reason,
    resp_body,
    original_x_forwarded_for,
    original_x_forwarded_proto,
    original_x_forwarded_host,
    original_x_forwarded_port,
    original_forwarded,
    // body-derived
    graphql_operation,
    graphql_name,
    graphql_root_fields,
    post_arg_form,  // post_arg_<key>: form field
    post_arg_path,  // post_arg.<key>: path into a JSON body (also compiled in Variable::path), form field or part
    // families with a key
    arg,        // arg_<key>, compared decoded and case-sensitive
    http,       // http_<key>; key lower case with `-` as `_` (same for the four below that name header fields)
    cookie,     // cookie_<key>, case-sensitive
    uri_param,  // uri_param_<key>
    ssl,        // ssl_<key>
    tcpinfo,    // tcpinfo_<key>
    upstream_http,
    upstream_cookie,
    upstream_trailer,
    sent_http,
    sent_trailer,
    custom,  // registered by a plugin: Variable::index
};

// A compiled name. Immutable; lives with the configuration that uses it.
struct Variable {
    VariableKind kind = VariableKind::unknown;
    std::uint16_t index = 0;  // of kind custom: slot given by VariableNames::add
    std::string key;          // of families
    std::string name;         // as written, for messages
    JsonPath path;            // of kind post_arg_path

    // Whether its value may need the whole request body.
    bool needs_body() const noexcept {
        return kind >= VariableKind::graphql_operation && kind <= VariableKind::post_arg_path;
    }
};

// Never fails: an unknown name gives VariableKind::unknown. `name` is without `$`. Configuration time only (allocates).
Variable compile_variable(std::string_view name);

// Names that plugins add beside those of the specification; filled before the first configuration is compiled.
class VariableNames {
public:
    // The slot of `name`, a new one if it is not known yet.
    static std::uint16_t add(std::string_view name);
    static std::optional<std::uint16_t> find(std::string_view name) noexcept;
    static std::size_t count() noexcept;
    // Whether something was compiled in this process that reads it: a value that nobody reads need not be made.
    static bool wanted(std::uint16_t index) noexcept;
};

enum class ValueKind : std::uint8_t { absent, text, number, boolean, list, structured };

// A value of one variable; a bundle of views that live as long as the exchange (arena, head, static text).
struct VariableValue {
    ValueKind kind = ValueKind::absent;
    bool flag = false;                     // of boolean
    std::string_view text;                 // text: itself; number: its source text; structured: its JSON text
    std::span<const VariableValue> items;  // of list

    static VariableValue of(std::string_view text) noexcept { return {ValueKind::text, false, text, {}}; }
    static VariableValue number(std::string_view text) noexcept { return {ValueKind::number, false, text, {}}; }
    static VariableValue boolean(bool flag) noexcept { return {ValueKind::boolean, flag, {}, {}}; }
    static VariableValue list(std::span<const VariableValue> items) noexcept {
        return {ValueKind::list, false, {}, items};
    }
    static VariableValue structured(std::string_view json) noexcept { return {ValueKind::structured, false, json, {}}; }

    explicit operator bool() const noexcept { return kind != ValueKind::absent; }
    // What templates and regular expressions see: text, number and structured as their text, booleans as true/false,
    // a list as nothing.
    std::string_view plain() const noexcept {
        return kind == ValueKind::boolean ? (flag ? std::string_view("true") : std::string_view("false")) : text;
    }
};

// Whoever knows the request: the exchange, or a made-up one in tests.
// Body-derived variables may be asked for before the body was read: the source then remembers that it was asked,
// answers "absent", and its owner reads the body and evaluates again.
class VariableSource {
public:
    // False, with `out` absent, if the variable is unset. What is made for the answer lives in the source's own arena.
    virtual bool read(const Variable& variable, VariableValue& out) const = 0;

protected:
    ~VariableSource() = default;
};

// Whether a header field's name is the one that an http_/sent_http_/... key means.
bool names_header(std::string_view key, std::string_view field_name) noexcept;

}  // namespace gateway::expr
