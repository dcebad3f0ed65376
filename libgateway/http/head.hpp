// Heads of a request and of a response as the gateway understands them, wire form and decided framing side by side.
#pragma once

#include <boost/beast/http/verb.hpp>
#include <cstdint>
#include <ostream>
#include <string_view>

#include "libgateway/http/fields.hpp"

namespace gateway::http {

using Verb = boost::beast::http::verb;

// How the end of a body is found (RFC 9112, 6.3). `until_close` only in responses.
enum class BodyKind : std::uint8_t { none, length, chunked, until_close };

struct BodyFraming {
    BodyKind kind = BodyKind::none;
    std::uint64_t length = 0;  // of kind `length`
};

struct RequestHead {
    Verb method = Verb::unknown;
    std::string_view method_text;
    std::string_view line;      // raw request line without its end
    std::string_view target;    // raw target as received
    std::string_view raw_path;  // of the target, before `?`; "/" for an absolute form without a path
    std::string_view query;     // after the first `?`, without it; up to a raw `#`
    bool has_query = false;
    std::string_view authority;  // of the absolute form, else the Host field; empty if there is none (HTTP/1.0)
    std::uint8_t version = 11;   // 10 or 11
    Fields fields;

    BodyFraming body;
    bool keep_alive = true;  // what the client asks for
    bool expect_continue = false;
    bool websocket = false;  // Connection: upgrade with Upgrade: websocket, GET, HTTP/1.1

    void clear() noexcept {
        fields.clear();
        has_query = expect_continue = websocket = false;
        body = {};
    }
};

struct ResponseHead {
    unsigned status = 0;
    std::string_view reason;
    std::uint8_t version = 11;
    Fields fields;

    BodyFraming body;
    bool keep_alive = true;  // the connection may be used again after the body

    void clear() noexcept {
        fields.clear();
        status = 0;
        body = {};
    }
};

}  // namespace gateway::http
