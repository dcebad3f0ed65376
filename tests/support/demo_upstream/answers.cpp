#include "tests/support/demo_upstream/answers.hpp"

#include <fmt/format.h>

#include "libgateway/base/strings.hpp"
#include "tests/support/demo_upstream/websocket.hpp"

namespace gateway::demo {
namespace {

std::string decode(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '%' && i + 2 < text.size();
        if (escape && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
            plain += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
            i += 2;
        } else {
            plain += text[i] == '+' ? ' ' : text[i];
        }
    }
    return plain;
}

void append_json(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += fmt::format("\\u{:04x}", static_cast<int>(c));
        } else {
            out += c;
        }
    }
    out += '"';
}

template <class Each>
void for_each_argument(std::string_view query, Each&& each) {
    for_each_item(query, '&', [&](std::string_view item) {
        const auto equal = item.find('=');
        each(decode(item.substr(0, equal)), equal == std::string_view::npos ? "" : decode(item.substr(equal + 1)));
    });
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
    if (out.back() != '{') out += ',';
    append_json(out, name);
    out += ':';
    append_json(out, value);
}

std::string echo_body(const Request& request) {
    std::string out = "{";
    append_member(out, "method", request.method);
    append_member(out, "uri", request.target);
    out += ",\"args\":{";
    for_each_argument(request.query(), [&](const std::string& k, const std::string& v) { append_member(out, k, v); });
    out += "},\"headers\":{";
    for (const auto& [name, value] : request.fields) append_member(out, to_lower(name), value);
    out += '}';
    append_member(out, "body", request.body);
    return out + "}";
}

Answer text(int status, std::string_view type, std::string body, std::string_view lines = {}) {
    Answer result;
    result.head = fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\n{}Content-Length: {}\r\n\r\n", status,
                              status < 400 ? "OK" : "Demo", type, lines, body.size());
    result.body = std::move(body);
    return result;
}

Answer status_only(int status) {
    Answer result;
    const bool bodiless = status < 200 || status == 204 || status == 304;
    result.head = fmt::format("HTTP/1.1 {} Demo\r\n{}\r\n", status, bodiless ? "" : "Content-Length: 0\r\n");
    return result;
}

Answer bytes(std::uint64_t size) {
    Answer result;
    result.head =
        fmt::format("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n", size);
    result.filler = size;
    return result;
}

Answer headers_in_body(const Request& request) {
    std::string lines, body = "{";
    for_each_argument(request.query(), [&](const std::string& name, const std::string& value) {
        if ((name + value).find_first_of("\r\n") != std::string::npos) return;
        lines += name + ": " + value + "\r\n";
        append_member(body, name, value);
    });
    return text(200, "application/json", body + "}\n", lines);
}

Answer stream(int ticks) {
    Answer result;
    result.head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
        "Transfer-Encoding: chunked\r\n\r\n";
    result.ticks = ticks;
    return result;
}

Answer websocket(const Request& request) {
    if (!iequals(request.field("upgrade"), "websocket")) return text(426, "text/plain", "a WebSocket is expected\n");
    Answer result;
    result.head = fmt::format(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: {}\r\n\r\n",
        websocket_accept(request.field("sec-websocket-key")));
    result.websocket = true;
    return result;
}

}  // namespace

Answer answer(const Request& request, std::string_view name) {
    const std::string_view path = request.path();
    const auto number = [&](std::string_view prefix) {
        return parse_decimal<std::uint64_t>(path.substr(prefix.size()));
    };
    if (path.starts_with("/bytes/") && number("/bytes/")) return bytes(*number("/bytes/"));
    if (path == "/hello") return text(200, "text/plain", name.empty() ? "hello world\n" : std::string(name) + "\n");
    if (path == "/echo") return text(200, "application/json", echo_body(request) + "\n");
    if (path == "/headers-in-body") return headers_in_body(request);
    if (path == "/ws") return websocket(request);
    if (path == "/stream") return stream(10);
    if (path.starts_with("/stream/") && number("/stream/")) return stream(static_cast<int>(*number("/stream/")));
    if (path.starts_with("/status/")) {
        const auto status = number("/status/").value_or(0);
        return status >= 200 && status <= 599 ? status_only(static_cast<int>(status)) : text(400, "text/plain", "");
    }
    if (path.starts_with("/sleep/") && number("/sleep/")) {
        Answer late = text(200, "text/plain", "slept\n");
        late.delay_ms = static_cast<std::int64_t>(*number("/sleep/"));
        return late;
    }
    return text(404, "text/plain", "not found\n");
}

std::string event(int number) {
    const std::string line = fmt::format("data: tick {}\n\n", number);
    return fmt::format("{:x}\r\n{}\r\n", line.size(), line);
}

}  // namespace gateway::demo
