#include "libgateway/process/recorded_request.hpp"

#include <stdexcept>

#include "libgateway/base/strings.hpp"
#include "libgateway/expr/query.hpp"
#include "libgateway/json/value.hpp"
#include "libgateway/telemetry/access_log.hpp"

namespace gateway::process {

namespace {

using expr::VariableKind;

constexpr json::Limits line_limits{64, 16 << 20, false};
constexpr std::string_view replacement = "\xef\xbf\xbd";  // what the log writes for bytes that are no UTF-8

void copy(json::Value& to, std::string_view name, const json::Value& value) {
    if (value.is_string() || value.is_number()) to.set(name, value);
}

// The entry of a logger plugin in the names of the access log.
json::Value flat(const json::Value& entry) {
    json::Value fields = json::Value::object();
    const json::Value& request = *entry.find("request");
    copy(fields, "request_method", member(request, "method"));
    copy(fields, "request_uri", member(request, "uri"));
    copy(fields, "remote_addr", member(entry, "client_ip"));
    copy(fields, "consumer_name", member(member(entry, "consumer"), "username"));
    if (const json::Value* url = request.find("url"))
        fields.set("scheme", json::Value(url->string().substr(0, url->string().find(':'))));
    if (const json::Value* headers = request.find("headers"); headers && headers->is_object()) {
        const json::Value* host = headers->find("host");
        fields.set("http_host", host ? *host : json::Value(""));
        fields.set("headers", *headers);
    }
    return fields;
}

// A format with the names of its variables in the place of their values, quoted where they are not.
std::string sample_of(std::string_view format) {
    telemetry::AccessFormat compiled(format, telemetry::LogEscape::json);
    std::string sample;
    bool quoted = false;
    for (const telemetry::AccessFormat::Piece& piece : compiled.pieces()) {
        if (piece.variable) {
            sample += (quoted ? "$" : "\"$") + piece.text + (quoted ? "" : "\"");
            continue;
        }
        for (std::size_t i = 0; i < piece.text.size(); ++i) {
            if (piece.text[i] == '"') quoted = !quoted;
            if (piece.text[i] == '\\') sample += piece.text[i++];
            if (i < piece.text.size()) sample += piece.text[i];
        }
    }
    return sample;
}

// A path that was decoded, as a client would have to write it. An encoded slash was kept if the router looks at it.
std::string encoded(std::string_view path, bool keeps_slashes) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string text;
    for (std::size_t i = 0; i < path.size(); ++i) {
        const auto byte = static_cast<unsigned char>(path[i]);
        const bool slash = keeps_slashes && path.substr(i, 3) == "%2F";
        const bool odd = byte <= 0x20 || byte == 0x7f || path[i] == '#' || (path[i] == '%' && !slash);
        if (odd) {
            text += {'%', digits[byte >> 4], digits[byte & 15]};
        } else {
            text += path[i];
        }
    }
    return text;
}

// Without what was found, so that all lines with the same fault are told as one.
std::string general(std::string text) {
    return text.substr(0, text.find(", found \""));
}

}  // namespace

LogNames::LogNames(std::string_view format) {
    std::optional<json::Value> sample;
    json::ParseFailure failure;
    try {
        sample = json::try_parse(sample_of(format), failure, line_limits);
    } catch (const std::invalid_argument&) {
        return;
    }
    if (!sample) return;
    for (const json::Member& one : sample->members()) {
        formatted_.insert(one.key);
        const std::string& value = one.value.string();
        if (value.size() > 1 && value.front() == '$' && value.find('$', 1) == std::string::npos)
            members_.emplace(value.substr(1), one.key);
    }
}

std::optional<std::string_view> LogNames::member_of(std::string_view variable) const {
    const auto found = members_.find(variable);
    if (found != members_.end()) return found->second;
    if (formatted_.count(variable) != 0) return std::nullopt;
    return variable;
}

std::optional<LogLine> LogLine::parse(std::string_view line, const LogNames& names, std::string& why) {
    json::ParseFailure failure;
    auto fields = json::try_parse(line, failure, line_limits);
    if (!fields) why = "no JSON: " + failure.what;
    if (fields && !fields->is_object()) why = "no JSON object";
    if (!fields || !fields->is_object()) return std::nullopt;
    const json::Value* request = fields->find("request");
    static const LogNames own;  // what logger plugins write does not follow the format of the access log
    if (request && request->is_object()) return LogLine(flat(*fields), own);
    fields->erase("headers");
    return LogLine(std::move(*fields), names);
}

std::optional<std::string> LogLine::variable(std::string_view name) const {
    const auto member = names_->member_of(name);
    const json::Value* value = member ? fields_.find(*member) : nullptr;
    if (!value || value->is_object() || value->is_array()) return std::nullopt;
    if (value->is_null()) return "";
    if (value->is_boolean()) return value->boolean() ? "true" : "false";
    return value->is_number() ? value->number() : value->string();
}

RecordedRequest::RecordedRequest(const LogLine& line, const http::PathOptions& options, const RouteNeeds& needs,
                                 std::string& why)
    : line_(line) {
    for (const std::string_view name : {"request_method", "method"}) {
        if (method_.empty()) method_ = line.variable(name).value_or("");
    }
    read_target(line, options.match_uri_encoded_slash);
    read_client(line);
    consumer_ = line.variable("consumer_name").value_or("");
    if (target_.empty()) {
        why = "it has no request_uri, real_request_uri, request or uri";
    } else if (method_.empty() && needs.method) {
        why = "it has no request_method or request";
    } else if (!knows_host_ && needs.host) {
        why = "it has no http_host or host";
    } else if (client_.empty() && needs.client) {
        why = "it has no remote_addr";
    } else if (target_.find(replacement) != std::string::npos) {
        why = "its path holds bytes that the log could not keep";
    } else {
        imagine(options, why);
    }
}

// What the client sent is preferred; what plugins may have rewritten meanwhile comes last.
void RecordedRequest::read_target(const LogLine& line, bool keeps_slashes) {
    const std::string whole = line.variable("request").value_or(line.variable("request_line").value_or(""));
    const std::size_t first = whole.find(' '), last = whole.rfind(' ');
    const bool has_line = first != std::string::npos && first != last;
    if (method_.empty() && has_line) method_ = whole.substr(0, first);
    knows_query_ = true;
    target_ = line.variable("real_request_uri").value_or("");
    if (target_.empty() && has_line) target_ = whole.substr(first + 1, last - first - 1);
    if (!target_.empty()) return;
    if (const std::string uri = line.variable("request_uri").value_or(""); !uri.empty()) {
        const std::size_t mark = std::min(uri.find('?'), uri.size());
        target_ = encoded(std::string_view(uri).substr(0, mark), keeps_slashes) + uri.substr(mark);
        return;
    }
    const auto uri = line.variable("uri");
    auto query = line.variable("args");
    if (!query) query = line.variable("query_string");
    knows_query_ = query.has_value();
    if (uri) target_ = encoded(*uri, keeps_slashes);
    for (std::size_t at = 0; (at = target_.find('?', at)) != std::string::npos;) target_.replace(at, 1, "%3F");
    if (query && !query->empty()) target_ += "?" + *query;
}

void RecordedRequest::read_client(const LogLine& line) {
    auto host = line.variable("http_host");
    if (!host) host = line.variable("host");
    const bool absolute = target_.find("://") < target_.find('/');
    knows_host_ = host.has_value() || absolute;
    if (host && *host != "_") host_ = *host;
    client_ = line.variable("remote_addr").value_or("");
}

void RecordedRequest::imagine(const http::PathOptions& options, std::string& why) {
    json::Value arguments = json::Value::object(
        {{"method", json::Value(method_.empty() ? "GET" : method_)}, {"url", json::Value(target_)}});
    if (!host_.empty()) arguments.set("headers", json::Value::array({json::Value("Host: " + host_)}));
    if (!client_.empty()) arguments.set("from", json::Value(client_));
    try {
        imagined_.emplace(arguments, options);
    } catch (const std::exception& error) {
        why = general(error.what());
    }
}

route::MatchInput RecordedRequest::input() const {
    route::MatchInput input = imagined_->input();
    input.variables = this;
    return input;
}

std::string RecordedRequest::text() const {
    return imagined_->method() + " " + (target_.front() == '/' ? host_ : "") + target_;
}

bool RecordedRequest::lacks(std::string_view name) const {
    if (missing_.empty()) missing_ = name;
    return false;
}

bool RecordedRequest::text_of(std::optional<std::string> value, std::string_view name, expr::VariableValue& out) const {
    if (!value) return lacks(name);
    if (value->empty()) return false;
    out = expr::VariableValue::of(arena_.copy(*value));
    return true;
}

bool RecordedRequest::logged(std::string_view name, expr::VariableValue& out) const {
    return text_of(line_.variable(name), name, out);
}

bool RecordedRequest::header(std::string_view key, expr::VariableValue& out) const {
    const std::string name = "http_" + std::string(key);
    if (key == "host" && knows_host_) return text_of(host_, name, out);
    if (!line_.headers()) return logged(name, out);
    for (const json::Member& field : line_.headers()->members()) {
        if (!expr::names_header(key, field.key)) continue;
        std::string joined = field.value.string();
        for (const json::Value& value : field.value.items()) joined += (joined.empty() ? "" : ", ") + value.string();
        return text_of(std::move(joined), name, out);
    }
    return false;
}

bool RecordedRequest::cookie(const expr::Variable& variable, expr::VariableValue& out) const {
    if (const auto value = line_.variable(variable.name)) return text_of(value, variable.name, out);
    expr::VariableValue all;
    const bool lacked = !missing_.empty();
    if (!header("cookie", all)) {
        if (!lacked && !missing_.empty()) missing_ = variable.name;
        return false;
    }
    std::string_view found;
    return expr::find_cookie(all.text, variable.key, found) && text_of(std::string(found), variable.name, out);
}

bool RecordedRequest::read(const expr::Variable& variable, expr::VariableValue& out) const {
    out = {};
    switch (variable.kind) {
        case VariableKind::unknown:
        case VariableKind::uri_param:  // there is no match yet when conditions are looked at
            return false;
        case VariableKind::uri:
        case VariableKind::request_uri:
        case VariableKind::server_name:
            return imagined_->read(variable, out);
        case VariableKind::request_method:
            return method_.empty() ? lacks(variable.name) : imagined_->read(variable, out);
        case VariableKind::args:
        case VariableKind::is_args:
        case VariableKind::arg:
            return knows_query_ ? imagined_->read(variable, out) : lacks(variable.name);
        case VariableKind::host:
            return knows_host_ ? imagined_->read(variable, out) : lacks(variable.name);
        case VariableKind::content_type:
        case VariableKind::content_length:
            return line_.headers() ? header(variable.name, out) : logged(variable.name, out);
        case VariableKind::http:
            return header(variable.key, out);
        case VariableKind::cookie:
            return cookie(variable, out);
        default:
            return logged(variable.name, out);
    }
}

}  // namespace gateway::process
