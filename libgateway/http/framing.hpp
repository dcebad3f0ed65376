// The one judge of where a body ends: a table over version, Transfer-Encoding and Content-Length (RFC 9112, 6).
#pragma once

#include <cstdint>
#include <string_view>

#include "libgateway/http/head.hpp"

namespace gateway::http {

struct FramingVerdict {
    BodyFraming body;
    unsigned status = 0;  // 0: the message has one meaning. Request: status to answer; response: anything else fails it
    std::string_view reason;  // static text, when `status` is not 0
};

// Requests. Everything that two parties could read differently is refused, identical duplicates of Content-Length
// included. An explicit `Content-Length: 0` is kind `length` with length 0; no framing field at all is kind `none`.
FramingVerdict judge_request_framing(const Fields& fields, std::uint8_t version) noexcept;

// Responses, by the method of the request: HEAD, 1xx, 204, 304 and 2xx of CONNECT have no body, whatever the fields
// say; fields that contradict each other fail the response all the same.
FramingVerdict judge_response_framing(const Fields& fields, std::uint8_t version, unsigned status,
                                      Verb method) noexcept;

}  // namespace gateway::http
