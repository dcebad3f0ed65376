#include "tests/support/message.hpp"

#include <cstdlib>

#include "libgateway/base/strings.hpp"

namespace gateway::test {
namespace {

FieldList parse_fields(std::string_view lines) {
    FieldList fields;
    while (!lines.empty()) {
        const auto end = lines.find("\r\n");
        const auto line = lines.substr(0, end);
        const auto colon = line.find(':');
        if (colon != std::string_view::npos) fields.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
        lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 2);
    }
    return fields;
}

Message read_head(Connection& connection) {
    Message message;
    message.head = connection.read_until("\r\n\r\n");
    const std::string_view head = message.head;
    const auto first = head.find("\r\n");
    message.start_line = head.substr(0, first);
    message.fields = parse_fields(head.substr(first + 2, head.size() - first - 4));
    return message;
}

void read_chunks(Connection& connection, Message& message) {
    for (;;) {
        const std::string line = connection.read_until("\r\n");
        const auto size = std::strtoull(line.c_str(), nullptr, 16);
        if (size == 0) break;
        message.body += connection.read_exactly(size);
        connection.read_exactly(2);
    }
    for (;;) {
        const std::string line = connection.read_until("\r\n");
        if (line == "\r\n") return;
        for (auto& field : parse_fields(line)) message.trailers.push_back(std::move(field));
    }
}

// A body cut short leaves `complete` false and what came in `body`; a wait that runs into its limit throws.
void read_body(Connection& connection, Message& message, bool until_close) {
    const auto length = message.field("content-length");
    try {
        if (!message.field("transfer-encoding").empty()) {
            read_chunks(connection, message);
        } else if (!length.empty()) {
            message.body = connection.read_exactly(parse_decimal<std::size_t>(length).value_or(0));
        } else if (until_close) {
            message.body = connection.read_to_end();
            message.complete = connection.end() == End::eof;
            return;
        }
    } catch (const ConnectionError&) {
        if (connection.end() == End::open) throw;
        message.body += connection.take(connection.pending().size());
        return;
    }
    message.complete = true;
}

std::string_view word(std::string_view line, int index) {
    for (; index > 0; --index) {
        const auto blank = line.find(' ');
        if (blank == std::string_view::npos) return {};
        line.remove_prefix(blank + 1);
    }
    return line.substr(0, line.find(' '));
}

}  // namespace

int Message::status() const {
    if (!start_line.starts_with("HTTP/1.")) return 0;
    return parse_decimal<int>(word(start_line, 1)).value_or(0);
}
std::string_view Message::method() const {
    return word(start_line, 0);
}
std::string_view Message::target() const {
    return word(start_line, 1);
}

std::string_view Message::field(std::string_view name) const {
    for (const auto& [key, value] : fields) {
        if (iequals(key, name)) return value;
    }
    return {};
}

std::size_t Message::count(std::string_view name) const {
    std::size_t found = 0;
    for (const auto& [key, value] : fields) found += iequals(key, name) ? 1 : 0;
    return found;
}

Message read_request(Connection& connection) {
    Message message = read_head(connection);
    read_body(connection, message, false);
    return message;
}

Message read_response(Connection& connection, BodyRule rule) {
    Message message = read_head(connection);
    const int status = message.status();
    if (rule == BodyRule::none || status / 100 == 1 || status == 204 || status == 304) {
        message.complete = true;
    } else {
        read_body(connection, message, true);
    }
    return message;
}

std::string make_response(int status, std::string_view body, std::string_view lines) {
    std::string text = "HTTP/1.1 " + std::to_string(status) + " Scripted\r\n";
    text.append(lines);
    if (status / 100 != 1 && status != 204 && status != 304) {
        text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    }
    text += "\r\n";
    text.append(body);
    return text;
}

std::string make_request(std::string_view method, std::string_view target, std::string_view lines,
                         std::string_view body) {
    std::string text;
    text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n").append(lines);
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    text += "\r\n";
    text.append(body);
    return text;
}

}  // namespace gateway::test
