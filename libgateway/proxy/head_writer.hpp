// Heads from their parsed form into bytes: the only place where request and response heads are written.
#pragma once

#include <string_view>

#include "libgateway/http/head.hpp"
#include "libgateway/net/buffer_pool.hpp"

namespace gateway::proxy {

// Both take a block from the pool that fits and return the bytes in it. Content-Length, Transfer-Encoding and
// Connection are written from `framing` and the flags; fields of those names in the table are left out.

struct RequestLine {
    std::string_view method, target, host;
    bool upgrade = false;  // Connection: upgrade, Upgrade: websocket
};
std::string_view write_request_head(const RequestLine& line, const http::Fields& fields,
                                    const http::BodyFraming& framing, bool always_length, net::BufferPool& buffers,
                                    net::Buffer& into);

enum class ConnectionField : unsigned char { none, close, keep_alive, upgrade };
// `length_field`: Content-Length of an answer that has no body itself (HEAD, 304); empty: none.
struct StatusLine {
    unsigned status = 200;
    std::string_view reason;
    ConnectionField connection = ConnectionField::none;
    std::string_view server, date;  // date empty: the table has one
    std::string_view length_field;
};
std::string_view write_response_head(const StatusLine& line, const http::Fields& fields,
                                     const http::BodyFraming& framing, net::BufferPool& buffers, net::Buffer& into);

}  // namespace gateway::proxy
