// Values of the variables of router.md 9, read from the exchange when somebody asks.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <ctime>

#include "libgateway/base/hash.hpp"
#include "libgateway/base/log.hpp"
#include "libgateway/expr/body_arguments.hpp"
#include "libgateway/expr/graphql.hpp"
#include "libgateway/expr/query.hpp"
#include "libgateway/proxy/exchange_state.hpp"
#include "libgateway/proxy/site.hpp"
#include "libgateway/proxy/tls_variables.hpp"

namespace gateway::proxy {

using expr::VariableKind;
using expr::VariableValue;
using http::FieldName;

namespace {

// Collects the answer to one read(); everything made for it lives in the exchange's arena.
class Reader {
public:
    Reader(const ProxyExchange& exchange, Arena& arena, VariableValue& out) : x_(exchange), arena_(arena), out_(out) {}

    bool text(std::string_view value) {
        out_ = VariableValue::of(value);
        return true;
    }
    bool present(std::string_view value) { return !value.empty() && text(value); }
    template <class... Args>
    bool format(fmt::format_string<Args...> pattern, Args&&... args) {
        std::array<char, 128> buffer;
        const auto end = fmt::format_to_n(buffer.data(), buffer.size(), pattern, std::forward<Args>(args)...);
        return text(arena_.copy({buffer.data(), std::min(end.size, buffer.size())}));
    }
    bool seconds(std::int64_t milliseconds) { return format("{}.{:03}", milliseconds / 1000, milliseconds % 1000); }

    bool read(const expr::Variable& variable);

private:
    bool request(VariableKind kind);
    bool connection(const expr::Variable& variable);
    bool time(VariableKind kind);
    bool matched(const expr::Variable& variable);
    bool upstream(VariableKind kind);
    bool response(const expr::Variable& variable);
    bool body(const expr::Variable& variable);
    void read_graphql(std::string_view type);
    bool set_cookie(std::string_view name);
    bool trailer(std::string_view key, bool sent);
    bool fields(const http::Fields& fields, std::string_view key);
    bool remote_user();
    bool tcp_info(std::string_view key);
    template <class Each>
    bool per_attempt(Each&& each);

    const ProxyExchange& x_;
    Arena& arena_;
    VariableValue& out_;
};

bool Reader::fields(const http::Fields& fields, std::string_view key) {
    std::string_view joined;
    bool found = false;
    for (const http::Field& field : fields) {
        if (!expr::names_header(key, field.name)) continue;
        joined = found ? arena_.join(joined, ", ", field.value) : field.value;
        found = true;
    }
    return found && text(joined);
}

bool Reader::remote_user() {
    const std::string_view header = x_.request.fields.get(FieldName::authorization);
    if (header.size() < 7 || !iequals(header.substr(0, 6), "basic ")) return false;
    char* decoded = arena_.chars(header.size());
    std::size_t size = 0;
    unsigned bits = 0, have = 0;
    for (const char c : trim(header.substr(6))) {
        static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const std::size_t at = alphabet.find(c);
        if (at == std::string_view::npos) break;
        bits = bits << 6 | static_cast<unsigned>(at);
        have += 6;
        if (have >= 8) decoded[size++] = static_cast<char>(bits >> (have -= 8));
    }
    const std::string_view pair(decoded, size);
    return present(pair.substr(0, pair.find(':')));
}

bool Reader::tcp_info(std::string_view key) {
    ::tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(x_.client_stream().descriptor().fd(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
    if (key == "rtt") return format("{}", info.tcpi_rtt);
    if (key == "rttvar") return format("{}", info.tcpi_rttvar);
    if (key == "snd_cwnd") return format("{}", info.tcpi_snd_cwnd);
    if (key == "rcv_space") return format("{}", info.tcpi_rcv_space);
    return false;
}

bool Reader::request(VariableKind kind) {
    switch (kind) {
        case VariableKind::request_uri:
            return text(x_.request.has_query ? arena_.join(x_.match_path, "?", x_.request.query) : x_.match_path);
        case VariableKind::remote_user:
            return remote_user();
        case VariableKind::request_length:
            return format("{}", x_.request_length + x_.upload.taken());
        default:
            return false;
    }
}

bool Reader::connection(const expr::Variable& variable) {
    const Session& session = *x_.session;
    const ProxiedAddress* proxied = session.proxied();
    switch (variable.kind) {
        case VariableKind::hostname: {
            std::array<char, 256> name{};
            return ::gethostname(name.data(), name.size() - 1) == 0 && text(arena_.copy(name.data()));
        }
        case VariableKind::pid:
            return format("{}", ::getpid());
        case VariableKind::server_addr:
            return text(arena_.copy(session.local_address()));
        case VariableKind::server_port:
            return format("{}", session.local_port());
        case VariableKind::binary_remote_addr:
            return text(x_.client_text);
        case VariableKind::realip_remote_addr:
            return text(x_.peer_text);
        case VariableKind::realip_remote_port:
            return format("{}", session.peer_port());
        case VariableKind::proxy_protocol_addr:
            return proxied && proxied->known && text(arena_.copy(proxied->source.text()));
        case VariableKind::proxy_protocol_port:
            return proxied && proxied->known && format("{}", proxied->source_port);
        case VariableKind::proxy_protocol_server_addr:
            return proxied && proxied->known && text(arena_.copy(proxied->destination.text()));
        case VariableKind::proxy_protocol_server_port:
            return proxied && proxied->known && format("{}", proxied->destination_port);
        case VariableKind::connection:
            return format("{}", session.serial());
        case VariableKind::connection_requests:
            return format("{}", session.requests());
        case VariableKind::connection_time:
            return seconds(x_.site().reactor.now_ms() - session.started_ms());
        case VariableKind::tcpinfo:
            return tcp_info(variable.key);
        case VariableKind::ssl: {
            const auto value = read_tls_variable(session, variable.key, arena_);
            return value && text(*value);
        }
        default:
            return false;
    }
}

bool Reader::time(VariableKind kind) {
    const std::int64_t now = wall_ms();
    if (kind == VariableKind::msec) return seconds(now);
    const std::time_t whole = now / 1000;
    std::tm parts{};
    ::localtime_r(&whole, &parts);
    std::array<char, 48> stamp;
    const char* pattern = kind == VariableKind::time_local ? "%d/%b/%Y:%H:%M:%S %z" : "%Y-%m-%dT%H:%M:%S%z";
    std::size_t size = std::strftime(stamp.data(), stamp.size(), pattern, &parts);
    if (kind == VariableKind::time_iso8601 && size > 2) {  // +0100 becomes +01:00
        std::memmove(stamp.data() + size - 1, stamp.data() + size - 2, 2);
        stamp[size - 2] = ':';
        ++size;
    }
    return text(arena_.copy({stamp.data(), size}));
}

bool Reader::matched(const expr::Variable& variable) {
    const CompiledRoute* route = x_.route.get();
    std::string_view value;
    switch (variable.kind) {
        case VariableKind::route_id:
            return route && present(route->route_id);
        case VariableKind::route_name:
            return route && present(route->route_name);
        case VariableKind::service_id:
            return route && present(route->service_id);
        case VariableKind::service_name:
            return route && present(route->service_name);
        case VariableKind::uri_param:
            return x_.match.param(variable.key, value) && text(arena_.copy(value));
        case VariableKind::original_x_forwarded_for:
            return present(x_.original.x_for);
        case VariableKind::original_x_forwarded_proto:
            return present(x_.original.x_proto);
        case VariableKind::original_x_forwarded_host:
            return present(x_.original.x_host);
        case VariableKind::original_x_forwarded_port:
            return present(x_.original.x_port);
        case VariableKind::original_forwarded:
            return present(x_.original.forwarded);
        default:
            return false;
    }
}

template <class Each>
bool Reader::per_attempt(Each&& each) {
    if (x_.attempt_count == 0) return false;
    fmt::memory_buffer list;
    for (std::size_t i = 0; i < x_.attempt_count; ++i) {
        if (i) fmt::format_to(std::back_inserter(list), ", ");
        each(list, x_.attempts[i]);
    }
    return text(arena_.copy({list.data(), list.size()}));
}

void append_seconds(fmt::memory_buffer& list, std::int32_t milliseconds) {
    if (milliseconds < 0) {
        list.push_back('-');
    } else {
        fmt::format_to(std::back_inserter(list), "{}.{:03}", milliseconds / 1000, milliseconds % 1000);
    }
}

bool Reader::upstream(VariableKind kind) {
    const auto append = [](fmt::memory_buffer& list, auto value) {
        fmt::format_to(std::back_inserter(list), "{}", value);
    };
    const AttemptRecord* last = x_.attempt_count ? &x_.attempts[x_.attempt_count - 1] : nullptr;
    switch (kind) {
        case VariableKind::balancer_ip:
            return last && present(last->address.substr(0, last->address.rfind(':')));
        case VariableKind::balancer_port:
            return last && format("{}", last->port);
        case VariableKind::upstream_unresolved_host:
            return last && text(last->host);
        case VariableKind::upstream_scheme:
            return text("http");
        case VariableKind::upstream_host:
            return present(x_.sent_host.empty() ? x_.request.authority : x_.sent_host);
        case VariableKind::upstream_uri:
            return present(x_.sent_target);
        case VariableKind::upstream_addr:
            return per_attempt([&](auto& list, const AttemptRecord& record) { append(list, record.address); });
        case VariableKind::upstream_status:
            return per_attempt([&](auto& list, const AttemptRecord& record) {
                if (record.status == 0) return list.push_back('-');
                append(list, record.status);
            });
        case VariableKind::upstream_connect_time:
            return per_attempt(
                [](auto& list, const AttemptRecord& record) { append_seconds(list, record.connect_ms); });
        case VariableKind::upstream_header_time:
            return per_attempt([](auto& list, const AttemptRecord& record) { append_seconds(list, record.header_ms); });
        case VariableKind::upstream_response_time:
            return per_attempt(
                [](auto& list, const AttemptRecord& record) { append_seconds(list, record.response_ms); });
        case VariableKind::upstream_upgrade:
            return x_.request.websocket && x_.route && x_.route->enable_websocket && text("websocket");
        case VariableKind::upstream_connection:
            return x_.request.websocket && x_.route && x_.route->enable_websocket && text("upgrade");
        case VariableKind::upstream_response_length:  // only the last attempt's body is read
            return per_attempt([&](auto& list, const AttemptRecord& record) {
                append(list, &record == last ? x_.download.taken() : std::uint64_t(0));
            });
        case VariableKind::upstream_bytes_received:
            return per_attempt([&](auto& list, const AttemptRecord& record) { append(list, record.received); });
        case VariableKind::upstream_bytes_sent:
            return per_attempt([&](auto& list, const AttemptRecord& record) { append(list, record.sent); });
        default:
            return false;
    }
}

bool Reader::response(const expr::Variable& variable) {
    switch (variable.kind) {
        case VariableKind::bytes_sent:
            return format("{}", x_.bytes_sent);
        case VariableKind::body_bytes_sent:
            return format("{}", x_.body_bytes_sent);
        case VariableKind::request_time:
            return seconds((monotonic_ns() - x_.started_ns) / 1'000'000);
        case VariableKind::request_completion:
            return text(x_.reason == EndReason::completed ? "OK" : "");
        case VariableKind::end_reason:
            return text(telemetry::name_of(x_.reason));
        case VariableKind::resp_body:
            return text("");
        case VariableKind::upstream_http:
            return x_.attempt_count && fields(x_.response.fields, variable.key);
        case VariableKind::upstream_cookie:
            return x_.attempt_count && set_cookie(variable.key);
        case VariableKind::upstream_trailer:
        case VariableKind::sent_trailer:
            return x_.attempt_count && trailer(variable.key, variable.kind == VariableKind::sent_trailer);
        default:
            return false;
    }
}

bool Reader::set_cookie(std::string_view name) {
    for (const http::Field& field : x_.response.fields) {
        std::string_view value;
        const std::string_view pair = field.value.substr(0, field.value.find(';'));
        if (iequals(field.name, "set-cookie") && expr::find_cookie(pair, name, value)) return text(value);
    }
    return false;
}

bool Reader::trailer(std::string_view key, bool sent) {
    if (x_.download.kind() != http::BodyKind::chunked) return false;  // else they are those of an exchange before
    for (const auto& [name, value] : x_.download.chunks().trailers()) {
        if (!expr::names_header(key, name) || (sent && !http::may_be_trailer(name))) continue;
        return text(arena_.copy(value));
    }
    return false;
}

bool Reader::body(const expr::Variable& variable) {
    const std::string_view type = x_.request.fields.get(FieldName::content_type);
    x_.body_asked = x_.body_asked || !x_.body_buffered;
    if (variable.kind == VariableKind::post_arg_form || variable.kind == VariableKind::post_arg_path) {
        if (!x_.body_buffered) return false;
        out_ = expr::read_body_argument(variable, type, x_.request_body, arena_);
        return static_cast<bool>(out_);
    }
    if (!x_.body_buffered && x_.request.method_text != "GET") return false;
    if (!x_.graphql_read) read_graphql(type);
    if (!x_.graphql.valid) return false;
    if (variable.kind == VariableKind::graphql_operation) return text(x_.graphql.operation);
    if (variable.kind == VariableKind::graphql_name) return text(x_.graphql.name);
    out_ = x_.graphql.root_fields;
    return static_cast<bool>(out_);
}

// Once per exchange: the three variables come from one document, and what is wrong with it is logged once.
void Reader::read_graphql(std::string_view type) {
    x_.graphql_read = true;
    std::string_view document;
    const char* wrong = "there is none";
    if (expr::graphql_document(x_.request.method_text, type, x_.args, x_.body_buffered ? x_.request_body : "", arena_,
                               document)) {
        wrong = document.size() > x_.settings->max_graphql ? "larger than graphql.max_size" : "syntax error";
        if (document.size() <= x_.settings->max_graphql) x_.graphql = expr::parse_graphql(document, arena_);
    }
    if (!x_.graphql.valid) log::error("failed to read the GraphQL document of {}: {}", x_.request.line, wrong);
}

bool Reader::read(const expr::Variable& variable) {
    switch (variable.kind) {
        case VariableKind::status:
            return format("{:03}", x_.status ? x_.status : x_.response.status);
        case VariableKind::msec:
        case VariableKind::time_iso8601:
        case VariableKind::time_local:
            return time(variable.kind);
        case VariableKind::request_id: {
            const Hash128 id = hash128({reinterpret_cast<const char*>(&x_.started_ns), sizeof x_.started_ns},
                                       {x_.session->serial(), x_.session->requests()});
            return format("{:016x}{:016x}", id.high, id.low);
        }
        default:
            break;
    }
    if (variable.needs_body()) return body(variable);
    return request(variable.kind) || connection(variable) || matched(variable) || upstream(variable.kind) ||
           response(variable);
}

}  // namespace

bool ProxyExchange::read(const expr::Variable& variable, VariableValue& out) const {
    out = {};
    if (variable.kind != VariableKind::status && read_own(variable, out)) return true;
    return Reader(*this, arena_, out).read(variable);
}

}  // namespace gateway::proxy
