#include "libgateway/process/control_imagined.hpp"

#include <stdexcept>

#include "libgateway/base/strings.hpp"
#include "libgateway/expr/query.hpp"
#include "libgateway/http/host.hpp"

namespace gateway::process {

namespace {

[[noreturn]] void refuse(std::string_view argument, std::string_view found, std::string_view expected) {
    throw std::runtime_error(std::string(argument) + ": expected " + std::string(expected) + ", found \"" +
                             std::string(found.substr(0, 200)) + "\"");
}

std::string_view text_of(const json::Value& arguments, std::string_view name) {
    const json::Value* value = arguments.find(name);
    return value ? std::string_view(value->string()) : std::string_view();
}

bool is_token(std::string_view text) noexcept {
    for (const char c : text) {
        if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == ':') return false;
    }
    return !text.empty();
}

}  // namespace

ImaginedRequest::ImaginedRequest(const json::Value& arguments, const http::PathOptions& options)
    : method_(text_of(arguments, "method")) {
    if (!is_token(method_)) refuse("METHOD", method_, "a method like GET");
    read_headers(arguments.find("headers"));
    read_url(text_of(arguments, "url"), options);
    if (const std::string_view from = text_of(arguments, "from"); !from.empty()) from_ = from;
    const auto client = expr::parse_address(from_);
    if (!client) refuse("--from", from_, "an IP address");
    client_ = *client;
}

void ImaginedRequest::read_headers(const json::Value* headers) {
    if (!headers) return;
    for (const json::Value& line : headers->items()) {
        const std::string& text = line.string();
        const std::size_t colon = text.find(':');
        if (colon == std::string::npos || !is_token(std::string_view(text).substr(0, colon)))
            refuse("-H", text, "name: value");
        headers_.emplace_back(text.substr(0, colon), trim(std::string_view(text).substr(colon + 1)));
        if (iequals(headers_.back().first, "host")) authority_ = headers_.back().second;
    }
}

void ImaginedRequest::read_url(std::string_view url, const http::PathOptions& options) {
    const std::string_view whole = url;
    if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos) {
        scheme_ = to_lower(url.substr(0, scheme));
        if (scheme_ != "http" && scheme_ != "https") refuse("URL", whole, "http:// or https://");
        url.remove_prefix(scheme + 3);
        const std::size_t end = std::min(url.find_first_of("/?#"), url.size());
        // As in an absolute-form request, the URL's authority wins over a Host field.
        authority_ = url.substr(0, end);
        url.remove_prefix(end);
    } else if (url.empty() || url.front() != '/') {
        refuse("URL", whole, "/path or http://host/path");
    }
    url = url.substr(0, url.find('#'));
    const std::size_t mark = url.find('?');
    has_query_ = mark != std::string_view::npos;
    if (has_query_) query_ = url.substr(mark + 1);
    raw_path_ = url.substr(0, mark);
    if (raw_path_.empty()) raw_path_ = "/";
    if (!authority_.empty() && !http::valid_authority(authority_)) refuse("URL", authority_, "a valid host");
    host_ = http::host_of(authority_, arena_);
    path_ = http::normalise(raw_path_, options, arena_);
    if (!path_.valid) throw std::runtime_error("URL: answered 400: " + std::string(path_.reason));
}

route::MatchInput ImaginedRequest::input() const {
    route::MatchInput input;
    input.path = path_.match;
    input.host = host_;
    input.raw_host = authority_;
    input.method = route::method_bit(method_);
    input.client = client_;
    input.variables = this;
    return input;
}

bool ImaginedRequest::text(std::string_view value, expr::VariableValue& out) const {
    out = expr::VariableValue::of(value);
    return true;
}

bool ImaginedRequest::header(std::string_view key, expr::VariableValue& out) const {
    std::string_view joined;
    bool found = false;
    for (const auto& [name, value] : headers_) {
        if (!expr::names_header(key, name)) continue;
        joined = found ? arena_.join(joined, ", ", value) : std::string_view(value);
        found = true;
    }
    if (!found && key == "host" && !authority_.empty()) return text(authority_, out);
    return found && text(joined, out);
}

bool ImaginedRequest::cookie(std::string_view key, expr::VariableValue& out) const {
    for (const auto& [name, value] : headers_) {
        std::string_view found;
        if (iequals(name, "cookie") && expr::find_cookie(value, key, found)) return text(found, out);
    }
    return false;
}

bool ImaginedRequest::read(const expr::Variable& variable, expr::VariableValue& out) const {
    using expr::VariableKind;
    out = {};
    switch (variable.kind) {
        case VariableKind::uri:
            return text(path_.uri, out);
        case VariableKind::request_uri:
        case VariableKind::real_request_uri:
            return text(arena_.join(variable.kind == VariableKind::request_uri ? path_.uri : raw_path_,
                                    has_query_ ? "?" : "", query_),
                        out);
        case VariableKind::request_line:
            return text(arena_.join(arena_.join(method_, " ", raw_path_), has_query_ ? "?" : "",
                                    arena_.join(query_, " ", "HTTP/1.1")),
                        out);
        case VariableKind::args:
            return text(query_, out);
        case VariableKind::is_args:
            return text(has_query_ ? "?" : "", out);
        case VariableKind::request_method:
            return text(method_, out);
        case VariableKind::host:
            return text(host_, out);
        case VariableKind::scheme:
            return text(scheme_, out);
        case VariableKind::https:
            return text(scheme_ == "https" ? "on" : "", out);
        case VariableKind::server_protocol:
            return text("HTTP/1.1", out);
        case VariableKind::server_name:
            return text("_", out);
        case VariableKind::remote_addr:
        case VariableKind::realip_remote_addr:
            return text(from_, out);
        case VariableKind::content_type:
            return header("content_type", out);
        case VariableKind::content_length:
            return header("content_length", out);
        case VariableKind::http:
            return header(variable.key, out);
        case VariableKind::cookie:
            return cookie(variable.key, out);
        case VariableKind::arg:
            out = expr::find_argument(query_, variable.key, arena_);
            return static_cast<bool>(out);
        default:
            return false;
    }
}

}  // namespace gateway::process
