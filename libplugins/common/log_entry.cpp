#include "libplugins/common/log_entry.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "libgateway/base/strings.hpp"
#include "libplugins/common/json_text.hpp"

namespace gateway::plugins {
namespace {

constexpr std::size_t most_arguments = 100;

const std::string& host_name() {
    static const std::string name = [] {
        std::array<char, 256> text{};
        ::gethostname(text.data(), text.size() - 1);
        return std::string(text.data());
    }();
    return name;
}

std::string_view read_text(const Exchange& exchange, const expr::Variable& variable) {
    expr::VariableValue value;
    return exchange.read(variable, value) ? value.plain() : std::string_view();
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
    append_json_name(out, name);
    append_json_string(out, text);
}

template <class Number>
void append_number(std::string& out, std::string_view name, Number number) {
    append_json_name(out, name);
    const fmt::format_int text(number);
    out.append(text.data(), text.size());
}

// Milliseconds with the microseconds behind the point.
void append_milliseconds(std::string& out, std::string_view name, std::int64_t microseconds) {
    append_json_name(out, name);
    fmt::format_to(std::back_inserter(out), "{}.{:03}", microseconds / 1000, microseconds % 1000);
}

// Several values of one name become an array, in the place of the first. `list` gives (name, value, has_value).
struct NamedValue {
    std::string_view name, value;
    bool has_value = true;
};
void append_value(std::string& out, const NamedValue& one) {
    if (one.has_value) {
        append_json_string(out, one.value);
    } else {
        out += "true";
    }
}
template <class Same>
void append_grouped(std::string& out, const NamedValue* list, std::size_t count, Same same) {
    out += '{';
    for (std::size_t i = 0; i < count; ++i) {
        const auto equal = [&](const NamedValue& other) { return same(other.name, list[i].name); };
        if (std::any_of(list, list + i, equal)) continue;
        append_json_name(out, list[i].name);
        if (std::none_of(list + i + 1, list + count, equal)) {
            append_value(out, list[i]);
            continue;
        }
        out += '[';
        for (std::size_t k = i; k < count; ++k) {
            if (!equal(list[k])) continue;
            if (out.back() != '[') out += ',';
            append_value(out, list[k]);
        }
        out += ']';
    }
    out += '}';
}

std::string_view lower(std::string_view text, Arena& arena) {
    char* to = arena.chars(text.size());
    std::transform(text.begin(), text.end(), to, [](char c) { return to_lower(c); });
    return {to, text.size()};
}

void append_fields(std::string& out, std::string_view name, const http::Fields& fields, Arena& arena) {
    append_json_name(out, name);
    std::size_t count = 0;
    for ([[maybe_unused]] const http::Field& field : fields) ++count;
    auto* list = static_cast<NamedValue*>(arena.take(sizeof(NamedValue) * (count + 1), alignof(NamedValue)));
    count = 0;
    for (const http::Field& field : fields) list[count++] = {lower(field.name, arena), field.value, true};
    append_grouped(out, list, count, [](std::string_view a, std::string_view b) { return a == b; });
}

std::string_view decode(std::string_view text, Arena& arena) {
    char* to = arena.chars(text.size());
    std::size_t size = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape =
            text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
        if (escape) {
            to[size++] = static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
            i += 2;
        } else {
            to[size++] = text[i] == '+' ? ' ' : text[i];
        }
    }
    return {to, size};
}

void append_query(std::string& out, std::string_view query, Arena& arena) {
    append_json_name(out, "querystring");
    if (query.empty()) {
        out += "{}";
        return;
    }
    std::array<NamedValue, most_arguments> list;
    std::size_t count = 0;
    while (!query.empty() && count < list.size()) {
        const std::size_t end = query.find('&');
        const std::string_view part = query.substr(0, end);
        const std::size_t sign = part.find('=');
        const bool has_value = sign != std::string_view::npos;
        if (!part.empty() && sign != 0)
            list[count++] = {decode(part.substr(0, sign), arena),
                             has_value ? decode(part.substr(sign + 1), arena) : std::string_view(), has_value};
        query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    }
    append_grouped(out, list.data(), count, [](std::string_view a, std::string_view b) { return a == b; });
}

void append_request(std::string& out, Exchange& exchange, const ExchangeFacts& facts, const LoggedBodies& bodies) {
    static const expr::Variable request_uri = expr::compile_variable("request_uri"),
                                server_port = expr::compile_variable("server_port");
    Arena& arena = exchange.arena();
    const std::string_view uri = read_text(exchange, request_uri);
    append_json_name(out, "request");
    out += '{';
    const std::string_view origin = arena.join(exchange.scheme, "://", exchange.host);
    append_member(out, "url", arena.join(arena.join(origin, ":", read_text(exchange, server_port)), uri));
    append_member(out, "uri", uri);
    append_member(out, "method", exchange.request.method_text);
    append_fields(out, "headers", exchange.request.fields, arena);
    append_query(out, exchange.request.has_query ? exchange.request.query : std::string_view(), arena);
    append_number(out, "size", facts.request_length);
    if (bodies.request.data()) append_member(out, "body", bodies.request);
    out += '}';
}

void append_response(std::string& out, Exchange& exchange, const ExchangeFacts& facts, const LoggedBodies& bodies) {
    append_json_name(out, "response");
    out += '{';
    append_number(out, "status", facts.status);
    append_fields(out, "headers", exchange.response.fields, exchange.arena());
    append_number(out, "size", facts.bytes_sent);
    if (bodies.response.data()) append_member(out, "body", bodies.response);
    out += '}';
}

void append_latencies(std::string& out, const ExchangeFacts& facts) {
    const bool proxied = facts.upstream_ms >= 0;
    const std::int64_t upstream = proxied ? facts.upstream_ms * 1000 : 0;
    append_milliseconds(out, "latency", facts.duration_us);
    if (proxied) append_milliseconds(out, "upstream_latency", upstream);
    append_milliseconds(out, "apisix_latency", std::max<std::int64_t>(facts.duration_us - upstream, 0));
}

void append_default(std::string& out, Exchange& exchange, const ExchangeFacts& facts, const EntryStyle& style,
                    const LoggedBodies& bodies) {
    static const expr::Variable upstream_addr = expr::compile_variable("upstream_addr");
    append_request(out, exchange, facts, bodies);
    append_response(out, exchange, facts, bodies);
    append_json_name(out, "server");
    out += '{';
    append_member(out, "hostname", host_name());
    append_member(out, "version", GATEWAY_VERSION);
    out += '}';
    const std::string_view upstream = read_text(exchange, upstream_addr);
    if (!upstream.empty()) append_member(out, "upstream", upstream);
    const bool routed = !facts.route_id.empty();
    append_member(out, "service_id", routed ? facts.service_id : exchange.host);
    const std::string_view route = routed ? facts.route_id : style.no_route;
    if (!route.empty()) append_member(out, "route_id", route);
    if (exchange.consumer()) {
        append_json_name(out, "consumer");
        out += '{';
        append_member(out, "username", exchange.consumer()->username);
        out += '}';
    }
    append_member(out, "client_ip", exchange.client_text);
    append_number(out, "start_time", exchange.services().now_ms() - facts.duration_us / 1000);
    append_latencies(out, facts);
    if (!style.extra) return;
    // Members that are there are not written again.
    style.extra->append(out, exchange, bodies, [&](std::string_view name) {
        static constexpr std::array<std::string_view, 8> always{"request",   "response",   "server",  "service_id",
                                                                "client_ip", "start_time", "latency", "apisix_latency"};
        if (std::find(always.begin(), always.end(), name) != always.end()) return true;
        return (name == "upstream" && !upstream.empty()) || (name == "route_id" && !route.empty()) ||
               (name == "consumer" && exchange.consumer()) || (name == "upstream_latency" && facts.upstream_ms >= 0);
    });
}

}  // namespace

void append_entry(std::string& out, Exchange& exchange, const EntryStyle& style, const LoggedBodies& bodies) {
    const ExchangeFacts facts = exchange.facts();
    out += '{';
    if (!style.format) {
        append_default(out, exchange, facts, style, bodies);
    } else {
        style.format->append(out, exchange, bodies, [&](std::string_view name) {
            return (name == "service_id" && !facts.service_id.empty()) ||
                   (name == "route_id" && !facts.route_id.empty());
        });
        if (!facts.service_id.empty()) append_member(out, "service_id", facts.service_id);
        if (!facts.route_id.empty()) append_member(out, "route_id", facts.route_id);
    }
    out += '}';
}

}  // namespace gateway::plugins
