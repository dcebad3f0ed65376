#include "libgateway/expr/variable.hpp"

#include <algorithm>
#include <array>

#include "libgateway/base/strings.hpp"

namespace gateway::expr {
namespace {

using Kind = VariableKind;
struct Name {
    std::string_view name;
    Kind kind;
};

// Sorted by name.
constexpr std::array fixed_names{
    Name{"args", Kind::args},
    Name{"balancer_ip", Kind::balancer_ip},
    Name{"balancer_port", Kind::balancer_port},
    Name{"binary_remote_addr", Kind::binary_remote_addr},
    Name{"body_bytes_sent", Kind::body_bytes_sent},
    Name{"bytes_sent", Kind::bytes_sent},
    Name{"connection", Kind::connection},
    Name{"connection_requests", Kind::connection_requests},
    Name{"connection_time", Kind::connection_time},
    Name{"consumer_group_id", Kind::consumer_group_id},
    Name{"consumer_name", Kind::consumer_name},
    Name{"content_length", Kind::content_length},
    Name{"content_type", Kind::content_type},
    Name{"document_uri", Kind::uri},
    Name{"end_reason", Kind::end_reason},
    Name{"graphql_name", Kind::graphql_name},
    Name{"graphql_operation", Kind::graphql_operation},
    Name{"graphql_root_fields", Kind::graphql_root_fields},
    Name{"host", Kind::host},
    Name{"hostname", Kind::hostname},
    Name{"https", Kind::https},
    Name{"is_args", Kind::is_args},
    Name{"method", Kind::request_method},
    Name{"msec", Kind::msec},
    Name{"original_forwarded", Kind::original_forwarded},
    Name{"original_x_forwarded_for", Kind::original_x_forwarded_for},
    Name{"original_x_forwarded_host", Kind::original_x_forwarded_host},
    Name{"original_x_forwarded_port", Kind::original_x_forwarded_port},
    Name{"original_x_forwarded_proto", Kind::original_x_forwarded_proto},
    Name{"pid", Kind::pid},
    Name{"proxy_protocol_addr", Kind::proxy_protocol_addr},
    Name{"proxy_protocol_port", Kind::proxy_protocol_port},
    Name{"proxy_protocol_server_addr", Kind::proxy_protocol_server_addr},
    Name{"proxy_protocol_server_port", Kind::proxy_protocol_server_port},
    Name{"query_string", Kind::args},
    Name{"real_request_uri", Kind::real_request_uri},
    Name{"realip_remote_addr", Kind::realip_remote_addr},
    Name{"realip_remote_port", Kind::realip_remote_port},
    Name{"remote_addr", Kind::remote_addr},
    Name{"remote_port", Kind::remote_port},
    Name{"remote_user", Kind::remote_user},
    Name{"request", Kind::request_line},
    Name{"request_body", Kind::request_body},
    Name{"request_completion", Kind::request_completion},
    Name{"request_id", Kind::request_id},
    Name{"request_length", Kind::request_length},
    Name{"request_line", Kind::request_line},
    Name{"request_method", Kind::request_method},
    Name{"request_time", Kind::request_time},
    Name{"request_uri", Kind::request_uri},
    Name{"resp_body", Kind::resp_body},
    Name{"route_id", Kind::route_id},
    Name{"route_name", Kind::route_name},
    Name{"scheme", Kind::scheme},
    Name{"server_addr", Kind::server_addr},
    Name{"server_name", Kind::server_name},
    Name{"server_port", Kind::server_port},
    Name{"server_protocol", Kind::server_protocol},
    Name{"service_id", Kind::service_id},
    Name{"service_name", Kind::service_name},
    Name{"status", Kind::status},
    Name{"time_iso8601", Kind::time_iso8601},
    Name{"time_local", Kind::time_local},
    Name{"upstream_addr", Kind::upstream_addr},
    Name{"upstream_bytes_received", Kind::upstream_bytes_received},
    Name{"upstream_bytes_sent", Kind::upstream_bytes_sent},
    Name{"upstream_cache_status", Kind::upstream_cache_status},
    Name{"upstream_connect_time", Kind::upstream_connect_time},
    Name{"upstream_connection", Kind::upstream_connection},
    Name{"upstream_header_time", Kind::upstream_header_time},
    Name{"upstream_host", Kind::upstream_host},
    Name{"upstream_response_length", Kind::upstream_response_length},
    Name{"upstream_response_time", Kind::upstream_response_time},
    Name{"upstream_scheme", Kind::upstream_scheme},
    Name{"upstream_status", Kind::upstream_status},
    Name{"upstream_unresolved_host", Kind::upstream_unresolved_host},
    Name{"upstream_upgrade", Kind::upstream_upgrade},
    Name{"upstream_uri", Kind::upstream_uri},
    Name{"uri", Kind::uri},
};
static_assert(std::is_sorted(fixed_names.begin(), fixed_names.end(),
                             [](const Name& a, const Name& b) { return a.name < b.name; }));

// A family's prefix is looked for only after the fixed names. No prefix begins another but post_arg.
constexpr std::array families{
    Name{"arg_", Kind::arg},
    Name{"cookie_", Kind::cookie},
    Name{"http_", Kind::http},
    Name{"post_arg.", Kind::post_arg_path},
    Name{"post_arg_", Kind::post_arg_form},
    Name{"sent_http_", Kind::sent_http},
    Name{"sent_trailer_", Kind::sent_trailer},
    Name{"ssl_", Kind::ssl},
    Name{"tcpinfo_", Kind::tcpinfo},
    Name{"upstream_cookie_", Kind::upstream_cookie},
    Name{"upstream_http_", Kind::upstream_http},
    Name{"upstream_trailer_", Kind::upstream_trailer},
    Name{"uri_param_", Kind::uri_param},
};

constexpr bool named_after_header(Kind kind) noexcept {
    return kind == Kind::http || kind == Kind::upstream_http || kind == Kind::upstream_trailer ||
           kind == Kind::sent_http || kind == Kind::sent_trailer;
}
constexpr char normal(char c) noexcept {
    return c == '-' ? '_' : to_lower(c);
}

std::vector<std::string>& registered() {
    static auto* const names = new std::vector<std::string>;
    return *names;
}

// By index of a registered name: something compiled reads it.
std::array<bool, 64> wanted_names{};

void mark_wanted(std::uint16_t index) noexcept {
    if (index < wanted_names.size()) wanted_names[index] = true;
}

bool find_fixed(std::string_view name, Kind& kind) noexcept {
    const auto at = std::lower_bound(fixed_names.begin(), fixed_names.end(), name,
                                     [](const Name& entry, std::string_view wanted) { return entry.name < wanted; });
    if (at == fixed_names.end() || at->name != name) return false;
    kind = at->kind;
    return true;
}

void find_family(std::string_view name, Variable& out) {
    for (const Name& family : families) {
        if (name.size() <= family.name.size() || name.substr(0, family.name.size()) != family.name) continue;
        out.kind = family.kind;
        out.key = name.substr(family.name.size());
        if (named_after_header(out.kind)) std::transform(out.key.begin(), out.key.end(), out.key.begin(), normal);
        if (out.kind == Kind::post_arg_path) out.path = compile_json_path(out.key);
        return;
    }
}

}  // namespace

Variable compile_variable(std::string_view name) {
    Variable out;
    out.name = name;
    if (find_fixed(name, out.kind)) return out;
    if (const auto index = VariableNames::find(name)) {
        out.kind = Kind::custom;
        out.index = *index;
        mark_wanted(*index);
        return out;
    }
    find_family(name, out);
    return out;
}

std::uint16_t VariableNames::add(std::string_view name) {
    if (const auto known = find(name)) return *known;
    registered().emplace_back(name);
    return static_cast<std::uint16_t>(registered().size() - 1);
}

std::optional<std::uint16_t> VariableNames::find(std::string_view name) noexcept {
    const auto& names = registered();
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end()) return std::nullopt;
    return static_cast<std::uint16_t>(at - names.begin());
}

bool VariableNames::wanted(std::uint16_t index) noexcept {
    return index < wanted_names.size() && wanted_names[index];
}

std::size_t VariableNames::count() noexcept {
    return registered().size();
}

bool names_header(std::string_view key, std::string_view field_name) noexcept {
    if (key.size() != field_name.size()) return false;
    for (std::size_t i = 0; i < key.size(); ++i) {
        if (key[i] != normal(field_name[i])) return false;
    }
    return true;
}

}  // namespace gateway::expr
