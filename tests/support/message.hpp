// HTTP/1.1 messages as plain text parts, read leniently enough to look at wrong ones and strictly enough to tell an
// end.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/connection.hpp"

namespace gateway::test {

using FieldList = std::vector<std::pair<std::string, std::string>>;

struct Message {
    std::string start_line;  // without CRLF
    std::string head;        // the bytes as received, with the blank line
    FieldList fields;        // names as received
    std::string body;        // chunks taken together
    FieldList trailers;
    bool complete = false;  // false: the connection ended before the framing said so

    int status() const;  // of a response; 0 if the start line is none
    std::string_view method() const;
    std::string_view target() const;
    // First value by case-insensitive name, empty if absent; and how often the name occurs.
    std::string_view field(std::string_view name) const;
    std::size_t count(std::string_view name) const;
};

// Reads one message from the connection. Interim 1xx responses are returned like any other response.
// Throws ConnectionError if the connection ends before the head is whole.
Message read_request(Connection& connection);
enum class BodyRule { by_framing, none };  // none: answer to HEAD
Message read_response(Connection& connection, BodyRule rule = BodyRule::by_framing);

// "HTTP/1.1 200 OK" with Content-Length and the given further lines ("Name: value\r\n" each).
std::string make_response(int status, std::string_view body, std::string_view lines = {});
// "GET /path HTTP/1.1" with Host and the given further lines; with a body also Content-Length.
std::string make_request(std::string_view method, std::string_view target, std::string_view lines = {},
                         std::string_view body = {});

}  // namespace gateway::test
